"""`/api/v1/archived-requests`: requests that ended long ago."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session, context_of
from fleetkeeper.device_requests.access import RequestsRead
from fleetkeeper.device_requests.archiving import service
from fleetkeeper.device_requests.archiving.queries import LISTING
from fleetkeeper.device_requests.archiving.schemas import ArchivedDetail, ArchivedPage
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/archived-requests", tags=["requests"])
ArchivedQuery = Annotated[ListParameters, listed_by(LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_archived_requests(
    request: Request, actor: RequestsRead, session: Session, asked: ArchivedQuery
) -> ArchivedPage:
    """List device requests that are in the archive, newest first."""
    return with_links(await service.list_archived(session, actor, asked), request.url.path)


@router.get("/{request_id}", responses=problem_responses(401, 403, 404, 422, 503))
async def get_archived_request(
    request_id: UUID,
    request: Request,
    actor: RequestsRead,
    database: AppDatabase,
    settings: AppSettings,
) -> ArchivedDetail:
    """Get one device request out of the archive, as it was."""
    async with database.session(context_of(request)) as session:
        found = await service.find_archived(session, actor, request_id)
    return await service.read_archived(settings, *found)
