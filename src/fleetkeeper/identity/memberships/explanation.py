"""What a user can see and do, and why."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import EVERYWHERE, Actor
from fleetkeeper.identity.departments.queries import paths_in
from fleetkeeper.identity.memberships import queries
from fleetkeeper.identity.memberships.schemas import (
    AccessSource,
    DepartmentRef,
    PermissionAccess,
    UserAccess,
)
from fleetkeeper.identity.models import User
from fleetkeeper.identity.permissions import SCOPED, Permission


async def explain_access(session: AsyncSession, actor: Actor, user: User) -> UserAccess:
    """Each permission of a user, whom the caller has checked to be visible, with where it holds and by what.

    What somebody has in departments whose people the actor may not see is left out.
    """
    scope = EVERYWHERE if user.id == actor.user_id else actor.scope(Permission.USERS_READ)
    paths: dict[UUID, str] = dict(iter(await session.execute(select(paths_in(scope)))))
    rows = [
        row
        for row in await queries.sources_of(session, user.id)
        if row.department_id is None or row.department_id in scope
    ]
    return UserAccess(
        user_id=user.id,
        username=user.username,
        enabled=user.enabled,
        needs_second_factor=any(row.requires_second_factor for row in rows),
        sources=[_source(row, paths) for row in rows],
        permissions=[found for found in (_access(one, rows, paths) for one in Permission) if found.because],
    )


def _access(permission: Permission, rows: Sequence[Any], paths: Mapping[UUID, str]) -> PermissionAccess:
    giving = [
        row
        for row in rows
        if permission in row.permissions and (row.department_id is None or permission in SCOPED)
    ]
    everywhere = any(row.department_id is None for row in giving)
    places = {row.department_id for row in giving if row.department_id is not None}
    named = sorted((paths.get(place, str(place)), place) for place in places)
    tops = [(path, place) for path, place in named if not _is_below_another(path, [one for one, _ in named])]
    return PermissionAccess(
        permission=permission,
        everywhere=everywhere,
        departments=[] if everywhere else [DepartmentRef(id=place, path=path) for path, place in tops],
        because=[_source(row, paths) for row in giving],
    )


def _is_below_another(path: str, others: Sequence[str]) -> bool:
    return any(path.startswith(f"{other}/") for other in others)


def _source(row: Any, paths: Mapping[UUID, str]) -> AccessSource:
    return AccessSource(
        role=row.role,
        via=row.via,
        group_id=row.group_id,
        group=row.group_name,
        department_id=row.department_id,
        department=None if row.department_id is None else paths.get(row.department_id),
        membership_id=row.membership_id,
    )
