"""`fleetkeeper user …`: accounts, and the roles that they have."""

from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.schemas import UserAccess
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.roles.service import find_role
from fleetkeeper.identity.sign_in import factors
from fleetkeeper.identity.users import service
from fleetkeeper.identity.users.schemas import UserCreate, UserRead
from fleetkeeper.kit.text import printable

app = typer.Typer(help="Users and their roles.", no_args_is_help=True)

COLUMNS = ("username", "name", "email", "enabled", "source", "last_login")
MAX_LISTED = "1000"
User = Annotated[str, typer.Argument(help="Username or ID")]
RoleName = Annotated[str, typer.Option(help="Name of the role")]
Department = Annotated[
    str | None, typer.Option(help="Department, as Company/Region or its ID; default: everywhere")
]
Reason = Annotated[str, typer.Option(help="Reason, for the audit log")]
Password = Annotated[
    str,
    typer.Option(prompt=True, confirmation_prompt=True, hide_input=True, help="Password; default: prompt"),
]


@app.callback()
def accounts() -> None:
    """Users and their roles."""


@app.command(name="list")
def list_users(
    q: Annotated[str, typer.Option(help="Part of a name or email address")] = "", *, as_json: AsJson = False
) -> None:
    """List users."""

    async def read(session: AsyncSession) -> list[UserRead]:
        parameters = (("q", q), ("limit", MAX_LISTED))
        return (await service.list_users(session, command_actor(), parameters)).results

    show(with_session(read), COLUMNS, as_json=as_json)


@app.command(name="show")
def show_user(user: User, *, as_json: AsJson = False) -> None:
    """Show what a user can see and do, and why."""

    async def read(session: AsyncSession) -> UserAccess:
        actor = command_actor()
        found = await service.find_user(session, actor, user)
        return await service.read_access(session, actor, found.id)

    access = with_session(read)
    if as_json:
        show_one(access, as_json=True)
        return
    state = "" if access.enabled else " is disabled, and"
    typer.echo(f"{printable(access.username)}{state} has {len(access.permissions)} permissions, by:")
    show(access.sources, ("role", "via", "group", "department"), as_json=False)
    show(access.permissions, ("permission", "everywhere", "departments"), as_json=False)


@app.command()
def create(
    username: str,
    role: RoleName = Role.VIEWER,
    password: Annotated[str, typer.Option(help="Password; default: prompt")] = "",
    department: Department = None,
    name: Annotated[str, typer.Option(help="Full name")] = "",
    email: Annotated[str | None, typer.Option(help="Email address")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a local user."""

    async def check(session: AsyncSession) -> UserCreate:
        wanted = checked(UserCreate, username=username, name=name, email=email)
        wanted.role = (await find_role(session, role)).name
        wanted.department_id = await _department(session, department)
        return wanted

    # Nobody types a password twice for an account that cannot be.
    wanted = with_session(check)
    entered = password or typer.prompt("Password", hide_input=True, confirmation_prompt=True)

    async def make(session: AsyncSession) -> UserRead:
        wanted.password = checked(UserCreate, username=username, password=entered).password
        return await service.add_user(session, command_actor(), wanted)

    made = with_session(make)
    if as_json:
        show_one(made, as_json=True)
    else:
        typer.echo(f"{username} can sign in as {role}.")


@app.command(name="set-password")
def set_password(
    user: User,
    password: Password = "",
    *,
    revoke_tokens: Annotated[
        bool, typer.Option("--revoke-tokens", help="Also revoke the user's API tokens")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Set a user's password and end their sessions."""

    async def change(session: AsyncSession) -> list[str]:
        found = await service.find_user(session, command_actor(), user)
        return await service.set_password(
            session, command_actor(), found.id, password, with_tokens=revoke_tokens
        )

    left = with_session(change)
    told = f" These API tokens still work: {', '.join(left)}." if left else ""
    done(f"{user} has a new password.{told}", as_json=as_json)


@app.command(name="reset-second-factor")
def reset_second_factor(user: User, reason: Reason, *, as_json: AsJson = False) -> None:
    """Remove the second factors of a user who lost them, and end their sessions."""

    async def change(session: AsyncSession) -> None:
        actor = command_actor()
        found = await service.find_user(session, actor, user)
        await factors.reset_second_factor(session, actor, found.id)

    with_session(change, reason)
    done(f"{user} signs in without a second factor until they set up another.", as_json=as_json)


@app.command()
def disable(user: User, reason: Reason, *, as_json: AsJson = False) -> None:
    """Disable a user and their tokens, and end their sessions."""
    _set_enabled(user, reason, enabled=False)
    done(f"{user} is disabled.", as_json=as_json)


@app.command()
def enable(user: User, reason: Reason = "", *, as_json: AsJson = False) -> None:
    """Enable a user."""
    _set_enabled(user, reason, enabled=True)
    done(f"{user} can sign in again.", as_json=as_json)


@app.command()
def delete(user: User, reason: Reason, *, as_json: AsJson = False) -> None:
    """Delete a user with their sessions, tokens and roles."""

    async def change(session: AsyncSession) -> None:
        found = await service.find_user(session, command_actor(), user)
        await service.delete_user(session, command_actor(), found.id)

    with_session(change, reason)
    done(f"Deleted user {user}.", as_json=as_json)


@app.command()
def grant(user: User, role: RoleName, department: Department = None, *, as_json: AsJson = False) -> None:
    """Assign a role to a user, in a department or everywhere."""

    async def change(session: AsyncSession) -> None:
        found = await service.find_user(session, command_actor(), user)
        where = await _department(session, department)
        await memberships.add_membership(session, command_actor(), role, where, user_id=found.id)

    with_session(change)
    done(f"{user} is {role} {_where(department)}.", as_json=as_json)


@app.command()
def revoke(user: User, role: RoleName, department: Department = None, *, as_json: AsJson = False) -> None:
    """Remove a role from a user."""

    async def change(session: AsyncSession) -> None:
        found = await service.find_user(session, command_actor(), user)
        where = await _department(session, department)
        await memberships.remove_role(session, command_actor(), role, where, user_id=found.id)

    with_session(change)
    done(f"{user} is no longer {role} {_where(department)}.", as_json=as_json)


@app.command(name="sessions-end")
def sessions_end(user: User, *, as_json: AsJson = False) -> None:
    """End all sessions of a user."""

    async def change(session: AsyncSession) -> int:
        found = await service.find_user(session, command_actor(), user)
        return await service.end_user_sessions(session, command_actor(), found.id)

    done(f"Ended {with_session(change)} sessions of {user}.", as_json=as_json)


def _set_enabled(user: str, reason: str, *, enabled: bool) -> None:
    async def change(session: AsyncSession) -> None:
        found = await service.find_user(session, command_actor(), user)
        await service.set_enabled(session, command_actor(), found.id, enabled=enabled)

    with_session(change, reason)


async def _department(session: AsyncSession, wanted: str | None) -> UUID | None:
    return None if wanted is None else await find_department(session, command_actor(), wanted)


def _where(department: str | None) -> str:
    return "everywhere" if department is None else f"in {department}"
