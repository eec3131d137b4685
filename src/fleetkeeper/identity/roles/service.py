"""Making, changing and deleting roles."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_permissions
from fleetkeeper.identity.models import Role
from fleetkeeper.identity.permissions import SCOPED, Permission
from fleetkeeper.identity.roles import queries
from fleetkeeper.identity.roles.schemas import (
    MatrixPermission,
    RoleCreate,
    RoleMatrix,
    RolePage,
    RoleRead,
    RoleUpdate,
)
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.etags import check_version


async def list_roles(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> RolePage:
    """One page of roles; `parameters` are those of the query string."""
    page = await queries.LISTING.page(session, queries.roles(), parameters)
    results = [_read(row) for row in page.rows]
    return RolePage(count=page.count, next=page.next, previous=page.previous, results=results)


async def read_matrix(session: AsyncSession) -> RoleMatrix:
    """Every permission, and every role with what it allows, the built-in ones first."""
    rows = await session.execute(queries.roles().order_by(Role.is_builtin.desc(), Role.name))
    permissions = [MatrixPermission(name=one, is_scoped=one in SCOPED) for one in Permission]
    return RoleMatrix(permissions=permissions, roles=[_read(row) for row in rows])


async def get_role(session: AsyncSession, role_id: UUID) -> RoleRead:
    """One role. Raises NotFoundError."""
    row = (await session.execute(queries.roles().where(Role.id == role_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such role.")
    return _read(row)


async def find_role(session: AsyncSession, wanted: str) -> RoleRead:
    """A role by its name. Raises InvalidInputError."""
    row = (await session.execute(queries.roles().where(Role.name == wanted))).one_or_none()
    if row is None:
        raise InvalidInputError(
            "The role is unknown.", fields=[FieldError("role", f"there is no role {wanted!r}")]
        )
    return _read(row)


async def create_role(session: AsyncSession, actor: Actor, wanted: RoleCreate) -> RoleRead:
    """Make a role of permissions that the actor has everywhere. Raises ForbiddenError, ConflictError."""
    check_permissions(actor, wanted.permissions)
    role = Role(
        name=wanted.name,
        description=wanted.description,
        requires_second_factor=wanted.requires_second_factor,
    )
    async with told_by_name(session):
        session.add(role)
    await queries.replace_permissions(session, role.id, wanted.permissions)
    return await _read_anew(session, role)


async def update_role(
    session: AsyncSession,
    actor: Actor,
    role_id: UUID,
    changes: RoleUpdate,
    expected_version: int | None = None,
) -> RoleRead:
    """Change a role.

    Raises ForbiddenError for one that has, or would get, permissions that the actor lacks, and ConflictError for what
    is fixed of a built-in one. Raises NotFoundError, PreconditionError.
    """
    role = await _locked(session, role_id)
    check_version("role", role.version, expected_version)
    present = await get_role(session, role_id)
    check_permissions(actor, present.permissions)
    wanted = {
        name: value for name, value in changes.model_dump(exclude_unset=True).items() if value is not None
    }
    permissions: list[str] = wanted.pop("permissions", present.permissions)
    changed = {name for name, value in wanted.items() if value != getattr(present, name)}
    if set(permissions) != set(present.permissions):
        changed.add("permissions")
    if role.is_builtin and changed - {"requires_second_factor"}:
        raise ConflictError(
            "For a built-in role, you can only require a second factor. Create your own role instead."
        )
    check_permissions(actor, permissions)
    async with told_by_name(session):
        for name in changed - {"permissions"}:
            setattr(role, name, wanted[name])
    if "permissions" in changed:
        await queries.replace_permissions(session, role_id, permissions)
        role.updated_at = utc_now()
        await session.flush()
    return await _read_anew(session, role)


async def delete_role(session: AsyncSession, actor: Actor, role_id: UUID) -> None:
    """Delete a role that nobody has. Raises ConflictError, saying how many do; ForbiddenError as for a change."""
    role = await _locked(session, role_id)
    present = await get_role(session, role_id)
    if role.is_builtin:
        raise ConflictError("A built-in role cannot be deleted.")
    check_permissions(actor, present.permissions)
    if present.memberships:
        times = "once" if present.memberships == 1 else f"{present.memberships} times"
        raise ConflictError(f"The role is assigned {times}. Remove these assignments first.")
    async with told_by_name(session):
        await session.delete(role)


async def _locked(session: AsyncSession, role_id: UUID) -> Role:
    role = await session.get(Role, role_id, with_for_update=True, populate_existing=True)
    if role is None:
        raise NotFoundError("There is no such role.")
    return role


async def _read_anew(session: AsyncSession, role: Role) -> RoleRead:
    await session.refresh(role)
    return await get_role(session, role.id)


def _read(row: Any) -> RoleRead:
    role, permissions, given = row[0], row[1], row[2]
    return RoleRead(
        id=role.id,
        name=role.name,
        description=role.description,
        is_builtin=role.is_builtin,
        requires_second_factor=role.requires_second_factor,
        permissions=permissions,
        memberships=given,
        version=role.version,
        created_at=role.created_at,
        updated_at=role.updated_at,
    )
