"""`/api/v1/work-orders`."""

from uuid import UUID

from fastapi import APIRouter

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.orders.access import OrdersWrite
from fleetkeeper.orders.work import service
from fleetkeeper.orders.work.schemas import WorkDone, WorkRead
from fleetkeeper.records.api import record_router

router = APIRouter()


@router.post(
    "/work-orders/{key}/done",
    tags=["work-orders"],
    summary="Finish a work order",
    responses=problem_responses(400, 401, 403, 404, 409, 422),
)
async def finish(key: UUID, done: WorkDone, actor: OrdersWrite, session: Session) -> WorkRead:
    """Fit the part: it is consumed on the device, whose hardware shows it."""
    return await service.finish(session, actor, key, done)


router.include_router(record_router(service.work_orders))
