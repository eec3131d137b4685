"""`/api/v1/account`: one's own account and sessions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.sessions import service as sessions
from fleetkeeper.identity.sessions.api import idle_time
from fleetkeeper.identity.sessions.queries import LISTING as SESSIONS_LISTING
from fleetkeeper.identity.sessions.schemas import SessionPage
from fleetkeeper.identity.users import account
from fleetkeeper.identity.users.schemas import AccountRead, AccountUpdate, SessionsEnded
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/account", tags=["account"])
SessionsQuery = Annotated[ListParameters, listed_by(SESSIONS_LISTING)]


@router.get("", responses=problem_responses(401))
async def read_account(actor: SignedIn, session: Session) -> AccountRead:
    """Get one's own account."""
    return await account.read_account(session, actor)


@router.patch("", responses=problem_responses(400, 401, 403, 409, 422))
async def update_account(changes: AccountUpdate, actor: SignedIn, session: Session) -> AccountRead:
    """Change one's own name, mail address, time zone and theme."""
    return await account.update_account(session, actor, changes)


@router.get("/sessions", responses=problem_responses(401, 422))
async def list_sessions(
    request: Request, actor: SignedIn, session: Session, asked: SessionsQuery
) -> SessionPage:
    """List one's own live sessions."""
    parameters = asked
    page = await sessions.list_own_sessions(
        session, actor, parameters, now=utc_now(), idle=idle_time(request)
    )
    return with_links(page, request.url.path)


@router.delete("/sessions", responses=problem_responses(401, 403))
async def end_other_sessions(actor: SignedIn, session: Session) -> SessionsEnded:
    """End all of one's own sessions but this one."""
    return SessionsEnded(ended=await sessions.end_other_sessions(session, actor))


@router.delete("/sessions/{session_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def end_session(session_id: UUID, actor: SignedIn, session: Session) -> None:
    """End one of one's own sessions."""
    await sessions.end_own_session(session, actor, session_id)
