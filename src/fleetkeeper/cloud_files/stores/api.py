"""`/api/v1/cloud-stores`."""

from uuid import UUID

from fleetkeeper.cloud_files.stores.schemas import StoreCheck
from fleetkeeper.cloud_files.stores.service import stores
from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests.access import RequestsWrite
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.records.api import record_router

router = record_router(stores)


@router.post("/{key}/check", responses=problem_responses(401, 403, 404, 422))
async def check_store(key: UUID, actor: RequestsWrite, session: Session) -> StoreCheck:
    """Check the connection to a store: sign in, and look into the folder."""
    return await stores.check_connection(session, actor, key)
