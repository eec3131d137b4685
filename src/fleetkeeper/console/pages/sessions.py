"""`/sessions`: who is signed in where."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.panels import done, list_parameters, neighbour, search_of, show_page
from fleetkeeper.console.sessions import session_table
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.sessions import service
from fleetkeeper.identity.sessions.access import SessionsWrite
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.kit.clock import utc_now

router = APIRouter()

HOME = "/sessions"


@router.get("/sessions")
async def list_sessions(request: Request, actor: SessionsWrite, session: Session) -> Response:
    """Everybody's sessions."""
    page = await service.list_sessions(
        session, actor, list_parameters(request), now=utc_now(), idle=idle_time(request)
    )
    table = session_table(
        page,
        HOME,
        with_user=True,
        neighbours=(neighbour(HOME, page.previous), neighbour(HOME, page.next)),
    )
    return show_page(actor, HOME, "Sessions", [table], search=search_of(request, "User or browser"))


@router.post("/sessions/{session_id}/end")
async def end_session(request: Request, session_id: UUID, actor: SessionsWrite, session: Session) -> Response:
    """End one."""
    del actor
    await service.end_session(session, session_id)
    return done(request, HOME)
