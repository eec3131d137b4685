"""`/sessions`: who is signed in where."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import done
from fleetkeeper.console.sessions import HOME, session_list
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.sessions import service
from fleetkeeper.identity.sessions.access import SessionsWrite
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.identity.sessions.schemas import SessionPage
from fleetkeeper.kit.clock import utc_now

router = APIRouter()
declare(
    Place(
        "/sessions",
        "Sessions",
        "device-desktop",
        Permission.SESSIONS_WRITE,
        group="Access",
        order=70,
        key="e",
        words="sign-ins",
    )
)


@router.get("/sessions")
async def list_sessions(request: Request, actor: SessionsWrite, session: Session) -> Response:
    """Everybody's sessions."""

    async def fetch(parameters: list[tuple[str, str]]) -> SessionPage:
        return await service.list_sessions(session, actor, parameters, now=utc_now(), idle=idle_time(request))

    return await show_list(request, session, actor, session_list(), fetch)


@router.post("/sessions/{session_id}/end")
async def end_session(request: Request, session_id: UUID, actor: SessionsWrite, session: Session) -> Response:
    """End one."""
    del actor
    await service.end_session(session, session_id)
    return done(request, HOME)
