"""Making, changing, moving and deleting departments."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_grantable, check_move
from fleetkeeper.identity.departments import queries
from fleetkeeper.identity.departments.schemas import (
    DepartmentCreate,
    DepartmentPage,
    DepartmentRead,
    DepartmentUpdate,
)
from fleetkeeper.identity.models import Department, User
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Permission, Role
from fleetkeeper.kit.etags import check_version


async def list_departments(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> DepartmentPage:
    """One page of the departments that the actor may see."""
    listing, statement = queries.departments_in(actor.scope(Permission.DEPARTMENTS_READ))
    page = await listing.page(session, statement, parameters)
    results = [_read(row) for row in page.rows]
    return DepartmentPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def all_departments(
    session: AsyncSession, actor: Actor, permission: Permission = Permission.DEPARTMENTS_READ
) -> list[DepartmentRead]:
    """All departments in which the actor has a permission, in the order of their paths, for choices and trees."""
    _, statement = queries.departments_in(actor.scope(permission))
    rows = [_read(row) for row in await session.execute(statement)]
    return sorted(rows, key=lambda one: [part.casefold() for part in one.path.split("/")])


async def get_department(session: AsyncSession, actor: Actor, department_id: UUID) -> DepartmentRead:
    """One department. Raises NotFoundError for one that the actor may not see."""
    _, statement = queries.departments_in(actor.scope(Permission.DEPARTMENTS_READ))
    row = (await session.execute(statement.where(Department.id == department_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such department.")
    return _read(row)


async def find_department(session: AsyncSession, actor: Actor, wanted: str) -> UUID:
    """A department by its path, as in Company/Region, or its id. Raises InvalidInputError."""
    listing, statement = queries.departments_in(actor.scope(Permission.DEPARTMENTS_READ))
    try:
        condition = Department.id == UUID(wanted)
    except ValueError:
        condition = listing.fields["path"].expression == wanted
    row = (await session.execute(statement.where(condition))).first()
    if row is None:
        message = f"there is no department {wanted!r}; give its path, as in Company/Region"
        raise InvalidInputError("The department is unknown.", fields=[FieldError("department", message)])
    found: UUID = row[0].id
    return found


async def create_department(session: AsyncSession, actor: Actor, wanted: DepartmentCreate) -> DepartmentRead:
    """Make a department below another, or a root. Raises ForbiddenError, ConflictError, InvalidInputError."""
    _check_may_write(actor, wanted.parent_id)
    department = Department(**wanted.model_dump())
    async with told_by_name(session):
        session.add(department)
    # The actor's own departments were read before this one was there.
    return await _read_anew(session, actor, department)


async def update_department(
    session: AsyncSession,
    actor: Actor,
    department_id: UUID,
    changes: DepartmentUpdate,
    expected_version: int | None = None,
) -> DepartmentRead:
    """Change a department.

    Moving it needs the permission in both places, and gives nobody rights that they lack on what they move. A manager
    is named only by who could give the role. Raises NotFoundError, ForbiddenError, ConflictError, InvalidInputError,
    PreconditionError.
    """
    department = await _get_for_change(session, actor, department_id)
    check_version("department", department.version, expected_version)
    wanted = changes.model_dump(exclude_unset=True)
    if "parent_id" in wanted and wanted["parent_id"] != department.parent_id:
        # Two moves at once could make a ring of which neither sees the other half.
        await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.departments'))"))
        _check_may_write(actor, department.parent_id)
        _check_may_write(actor, wanted["parent_id"])
        # Roles of a department hold in all below.
        check_move(actor, department_id, wanted["parent_id"])
    if "manager_id" in wanted and wanted["manager_id"] != department.manager_id:
        check_grantable(actor, Role.MANAGER, ROLE_PERMISSIONS[Role.MANAGER], department_id)
        await _check_manager(session, wanted["manager_id"])
    async with told_by_name(session):
        for name, value in wanted.items():
            if value is not None or name in {"parent_id", "manager_id"}:
                setattr(department, name, value)
    return await _read_anew(session, actor, department)


async def delete_department(session: AsyncSession, actor: Actor, department_id: UUID) -> None:
    """Delete a department that nothing belongs to. Raises ConflictError that says what still does."""
    department = await _get_for_change(session, actor, department_id)
    _check_may_write(actor, department.parent_id)
    children = await queries.count_children(session, department_id)
    memberships = await queries.count_memberships(session, department_id)
    left = [_counted(children, "department"), _counted(memberships, "membership")]
    try:
        if not any(left):
            async with session.begin_nested():
                await session.delete(department)
                await session.flush()
    except IntegrityError as error:
        table: str | None = getattr(getattr(error.orig, "diag", None), "table_name", None)
        if table is None:
            raise
        number = await queries.count_rows_of(session, table, department_id)
        left.append(
            _counted(number, table.removesuffix("s").replace("_", " "))
            or f"some {table} that you may not see"
        )
    if any(left):
        told = " and ".join(filter(None, left))
        raise ConflictError(f"The department still has {told}. Move or remove them first.")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}" if number else ""


async def _get_for_change(session: AsyncSession, actor: Actor, department_id: UUID) -> Department:
    department = None
    if actor.may_in(Permission.DEPARTMENTS_READ, department_id):
        department = await session.get(
            Department, department_id, with_for_update=True, populate_existing=True
        )
    if department is None:
        raise NotFoundError("There is no such department.")
    if not actor.may_in(Permission.DEPARTMENTS_WRITE, department_id):
        raise ForbiddenError(f"This needs the permission {Permission.DEPARTMENTS_WRITE} in this department.")
    return department


def _check_may_write(actor: Actor, parent_id: UUID | None) -> None:
    if not actor.may_in(Permission.DEPARTMENTS_WRITE, parent_id):
        where = "everywhere, as it concerns a root" if parent_id is None else "in the department above"
        raise ForbiddenError(f"This needs the permission {Permission.DEPARTMENTS_WRITE} {where}.")


async def _check_manager(session: AsyncSession, manager_id: UUID | None) -> None:
    if manager_id is None:
        return
    if not await session.scalar(select(User.id).where(User.id == manager_id, User.enabled)):
        message = "is an enabled user"
        raise InvalidInputError("The department was not changed.", fields=[FieldError("manager_id", message)])


async def _read_anew(session: AsyncSession, actor: Actor, department: Department) -> DepartmentRead:
    await session.refresh(department)
    scope = actor.scope(Permission.DEPARTMENTS_READ)
    seen = scope if scope.everywhere else type(scope)(departments=scope.departments | {department.id})
    _, statement = queries.departments_in(seen)
    return _read((await session.execute(statement.where(Department.id == department.id))).one())


def _read(row: Any) -> DepartmentRead:
    department, path, manager = row[0], row[1], row[2]
    return DepartmentRead(
        id=department.id,
        name=department.name,
        path=path,
        parent_id=department.parent_id,
        description=department.description,
        manager_id=department.manager_id,
        manager=manager,
        version=department.version,
        created_at=department.created_at,
        updated_at=department.updated_at,
    )
