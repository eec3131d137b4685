"""`/api/v1/telemetry/refusals`."""

from typing import Annotated

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.refusals import service
from fleetkeeper.telemetry.refusals.queries import LISTING as REFUSALS_LISTING
from fleetkeeper.telemetry.refusals.schemas import RefusalPage, RefusalRead

router = APIRouter(prefix="/telemetry", tags=["senders"])
RefusalsQuery = Annotated[ListParameters, listed_by(REFUSALS_LISTING)]


@router.get("/refusals", responses=problem_responses(401, 403, 422))
async def list_refusals(
    request: Request, actor: DevicesRead, session: Session, asked: RefusalsQuery
) -> RefusalPage:
    """List why samples of agents and senders were refused, with an example of each."""
    page = await service.list_refusals(session, actor, asked)
    return with_links(page, request.url.path)


add_export(
    router,
    "refused samples",
    Permission.DEVICES_READ,
    RefusalRead,
    "refused_samples",
    service.list_refusals,
    path="/refusals/export",
)
