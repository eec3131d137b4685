"""`/users`: accounts, their roles, and what they can see and do."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.memberships import ROLE
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import Sent, attempt, done, refused, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.user_page import CHANGE, NEW, PASSWORD, new_user_form, user_list, user_page
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.sessions.access import SessionsWrite
from fleetkeeper.identity.sign_in import factors
from fleetkeeper.identity.users import service
from fleetkeeper.identity.users.access import MembershipsWrite, UsersRead, UsersWrite
from fleetkeeper.identity.users.schemas import UserRead

router = APIRouter()
declare(
    Place(
        "/users",
        "Users",
        "users",
        Permission.USERS_READ,
        group="Access",
        order=10,
        key="u",
        words="accounts people",
    )
)

HOME = "/users"


@router.get("/users")
async def list_users(request: Request, actor: UsersRead, session: Session) -> Response:
    """Whom one may see."""
    return await _list_page(request, session, actor, await new_user_form(session, actor))


@router.post("/users")
async def create_user(request: Request, sent: FormLists, actor: UsersWrite, session: Session) -> Response:
    """Make a local account."""

    async def make() -> UserRead:
        return await service.add_user(session, actor, NEW.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        form = await new_user_form(session, actor)
        return await _list_page(request, session, actor, form and refused(form, error, sent), error.status)

    return await submit(request, session, make(), lambda made: f"{HOME}/{made.id}", again)


@router.get("/users/{user_id}")
async def show_user(request: Request, user_id: UUID, actor: UsersRead, session: Session) -> Response:
    """One user: what they can see and do and why, and what may be changed."""
    return await user_page(request, session, actor, user_id)


@router.post("/users/{user_id}")
async def change_user(
    request: Request, user_id: UUID, sent: FormLists, actor: UsersWrite, session: Session
) -> Response:
    """Change names and mail address."""

    async def change() -> UserRead:
        return await service.update_user(session, actor, user_id, CHANGE.read(sent), version_in(sent))

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, user_id, "change", outcome, sent)


@router.post("/users/{user_id}/password")
async def set_password(
    request: Request, user_id: UUID, sent: FormLists, actor: UsersWrite, session: Session
) -> Response:
    """Give a local account another password."""

    async def change() -> None:
        wanted = PASSWORD.read(sent)
        await service.set_password(session, actor, user_id, wanted.password, with_tokens=wanted.revoke_tokens)

    outcome = await attempt(session, change())
    return await _outcome(request, session, actor, user_id, "password", outcome, sent)


@router.post("/users/{user_id}/disable")
async def disable_user(
    request: Request,
    user_id: UUID,
    sent: FormLists,
    actor: UsersWrite,
    reason: ReasonGiven,
    session: Session,
) -> Response:
    """Refuse a user from now on."""
    del reason
    outcome = await attempt(session, service.set_enabled(session, actor, user_id, enabled=False))
    return await _outcome(request, session, actor, user_id, "disable", outcome, sent)


@router.post("/users/{user_id}/enable")
async def enable_user(request: Request, user_id: UUID, actor: UsersWrite, session: Session) -> Response:
    """Let a user sign in again."""
    await service.set_enabled(session, actor, user_id, enabled=True)
    return done(request, f"{HOME}/{user_id}")


@router.post("/users/{user_id}/delete")
async def delete_user(
    request: Request,
    user_id: UUID,
    sent: FormLists,
    actor: UsersWrite,
    reason: ReasonGiven,
    session: Session,
) -> Response:
    """Delete an account."""
    del reason
    outcome = await attempt(session, service.delete_user(session, actor, user_id))
    if outcome is None:
        return done(request, HOME)
    return await _outcome(request, session, actor, user_id, "delete", outcome, sent)


@router.post("/users/{user_id}/second-factor")
async def reset_second_factor(
    request: Request,
    user_id: UUID,
    sent: FormLists,
    actor: UsersWrite,
    reason: ReasonGiven,
    session: Session,
) -> Response:
    """Remove all factors of somebody who lost them."""
    del reason
    await service.check_visible(session, actor, user_id)
    outcome = await attempt(session, factors.reset_second_factor(session, actor, user_id))
    return await _outcome(request, session, actor, user_id, "second-factor", outcome, sent)


@router.post("/users/{user_id}/end-sessions")
async def end_sessions(request: Request, user_id: UUID, actor: SessionsWrite, session: Session) -> Response:
    """End all sessions of a user."""
    await service.end_user_sessions(session, actor, user_id)
    return done(request, f"{HOME}/{user_id}")


@router.post("/users/{user_id}/memberships")
async def give_role(
    request: Request, user_id: UUID, sent: FormLists, actor: MembershipsWrite, session: Session
) -> Response:
    """Give a role."""
    await service.check_visible(session, actor, user_id)

    async def give() -> object:
        wanted = ROLE.read(sent)
        return await memberships.add_membership(
            session, actor, wanted.role, wanted.department_id, user_id=user_id
        )

    outcome = await attempt(session, give())
    return await _outcome(request, session, actor, user_id, "give-role", outcome, sent)


@router.post("/users/{user_id}/memberships/{membership_id}/remove")
async def take_role(
    request: Request, user_id: UUID, membership_id: UUID, actor: MembershipsWrite, session: Session
) -> Response:
    """Take a role away."""
    await memberships.remove_membership(session, actor, membership_id, user_id=user_id)
    return done(request, f"{HOME}/{user_id}")


async def _list_page(
    request: Request, session: AsyncSession, actor: Actor, form: EntryForm | None, status: int = 200
) -> Response:
    fetch = partial(service.list_users, session, actor)
    return await show_list(request, session, actor, user_list(actor), fetch, before=[form], status=status)


async def _outcome(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    user_id: UUID,
    form_id: str,
    outcome: object,
    values: Sent,
) -> Response:
    if not isinstance(outcome, FleetkeeperError):
        return done(request, f"{HOME}/{user_id}")
    tab = "" if form_id == "give-role" else "settings"
    return await user_page(request, session, actor, user_id, Refusal(form_id, outcome, values, tab))
