"""The SQL of groups."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import Group, GroupMember, User
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(Group.id.expression, UUID, sortable=False),
        "name": Field(Group.name.expression, str),
        "source": Field(Group.source.expression, str),
        "provider_id": Field(Group.provider_id.expression, UUID, sortable=False),
        "created_at": Field(Group.created_at.expression, datetime),
    },
    search=(Group.name.expression, Group.description.expression),
    key=Group.id.expression,
    default_ordering="name",
)


def groups() -> Select[Any]:
    """Groups, each with how many are in it."""
    members = (
        select(func.count())
        .select_from(GroupMember)
        .where(GroupMember.group_id == Group.id)
        .correlate(Group)
        .scalar_subquery()
    )
    return select(Group, members)


def members_of(group_id: UUID) -> Select[Any]:
    """The users in a group."""
    return (
        select(User).join(GroupMember, GroupMember.user_id == User.id).where(GroupMember.group_id == group_id)
    )


async def groups_of(session: AsyncSession, user_id: UUID) -> Sequence[Group]:
    """The groups that a user is in."""
    statement = (
        select(Group)
        .join(GroupMember, GroupMember.group_id == Group.id)
        .where(GroupMember.user_id == user_id)
        .order_by(Group.name)
    )
    return (await session.scalars(statement)).all()


async def add_member(session: AsyncSession, group_id: UUID, user_id: UUID) -> None:
    """Put a user into a group, if they are not in it."""
    await session.execute(
        insert(GroupMember).values(group_id=group_id, user_id=user_id).on_conflict_do_nothing()
    )


async def remove_member(session: AsyncSession, group_id: UUID, user_id: UUID) -> bool:
    """Take a user out of a group; says whether they were in it."""
    outcome = await session.execute(
        delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.user_id == user_id)
    )
    return bool(getattr(outcome, "rowcount", 0))
