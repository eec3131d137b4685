"""`/api/v1/sessions`."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from fleetkeeper.audit.exports import export_list
from fleetkeeper.database.exports import RESPONSES, FileFields, FileFormat
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.sessions import service
from fleetkeeper.identity.sessions.access import SessionsWrite
from fleetkeeper.identity.sessions.queries import LISTING as SESSIONS_LISTING
from fleetkeeper.identity.sessions.schemas import SessionPage, SessionRead
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.kit.services import services_of
from fleetkeeper.settings import Settings

router = APIRouter(prefix="/sessions", tags=["sessions"])
SessionsQuery = Annotated[ListParameters, listed_by(SESSIONS_LISTING)]


def idle_time(request: Request) -> timedelta:
    """The time after which a session that nobody uses has ended."""
    settings = services_of(request).get(Settings)
    return timedelta(minutes=settings.identity.session_idle_minutes)


@router.get("", responses=problem_responses(401, 403, 422))
async def list_sessions(
    request: Request, actor: SessionsWrite, session: Session, asked: SessionsQuery
) -> SessionPage:
    """List everybody's live sessions."""
    parameters = asked
    page = await service.list_sessions(session, actor, parameters, now=utc_now(), idle=idle_time(request))
    return with_links(page, request.url.path)


@router.get(
    "/export",
    summary="Export sessions",
    response_class=StreamingResponse,
    responses={**RESPONSES, **problem_responses(401, 403, 422)},
)
async def export_sessions(
    request: Request,
    actor: SessionsWrite,
    session: Session,
    file_format: FileFormat = "csv",
    fields: FileFields = "",
) -> StreamingResponse:
    """Download the sessions that match the filters of the list. The audit log keeps who took them."""
    now, idle = utc_now(), idle_time(request)

    async def fetch(own: AsyncSession, parameters: list[tuple[str, str]]) -> SessionPage:
        return await service.list_sessions(own, actor, parameters, now=now, idle=idle)

    return await export_list(
        request, session, fetch, SessionRead, "sessions", file_format=file_format, fields=fields
    )


@router.delete("/{session_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_session(session_id: UUID, actor: SessionsWrite, session: Session) -> None:
    """End anybody's session."""
    del actor
    await service.end_session(session, session_id)
