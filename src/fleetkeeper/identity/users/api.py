"""`/api/v1/users`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.queries import LISTING as MEMBERSHIPS_LISTING
from fleetkeeper.identity.memberships.schemas import (
    MembershipCreate,
    MembershipPage,
    MembershipRead,
    UserAccess,
)
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.sessions.access import SessionsWrite
from fleetkeeper.identity.users import service
from fleetkeeper.identity.users.access import MembershipsWrite, UsersRead, UsersWrite
from fleetkeeper.identity.users.queries import LISTING as USERS_LISTING
from fleetkeeper.identity.users.schemas import (
    PasswordSet,
    SessionsEnded,
    UserCreate,
    UserPage,
    UserRead,
    UserUpdate,
)
from fleetkeeper.kit.etags import ExpectedVersion, tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/users", tags=["users"])
MembershipsQuery = Annotated[ListParameters, listed_by(MEMBERSHIPS_LISTING)]
UsersQuery = Annotated[ListParameters, listed_by(USERS_LISTING)]


@router.get("", responses=problem_responses(401, 403, 422))
async def list_users(request: Request, actor: UsersRead, session: Session, asked: UsersQuery) -> UserPage:
    """List users."""
    page = await service.list_users(session, actor, asked)
    return with_links(page, request.url.path)


add_export(router, "users", Permission.USERS_READ, UserRead, "users", service.list_users)


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 409, 422))
async def create_user(
    wanted: UserCreate, actor: UsersWrite, session: Session, response: Response
) -> UserRead:
    """Make a local account."""
    return tagged(response, await service.add_user(session, actor, wanted))


@router.get("/{user_id}", responses=problem_responses(401, 403, 404, 422))
async def get_user(user_id: UUID, actor: UsersRead, session: Session, response: Response) -> UserRead:
    """Get one user."""
    return tagged(response, await service.get_user(session, actor, user_id))


@router.patch("/{user_id}", responses=problem_responses(400, 401, 403, 404, 409, 412, 422))
async def update_user(
    user_id: UUID,
    changes: UserUpdate,
    actor: UsersWrite,
    session: Session,
    expected_version: ExpectedVersion,
    response: Response,
) -> UserRead:
    """Change an account's names and mail address."""
    return tagged(response, await service.update_user(session, actor, user_id, changes, expected_version))


@router.delete("/{user_id}", status_code=204, responses=problem_responses(401, 403, 404, 409, 422))
async def delete_user(user_id: UUID, actor: UsersWrite, reason: ReasonGiven, session: Session) -> None:
    """Delete an account with its sessions, tokens and roles. Needs a reason."""
    del reason
    await service.delete_user(session, actor, user_id)


@router.put("/{user_id}/password", status_code=204, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def set_password(user_id: UUID, wanted: PasswordSet, actor: UsersWrite, session: Session) -> None:
    """Give a local account another password; its sessions end."""
    await service.set_password(session, actor, user_id, wanted.password, with_tokens=wanted.revoke_tokens)


@router.post("/{user_id}/disable", responses=problem_responses(401, 403, 404, 409, 422))
async def disable_user(user_id: UUID, actor: UsersWrite, reason: ReasonGiven, session: Session) -> UserRead:
    """Refuse a user and their tokens from now on, and end their sessions. Needs a reason."""
    del reason
    return await service.set_enabled(session, actor, user_id, enabled=False)


@router.post("/{user_id}/enable", responses=problem_responses(401, 403, 404, 409, 422))
async def enable_user(user_id: UUID, actor: UsersWrite, session: Session) -> UserRead:
    """Let a user sign in again."""
    return await service.set_enabled(session, actor, user_id, enabled=True)


@router.delete("/{user_id}/sessions", responses=problem_responses(401, 403, 404, 422))
async def end_sessions(user_id: UUID, actor: SessionsWrite, session: Session) -> SessionsEnded:
    """End all sessions of a user."""
    return SessionsEnded(ended=await service.end_user_sessions(session, actor, user_id))


@router.get("/{user_id}/access", responses=problem_responses(401, 403, 404, 422))
async def read_access(user_id: UUID, actor: UsersRead, session: Session) -> UserAccess:
    """Say what a user can see and do, and why."""
    return await service.read_access(session, actor, user_id)


@router.get("/{user_id}/memberships", responses=problem_responses(401, 403, 404, 422))
async def list_memberships(
    request: Request, user_id: UUID, actor: UsersRead, session: Session, asked: MembershipsQuery
) -> MembershipPage:
    """List a user's own roles."""
    parameters = asked
    page = await service.list_user_memberships(session, actor, user_id, parameters)
    return with_links(page, request.url.path)


@router.post(
    "/{user_id}/memberships", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422)
)
async def add_membership(
    user_id: UUID, wanted: MembershipCreate, actor: MembershipsWrite, session: Session
) -> MembershipRead:
    """Give a user a role, in a department or everywhere."""
    await service.check_visible(session, actor, user_id)
    return await memberships.add_membership(
        session, actor, wanted.role, wanted.department_id, user_id=user_id
    )


@router.delete(
    "/{user_id}/memberships/{membership_id}",
    status_code=204,
    responses=problem_responses(401, 403, 404, 409, 422),
)
async def remove_membership(
    user_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> None:
    """Take a role away."""
    await memberships.remove_membership(session, actor, membership_id, user_id=user_id)
