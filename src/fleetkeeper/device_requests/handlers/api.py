"""`/api/v1/request-handlers`."""

from fleetkeeper.device_requests.handlers.service import handlers
from fleetkeeper.records.api import record_router

router = record_router(handlers)
