"""`/api/v1/attribute-rules`: which source counts."""

from fleetkeeper.devices.precedence.service import attribute_rules
from fleetkeeper.records.api import record_router

router = record_router(attribute_rules)
