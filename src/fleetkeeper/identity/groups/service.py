"""Making, changing and deleting groups, and who is in them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.authority import check_grantable, check_removable
from fleetkeeper.identity.groups import queries
from fleetkeeper.identity.groups.schemas import GroupCreate, GroupPage, GroupRead, GroupUpdate
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.memberships.queries import roles_of_group
from fleetkeeper.identity.memberships.schemas import MembershipPage
from fleetkeeper.identity.models import Group, User
from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.identity.users import queries as users
from fleetkeeper.identity.users.administrators import administrators_kept
from fleetkeeper.identity.users.schemas import UserPage
from fleetkeeper.identity.users.service import check_visible, sees_contacts, told
from fleetkeeper.kit.etags import check_version


async def list_groups(session: AsyncSession, parameters: Sequence[tuple[str, str]]) -> GroupPage:
    """One page of groups; `parameters` are those of the query string."""
    page = await queries.LISTING.page(session, queries.groups(), parameters)
    results = [_read(row) for row in page.rows]
    return GroupPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_group(session: AsyncSession, group_id: UUID) -> GroupRead:
    """One group. Raises NotFoundError."""
    row = (await session.execute(queries.groups().where(Group.id == group_id))).one_or_none()
    if row is None:
        raise NotFoundError("There is no such group.")
    return _read(row)


async def find_group(session: AsyncSession, wanted: str) -> GroupRead:
    """A group by its name, or its id where several have the name. Raises InvalidInputError."""
    try:
        condition = Group.id == UUID(wanted)
    except ValueError:
        condition = Group.name == wanted
    rows = (await session.execute(queries.groups().where(condition).limit(2))).all()
    if len(rows) != 1:
        problem = "several groups have the name; give the id" if rows else f"there is no group {wanted!r}"
        raise InvalidInputError("The group is unknown.", fields=[FieldError("group", problem)])
    return _read(rows[0])


async def create_group(session: AsyncSession, wanted: GroupCreate) -> GroupRead:
    """Make a group, or name one of a provider so that it can be given roles. Raises ConflictError."""
    if wanted.provider_id is not None and await session.get(IdentityProvider, wanted.provider_id) is None:
        message = "is a provider that exists"
        raise InvalidInputError("The group was not created.", fields=[FieldError("provider_id", message)])
    group = Group(**wanted.model_dump(), source="local" if wanted.provider_id is None else "oidc")
    async with told_by_name(session):
        session.add(group)
    return await _read_anew(session, group)


async def update_group(
    session: AsyncSession,
    actor: Actor,
    group_id: UUID,
    changes: GroupUpdate,
    expected_version: int | None = None,
) -> GroupRead:
    """Change a group's names. A provider's group by another name has other members, so that is as much as its roles.

    Raises NotFoundError, ForbiddenError, ConflictError, PreconditionError.
    """
    group = await _locked(session, group_id)
    check_version("group", group.version, expected_version)
    renamed = changes.name is not None and changes.name != group.name
    if renamed and group.source == "scim":
        raise ConflictError(
            "The identity provider manages the name of this group through SCIM. Change it there."
        )
    if renamed and group.source == "oidc":
        await _check_roles_grantable(session, actor, group_id)
    async with told_by_name(session):
        for name, value in changes.model_dump(exclude_unset=True).items():
            if value is not None:
                setattr(group, name, value)
    return await _read_anew(session, group)


async def delete_group(session: AsyncSession, actor: Actor, group_id: UUID) -> None:
    """Delete a group: its members lose the roles they had by it.

    Raises ForbiddenError for roles that the actor could not take away, ConflictError for the last administrators.
    """
    group = await _locked(session, group_id)
    await _check_roles_removable(session, actor, group_id)
    async with administrators_kept(session):
        await session.delete(group)


async def list_members(
    session: AsyncSession, actor: Actor, group_id: UUID, parameters: Sequence[tuple[str, str]]
) -> UserPage:
    """One page of those in a group whom the actor may see. Raises NotFoundError."""
    await get_group(session, group_id)
    visible = users.visible_to(actor).where(User.id.in_(_ids_of_members(group_id)))
    listing = users.LISTING if sees_contacts(actor) else users.LISTING_OF_DEPARTMENTS
    page = await listing.page(session, visible, parameters)
    results = [told(actor, row[0]) for row in page.rows]
    return UserPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def list_group_memberships(
    session: AsyncSession, actor: Actor, group_id: UUID, parameters: Sequence[tuple[str, str]]
) -> MembershipPage:
    """One page of a group's roles. Raises NotFoundError."""
    await get_group(session, group_id)
    return await memberships.list_memberships(session, actor, parameters, group_id=group_id)


async def add_member(session: AsyncSession, actor: Actor, group_id: UUID, user_id: UUID) -> None:
    """Put a user into a group, which gives them its roles.

    Raises NotFoundError, ForbiddenError for roles that the actor could not give, ConflictError for a provider's group.
    """
    await _check_members_ours(session, group_id)
    await _check_roles_grantable(session, actor, group_id)
    await check_visible(session, actor, user_id)
    await queries.add_member(session, group_id, user_id)


async def remove_member(session: AsyncSession, actor: Actor, group_id: UUID, user_id: UUID) -> None:
    """Take a user out of a group, and its roles from them. Raises as adding does."""
    await _check_members_ours(session, group_id)
    await _check_roles_removable(session, actor, group_id)
    async with administrators_kept(session):
        was_in_it = await queries.remove_member(session, group_id, user_id)
    if not was_in_it:
        raise NotFoundError("There is no such member.")


async def _check_members_ours(session: AsyncSession, group_id: UUID) -> None:
    group = await _locked(session, group_id)
    if group.source != "local":
        raise ConflictError("The identity provider manages the members of this group. Change them there.")


async def _check_roles_grantable(session: AsyncSession, actor: Actor, group_id: UUID) -> None:
    for role in await roles_of_group(session, group_id):
        check_grantable(actor, role.name, role.permissions, role.department_id)


async def _check_roles_removable(session: AsyncSession, actor: Actor, group_id: UUID) -> None:
    for role in await roles_of_group(session, group_id):
        check_removable(actor, role.name, role.permissions, role.department_id)


async def _locked(session: AsyncSession, group_id: UUID) -> Group:
    group = await session.get(Group, group_id, with_for_update=True, populate_existing=True)
    if group is None:
        raise NotFoundError("There is no such group.")
    return group


async def _read_anew(session: AsyncSession, group: Group) -> GroupRead:
    await session.refresh(group)
    return await get_group(session, group.id)


def _ids_of_members(group_id: UUID) -> Any:
    return queries.members_of(group_id).with_only_columns(User.id)


def _read(row: Any) -> GroupRead:
    group, members = row[0], row[1]
    return GroupRead(
        id=group.id,
        name=group.name,
        description=group.description,
        source=group.source,
        provider_id=group.provider_id,
        members=members,
        version=group.version,
        created_at=group.created_at,
        updated_at=group.updated_at,
    )
