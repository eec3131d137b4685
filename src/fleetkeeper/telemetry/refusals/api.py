"""`/api/v1/telemetry/refusals`."""

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.refusals import service
from fleetkeeper.telemetry.refusals.schemas import RefusalPage

router = APIRouter(prefix="/telemetry", tags=["senders"])


@router.get("/refusals", responses=problem_responses(401, 403, 422))
async def list_refusals(
    request: Request,
    actor: DevicesRead,
    session: Session,
    q: str = "",
    ordering: str = "-last_seen",
    limit: int = 50,
    cursor: str = "",
) -> RefusalPage:
    """List why samples of agents and senders were refused, with an example of each."""
    del q, ordering, limit, cursor
    page = await service.list_refusals(session, actor, request.query_params.multi_items())
    return with_links(page, request.url.path)
