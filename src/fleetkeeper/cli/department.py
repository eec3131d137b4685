"""`fleetkeeper department …`: the tree of departments."""

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cli.inputs import checked
from fleetkeeper.cli.running import command_actor, with_session
from fleetkeeper.cli.tables import AsJson, done, show, show_one
from fleetkeeper.identity.departments import service
from fleetkeeper.identity.departments.schemas import DepartmentCreate, DepartmentRead, DepartmentUpdate
from fleetkeeper.identity.users.service import find_user

app = typer.Typer(help="Departments.", no_args_is_help=True)

Department = Annotated[str, typer.Argument(help="Path, such as Company/Region, or ID")]


@app.callback()
def departments() -> None:
    """Departments."""


@app.command(name="list")
def list_departments(*, as_json: AsJson = False) -> None:
    """List departments."""

    async def read(session: AsyncSession) -> list[DepartmentRead]:
        return await service.all_departments(session, command_actor())

    show(with_session(read), ("path", "manager", "description", "id"), as_json=as_json)


@app.command()
def create(
    name: str,
    parent: Annotated[str | None, typer.Option(help="Parent department, as Company/Region")] = None,
    description: Annotated[str, typer.Option(help="Description")] = "",
    *,
    as_json: AsJson = False,
) -> None:
    """Create a department."""

    async def make(session: AsyncSession) -> DepartmentRead:
        actor = command_actor()
        wanted = checked(DepartmentCreate, name=name, description=description)
        if parent is not None:
            wanted.parent_id = await service.find_department(session, actor, parent)
        return await service.create_department(session, actor, wanted)

    show_one(with_session(make), as_json=as_json)


@app.command()
def move(
    department: Department,
    parent: Annotated[str | None, typer.Option(help="New parent; default: the top level")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Move a department with everything in it."""

    async def change(session: AsyncSession) -> DepartmentRead:
        actor = command_actor()
        found = await service.find_department(session, actor, department)
        place = None if parent is None else await service.find_department(session, actor, parent)
        return await service.update_department(session, actor, found, DepartmentUpdate(parent_id=place))

    show_one(with_session(change), as_json=as_json)


@app.command(name="set-manager")
def set_manager(
    department: Department,
    user: Annotated[str | None, typer.Argument(help="Username or ID; default: no manager")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Set the manager, who gets the role manager in the department and below."""

    async def change(session: AsyncSession) -> DepartmentRead:
        actor = command_actor()
        found = await service.find_department(session, actor, department)
        manager = None if user is None else (await find_user(session, actor, user)).id
        return await service.update_department(session, actor, found, DepartmentUpdate(manager_id=manager))

    show_one(with_session(change), as_json=as_json)


@app.command()
def delete(department: Department, *, as_json: AsJson = False) -> None:
    """Delete an empty department."""

    async def change(session: AsyncSession) -> None:
        actor = command_actor()
        found = await service.find_department(session, actor, department)
        await service.delete_department(session, actor, found)

    with_session(change)
    done(f"Deleted department {department}.", as_json=as_json)
