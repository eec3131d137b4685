"""The SQL of SCIM."""

import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, false, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import Group, GroupMember, User
from fleetkeeper.kit.text import is_storable

BATCH = 500
# What providers ask all day: is there one of this name? Anything else is matched one by one.
_SIMPLE_FILTER = re.compile(r'\s*(\w+)\s+eq\s+("(?:[^"\\]|\\.)*")\s*', re.IGNORECASE)


def simple_condition(model: type[User | Group], text: str) -> ColumnElement[bool] | None:
    """The condition of a filter such as `userName eq "maria"`; None for one that is not as simple."""
    match = _SIMPLE_FILTER.fullmatch(text)
    if match is None:
        return None
    try:
        value = json.loads(match[2])
    except ValueError:
        return None
    if not is_storable(value):
        # The database holds no such text, and refuses to be asked for one.
        return false()
    name, condition = match[1].lower(), None
    if name == "externalid":
        condition = model.external_id == value
    elif model is User and name == "username":
        condition = func.lower(User.username) == value.lower()
    elif model is Group and name == "displayname":
        condition = func.lower(Group.name) == value.lower()
    return condition


async def page(
    session: AsyncSession,
    model: type[User | Group],
    condition: ColumnElement[bool] | None,
    offset: int,
    limit: int,
) -> tuple[int, Sequence[Any]]:
    """How many there are, and some of them."""
    conditions: list[ColumnElement[bool]] = [Group.source == "scim"] if model is Group else []
    if condition is not None:
        conditions.append(condition)
    total = await session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0
    # A client may name any number as its start; the database takes no more than 64 bits.
    statement = select(model).where(*conditions).order_by(model.id).offset(min(offset, total)).limit(limit)
    return total, (await session.scalars(statement)).all()


async def stored(
    session: AsyncSession, model: type[User | Group], condition: ColumnElement[bool] | None
) -> AsyncIterator[Sequence[Any]]:
    """Users, or groups that came by SCIM, in the order of their ids, a batch at a time."""
    last: UUID | None = None
    while True:
        statement: Select[Any] = select(model).order_by(model.id).limit(BATCH)
        if model is Group:
            statement = statement.where(Group.source == "scim")
        if condition is not None:
            statement = statement.where(condition)
        if last is not None:
            statement = statement.where(model.id > last)
        rows: Sequence[Any] = (await session.scalars(statement)).all()
        if rows:
            yield rows
        if len(rows) < BATCH:
            return
        last = rows[-1].id


async def groups_of(session: AsyncSession, users: Iterable[UUID]) -> dict[UUID, list[Group]]:
    """The groups of each user that came by SCIM."""
    rows = await session.execute(
        select(GroupMember.user_id, Group)
        .join(Group, Group.id == GroupMember.group_id)
        .where(GroupMember.user_id.in_(list(users)), Group.source == "scim")
        .order_by(Group.name)
    )
    found: dict[UUID, list[Group]] = defaultdict(list)
    for user_id, group in rows:
        found[user_id].append(group)
    return found


async def members_of(session: AsyncSession, groups: Iterable[UUID]) -> dict[UUID, list[User]]:
    """The members of each group."""
    rows = await session.execute(
        select(GroupMember.group_id, User)
        .join(User, User.id == GroupMember.user_id)
        .where(GroupMember.group_id.in_(list(groups)))
        .order_by(User.username)
    )
    found: dict[UUID, list[User]] = defaultdict(list)
    for group_id, user in rows:
        found[group_id].append(user)
    return found


async def member_ids(session: AsyncSession, group_id: UUID) -> frozenset[UUID]:
    """Who is in a group."""
    return frozenset(
        await session.scalars(select(GroupMember.user_id).where(GroupMember.group_id == group_id))
    )


async def set_members(session: AsyncSession, group_id: UUID, users: frozenset[UUID]) -> bool:
    """Make these the members of a group; says whether all of them exist (nothing is changed otherwise)."""
    known = frozenset(await session.scalars(select(User.id).where(User.id.in_(list(users)))))
    if known != users:
        return False
    await session.execute(
        delete(GroupMember).where(GroupMember.group_id == group_id, GroupMember.user_id.not_in(list(users)))
    )
    if users:
        await session.execute(
            insert(GroupMember)
            .values([{"group_id": group_id, "user_id": user} for user in sorted(users)])
            .on_conflict_do_nothing()
        )
    return True
