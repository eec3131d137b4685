"""Giving and taking away roles."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity import queries as identity_queries
from fleetkeeper.identity.actor import EVERYWHERE, Actor, Scope
from fleetkeeper.identity.authority import check_grantable, check_removable
from fleetkeeper.identity.memberships import queries
from fleetkeeper.identity.memberships.schemas import MembershipPage, MembershipRead
from fleetkeeper.identity.models import Department, Membership, Role
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.administrators import administrators_kept


async def list_memberships(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
) -> MembershipPage:
    """The memberships of a user or a group, whom the caller has checked to be visible.

    Of those in departments, only the ones in departments whose people the actor may see; all of oneself.
    """
    scope = actor.scope(Permission.USERS_READ)
    if group_id is not None or user_id == actor.user_id:
        scope = EVERYWHERE
    statement = queries.memberships_in(scope).where(
        Membership.user_id == user_id if group_id is None else Membership.group_id == group_id
    )
    return _page(await queries.LISTING.page(session, statement, parameters))


async def list_members(
    session: AsyncSession, actor: Actor, department_id: UUID, parameters: Sequence[tuple[str, str]]
) -> MembershipPage:
    """Who has which role in a department itself. Raises NotFoundError where the actor may not see people."""
    scope = actor.scope(Permission.USERS_READ)
    if department_id not in scope or await session.get(Department, department_id) is None:
        raise NotFoundError("There is no such department.")
    statement = queries.memberships_in(scope).where(Membership.department_id == department_id)
    return _page(await queries.LISTING.page(session, statement, parameters))


async def add_member(
    session: AsyncSession, actor: Actor, department_id: UUID, username: str, role: str
) -> MembershipRead:
    """Give a role in a department to a user by their exact name, whom the actor need not be able to look up."""
    check_grantable(actor, role, (), department_id)
    user = await identity_queries.find_user(session, username)
    if user is None:
        raise InvalidInputError(
            "Nobody was added.", fields=[FieldError("username", "is the exact name of a user")]
        )
    return await add_membership(session, actor, role, department_id, user_id=user.id)


async def add_membership(
    session: AsyncSession,
    actor: Actor,
    role: str,
    department_id: UUID | None,
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
) -> MembershipRead:
    """Give a role to a user or a group. Raises ForbiddenError for more than the actor has there, ConflictError."""
    # Before anything is looked up, so that nothing can be learned of departments elsewhere.
    check_grantable(actor, role, (), department_id)
    found = await session.scalar(select(Role).where(Role.name == role))
    if found is None:
        raise InvalidInputError("No role was assigned.", fields=[FieldError("role", "is the name of a role")])
    check_grantable(actor, role, await queries.permissions_of_role(session, found.id), department_id)
    membership = Membership(
        user_id=user_id,
        group_id=group_id,
        role_id=found.id,
        department_id=department_id,
        assigned_by=actor.user_id,
    )
    async with told_by_name(session):
        session.add(membership)
    row = (
        await session.execute(queries.memberships_in(EVERYWHERE).where(Membership.id == membership.id))
    ).one()
    return _read(row)


async def remove_membership(
    session: AsyncSession,
    actor: Actor,
    membership_id: UUID,
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
    department_id: UUID | None = None,
) -> None:
    """Take a role away. Raises NotFoundError, ForbiddenError for one that the actor could not give, ConflictError."""
    conditions = [Membership.id == membership_id]
    if user_id is not None:
        conditions.append(Membership.user_id == user_id)
    if group_id is not None:
        conditions.append(Membership.group_id == group_id)
    if department_id is not None:
        conditions.append(Membership.department_id == department_id)
    visible = _visible_scope(actor)
    row = (await session.execute(queries.memberships_in(visible).where(*conditions))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such membership.")
    membership: Membership = row[0]
    permissions = await queries.permissions_of_role(session, membership.role_id)
    check_removable(actor, row[1], permissions, membership.department_id)
    async with administrators_kept(session):
        await session.execute(delete(Membership).where(Membership.id == membership_id))


async def remove_role(
    session: AsyncSession,
    actor: Actor,
    role: str,
    department_id: UUID | None,
    *,
    user_id: UUID | None = None,
    group_id: UUID | None = None,
) -> None:
    """Take a role away by its name and where it holds. Raises as `remove_membership` does."""
    found = await session.scalar(
        select(Membership.id)
        .join(Role, Role.id == Membership.role_id)
        .where(
            Role.name == role,
            Membership.department_id.is_not_distinct_from(department_id),
            Membership.user_id.is_not_distinct_from(user_id),
            Membership.group_id.is_not_distinct_from(group_id),
        )
    )
    if found is None:
        raise NotFoundError(f"They do not have the role {role} there.")
    await remove_membership(session, actor, found)


def _visible_scope(actor: Actor) -> Scope:
    return actor.scope(Permission.USERS_READ) | actor.scope(Permission.MEMBERSHIPS_WRITE)


def _page(page: Any) -> MembershipPage:
    results = [_read(row) for row in page.rows]
    return MembershipPage(count=page.count, next=page.next, previous=page.previous, results=results)


def _read(row: Any) -> MembershipRead:
    membership, role, path, holder = row[0], row[1], row[2], row[3]
    return MembershipRead(
        id=membership.id,
        user_id=membership.user_id,
        group_id=membership.group_id,
        holder=holder,
        role_id=membership.role_id,
        role=role,
        department_id=membership.department_id,
        department=path,
        assigned_at=membership.assigned_at,
        assigned_by=membership.assigned_by,
    )
