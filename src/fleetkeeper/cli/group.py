"""`fleetkeeper group …`: people who get roles together."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import find_department
from fleetkeeper.identity.groups import service
from fleetkeeper.identity.groups.schemas import GroupCreate, GroupRead
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.oidc.service import provider_names
from fleetkeeper.identity.users.schemas import UserRead
from fleetkeeper.identity.users.service import find_user

app = typer.Typer(help="Groups of users.", no_args_is_help=True)

Group = Annotated[str, typer.Argument(help="Name or ID of the group")]
User = Annotated[str, typer.Argument(help="Username or ID")]
RoleName = Annotated[str, typer.Option(help="Name of the role")]
Department = Annotated[
    str | None, typer.Option(help="Department, as Company/Region or its ID; default: everywhere")
]


@app.callback()
def groups() -> None:
    """Groups of users."""


@app.command(name="list")
def list_groups(*, as_json: AsJson = False) -> None:
    """List groups."""

    async def read(session: AsyncSession) -> list[GroupRead]:
        return (await service.list_groups(session, [("limit", "1000")])).results

    show(with_session(read), ("name", "source", "members", "description"), as_json=as_json)


@app.command()
def members(group: Group, *, as_json: AsJson = False) -> None:
    """List the members of a group."""

    async def read(session: AsyncSession) -> list[UserRead]:
        found = await service.find_group(session, group)
        page = await service.list_members(session, command_actor(), found.id, [("limit", "1000")])
        return page.results

    show(with_session(read), ("username", "name", "enabled"), as_json=as_json)


@app.command()
def create(
    name: str,
    description: Annotated[str, typer.Option(help="Description")] = "",
    provider: Annotated[
        str | None, typer.Option(help="Slug of the identity provider that manages the members")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a group."""

    async def make(session: AsyncSession) -> GroupRead:
        known = {slug: key for key, slug, _ in await provider_names(session)}
        if provider is not None and provider not in known:
            raise InvalidInputError(
                "The group was not created.",
                fields=[FieldError("provider", f"there is no provider {provider!r}")],
            )
        wanted = checked(GroupCreate, name=name, description=description)
        wanted.provider_id = known[provider] if provider is not None else None
        return await service.create_group(session, wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def delete(group: Group, *, as_json: AsJson = False) -> None:
    """Delete a group. Its members lose the roles they had through it."""
    _change(group, service.delete_group)
    done(f"Deleted group {group}.", as_json=as_json)


@app.command()
def add(group: Group, user: User, *, as_json: AsJson = False) -> None:
    """Add a user to a group."""

    async def change(session: AsyncSession, actor: Actor, found: UUID) -> None:
        member = await find_user(session, actor, user)
        await service.add_member(session, actor, found, member.id)

    _change(group, change)
    done(f"Added {user} to {group}.", as_json=as_json)


@app.command()
def remove(group: Group, user: User, *, as_json: AsJson = False) -> None:
    """Remove a user from a group."""

    async def change(session: AsyncSession, actor: Actor, found: UUID) -> None:
        member = await find_user(session, actor, user)
        await service.remove_member(session, actor, found, member.id)

    _change(group, change)
    done(f"Removed {user} from {group}.", as_json=as_json)


@app.command()
def grant(group: Group, role: RoleName, department: Department = None, *, as_json: AsJson = False) -> None:
    """Assign a role to a group, in a department or everywhere."""

    async def change(session: AsyncSession, actor: Actor, found: UUID) -> None:
        where = None if department is None else await find_department(session, actor, department)
        await memberships.add_membership(session, actor, role, where, group_id=found)

    _change(group, change)
    done(f"{group} has the role {role}.", as_json=as_json)


@app.command()
def revoke(group: Group, role: RoleName, department: Department = None, *, as_json: AsJson = False) -> None:
    """Remove a role from a group."""

    async def change(session: AsyncSession, actor: Actor, found: UUID) -> None:
        where = None if department is None else await find_department(session, actor, department)
        await memberships.remove_role(session, actor, role, where, group_id=found)

    _change(group, change)
    done(f"{group} no longer has the role {role}.", as_json=as_json)


def _change(group: str, action: Callable[[AsyncSession, Actor, UUID], Awaitable[None]]) -> None:
    async def change(session: AsyncSession) -> None:
        found = await service.find_group(session, group)
        await action(session, command_actor(), found.id)

    with_session(change)
