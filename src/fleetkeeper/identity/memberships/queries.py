"""The SQL of memberships."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Scope
from fleetkeeper.identity.departments.queries import paths_in
from fleetkeeper.identity.models import Department, Group, Membership, Role, RolePermission, User
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(Membership.id.expression, UUID, sortable=False),
        "role": Field(Role.name.expression, str),
        "department_id": Field(Membership.department_id.expression, UUID, sortable=False),
        "assigned_at": Field(Membership.assigned_at.expression, datetime),
    },
    search=(Role.name.expression, Department.name.expression),
    key=Membership.id.expression,
    default_ordering="assigned_at",
)


def memberships_in(scope: Scope) -> Select[Any]:
    """Memberships that hold in a scope, those for everywhere included, each with names and the department's path."""
    paths = paths_in(scope)
    statement = (
        select(
            Membership,
            Role.name,
            paths.c.path,
            func.coalesce(User.username, Group.name),
        )
        .join(Role, Role.id == Membership.role_id)
        .outerjoin(Department, Department.id == Membership.department_id)
        .outerjoin(paths, paths.c.id == Membership.department_id)
        .outerjoin(User, User.id == Membership.user_id)
        .outerjoin(Group, Group.id == Membership.group_id)
    )
    if scope.everywhere:
        return statement
    inside = Membership.department_id.in_(sorted(scope.departments))
    return statement.where(or_(Membership.department_id.is_(None), inside))


async def permissions_of_role(session: AsyncSession, role_id: UUID) -> list[str]:
    """A role's permissions, also those that this version does not know."""
    return list(
        await session.scalars(select(RolePermission.permission).where(RolePermission.role_id == role_id))
    )


async def roles_of_group(session: AsyncSession, group_id: UUID) -> Sequence[Any]:
    """What membership in a group gives: name, department_id, permissions."""
    rows = await session.execute(
        text(
            """
            SELECT r.name, m.department_id,
                   ARRAY(SELECT p.permission FROM role_permissions p WHERE p.role_id = r.id) AS permissions
            FROM memberships m JOIN roles r ON r.id = m.role_id WHERE m.group_id = :group
            """
        ),
        {"group": group_id},
    )
    return rows.all()


async def sources_of(session: AsyncSession, user_id: UUID) -> Sequence[Any]:
    """All that gives a user permissions: membership_id, role, requires_second_factor, via, group, department, …."""
    rows = await session.execute(
        text(
            """
            WITH sources AS (
                SELECT m.id AS membership_id, m.role_id, m.department_id, 'direct' AS via, NULL::uuid AS group_id
                FROM memberships m WHERE m.user_id = :user
                UNION ALL
                SELECT m.id, m.role_id, m.department_id, 'group', m.group_id
                FROM memberships m JOIN group_members g ON g.group_id = m.group_id WHERE g.user_id = :user
                UNION ALL
                SELECT NULL, r.id, d.id, 'manager', NULL
                FROM departments d JOIN roles r ON r.name = 'manager' AND r.is_builtin WHERE d.manager_id = :user
            )
            SELECT s.membership_id, s.department_id, s.via, s.group_id, g.name AS group_name, r.name AS role,
                   r.requires_second_factor,
                   ARRAY(SELECT p.permission FROM role_permissions p WHERE p.role_id = r.id) AS permissions
            FROM sources s JOIN roles r ON r.id = s.role_id LEFT JOIN groups g ON g.id = s.group_id
            ORDER BY s.department_id NULLS FIRST, r.name, s.via
            """
        ),
        {"user": user_id},
    )
    return rows.all()
