"""The SQL of departments."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, Select, Text, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.base import Base
from fleetkeeper.identity.actor import Scope
from fleetkeeper.identity.models import Department, Membership, User
from fleetkeeper.kit.listing import Field, Listing


def paths_in(scope: Scope) -> CTE:
    """Each department in a scope with its path, as in Company/Region, from the topmost one in the scope on."""
    top = select(Department.id, cast(Department.name, Text).label("path"))
    if scope.everywhere:
        top = top.where(Department.parent_id.is_(None))
    else:
        inside = sorted(scope.departments)
        outer = or_(Department.parent_id.is_(None), Department.parent_id.not_in(inside))
        top = top.where(Department.id.in_(inside), outer)
    paths = top.cte("paths", recursive=True)
    below = select(Department.id, (paths.c.path + "/" + Department.name).label("path")).join(
        paths, Department.parent_id == paths.c.id
    )
    return paths.union_all(below)


def departments_in(scope: Scope) -> tuple[Listing, Select[Any]]:
    """The list of departments in a scope: each with its path and its manager's name."""
    paths = paths_in(scope)
    statement = (
        select(Department, paths.c.path, User.username)
        .join(paths, paths.c.id == Department.id)
        .outerjoin(User, User.id == Department.manager_id)
    )
    listing = Listing(
        fields={
            "id": Field(Department.id.expression, UUID, sortable=False),
            "name": Field(Department.name.expression, str),
            "path": Field(paths.c.path, str),
            "parent_id": Field(Department.parent_id.expression, UUID, sortable=False),
            "manager_id": Field(Department.manager_id.expression, UUID, sortable=False),
            "created_at": Field(Department.created_at.expression, datetime),
            "updated_at": Field(Department.updated_at.expression, datetime),
        },
        search=(Department.name.expression, Department.description.expression),
        key=Department.id.expression,
        default_ordering="path",
    )
    return listing, statement


async def count_children(session: AsyncSession, department_id: UUID) -> int:
    """How many departments lie right below one."""
    statement = select(func.count()).select_from(Department).where(Department.parent_id == department_id)
    return await session.scalar(statement) or 0


async def count_memberships(session: AsyncSession, department_id: UUID) -> int:
    """How many memberships hold in a department itself."""
    statement = select(func.count()).select_from(Membership).where(Membership.department_id == department_id)
    return await session.scalar(statement) or 0


async def count_rows_of(session: AsyncSession, table_name: str, department_id: UUID) -> int:
    """How many rows of another room's table belong to a department, as far as the transaction sees them."""
    table = Base.metadata.tables[table_name]
    statement = select(func.count()).select_from(table).where(table.c.department_id == department_id)
    return await session.scalar(statement) or 0


def departments_below(department_ids: Collection[UUID]) -> Select[UUID, UUID]:
    """Departments with all that lie in them, themselves too: which one, and what lies in it."""
    tops = select(Department.id.label("top"), Department.id).where(Department.id.in_(department_ids))
    tree = tops.cte("below", recursive=True)
    inner = select(tree.c.top, Department.id).join(tree, Department.parent_id == tree.c.id)
    tree = tree.union(inner)
    return select(tree.c.top, tree.c.id)


def departments_above(department_id: UUID) -> Select[tuple[UUID]]:
    """A department and those that it lies in."""
    above = select(Department.id, Department.parent_id).where(Department.id == department_id)
    tree = above.cte("above", recursive=True)
    outer = select(Department.id, Department.parent_id).join(tree, Department.id == tree.c.parent_id)
    tree = tree.union(outer)
    return select(tree.c.id)
