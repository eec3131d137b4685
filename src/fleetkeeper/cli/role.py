"""`fleetkeeper role …`: named sets of permissions."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.roles import service
from fleetkeeper.identity.roles.schemas import RoleCreate, RoleRead, RoleUpdate

app = typer.Typer(help="Named sets of permissions.", no_args_is_help=True)

COLUMNS = ("name", "is_builtin", "requires_second_factor", "memberships", "permissions")
Name = Annotated[str, typer.Argument(help="Name of the role")]
Permissions = Annotated[list[Permission] | None, typer.Option("--permission", help="Permission; repeatable")]
SecondFactor = Annotated[
    bool | None, typer.Option("--second-factor/--no-second-factor", help="Require a second factor")
]
Description = Annotated[str | None, typer.Option(help="Description")]


@app.callback()
def roles() -> None:
    """Named sets of permissions."""


@app.command(name="list")
def list_roles(*, as_json: AsJson = False) -> None:
    """List roles."""

    async def read(session: AsyncSession) -> list[RoleRead]:
        return (await service.read_matrix(session)).roles

    show(with_session(read), COLUMNS[:4], as_json=as_json)


@app.command(name="show")
def show_role(name: Name, *, as_json: AsJson = False) -> None:
    """Show one role."""

    async def read(session: AsyncSession) -> RoleRead:
        return await service.find_role(session, name)

    show_one(with_session(read), as_json=as_json)


@app.command()
def create(
    name: Name,
    permission: Permissions = None,
    description: Description = None,
    second_factor: SecondFactor = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Create a role."""
    wanted = checked(
        RoleCreate,
        name=name,
        permissions=permission or [],
        description=description or "",
        requires_second_factor=bool(second_factor),
    )

    async def make(session: AsyncSession) -> RoleRead:
        return await service.create_role(session, command_actor(), wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def update(
    name: Name,
    permission: Permissions = None,
    description: Description = None,
    second_factor: SecondFactor = None,
    new_name: Annotated[str | None, typer.Option(help="New name")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Update a role. The permissions that you give replace all its permissions."""
    changes = checked(
        RoleUpdate,
        name=new_name,
        permissions=permission or None,
        description=description,
        requires_second_factor=second_factor,
    )

    async def change(session: AsyncSession) -> RoleRead:
        found = await service.find_role(session, name)
        return await service.update_role(session, command_actor(), found.id, changes)

    show_one(with_session(change), as_json=as_json)


@app.command()
def delete(name: Name, *, as_json: AsJson = False) -> None:
    """Delete a role that is not assigned."""

    async def change(session: AsyncSession) -> None:
        found = await service.find_role(session, name)
        await service.delete_role(session, command_actor(), found.id)

    with_session(change)
    done(f"Deleted role {name}.", as_json=as_json)
