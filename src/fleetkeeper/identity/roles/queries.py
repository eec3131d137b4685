"""The SQL of roles."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import Membership, Role, RolePermission
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(Role.id.expression, UUID, sortable=False),
        "name": Field(Role.name.expression, str),
        "is_builtin": Field(Role.is_builtin.expression, bool, sortable=False),
        "requires_second_factor": Field(Role.requires_second_factor.expression, bool, sortable=False),
        "created_at": Field(Role.created_at.expression, datetime),
    },
    search=(Role.name.expression, Role.description.expression),
    key=Role.id.expression,
    default_ordering="name",
)


def roles() -> Select[Any]:
    """Roles, each with its permissions and how often it has been given."""
    permissions = (
        select(RolePermission.permission)
        .where(RolePermission.role_id == Role.id)
        .order_by(RolePermission.permission)
        .correlate(Role)
        .scalar_subquery()
    )
    given = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.role_id == Role.id)
        .correlate(Role)
        .scalar_subquery()
    )
    return select(Role, func.array(permissions), given)


async def replace_permissions(session: AsyncSession, role_id: UUID, wanted: Iterable[str]) -> None:
    """Let a role have these permissions and no others; rows that stay are not touched."""
    names = sorted(set(wanted))
    await session.execute(
        delete(RolePermission).where(
            RolePermission.role_id == role_id, RolePermission.permission.not_in(names)
        )
    )
    known = set(
        await session.scalars(select(RolePermission.permission).where(RolePermission.role_id == role_id))
    )
    rows = [{"id": uuid7(), "role_id": role_id, "permission": name} for name in names if name not in known]
    if rows:
        await session.execute(insert(RolePermission), rows)
