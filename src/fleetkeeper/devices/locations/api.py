"""`/api/v1/locations`."""

from fleetkeeper.devices.locations.service import locations
from fleetkeeper.records.api import record_router

router = record_router(locations)
