"""There is always somebody who may do everything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError

_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.administrators'))")
_HAS_THE_ROLE = """EXISTS (
        SELECT FROM memberships m JOIN roles r ON r.id = m.role_id AND r.name = 'admin' AND r.is_builtin
        LEFT JOIN group_members g ON g.group_id = m.group_id
        WHERE m.department_id IS NULL AND u.id IN (m.user_id, g.user_id)
    )"""
_COUNT = text(f"SELECT count(*) FROM users u WHERE u.enabled AND {_HAS_THE_ROLE}")  # noqa: S608 - a constant
_IS_ONE = text(f"SELECT EXISTS (SELECT FROM users u WHERE u.id = :user AND {_HAS_THE_ROLE})")  # noqa: S608 - the same


async def is_administrator(session: AsyncSession, user_id: UUID) -> bool:
    """Whether a user has the role admin everywhere, enabled or not."""
    return bool(await session.scalar(_IS_ONE, {"user": user_id}))


async def count_administrators(session: AsyncSession) -> int:
    """How many enabled users have the role admin everywhere, of their own or by a group."""
    return int(await session.scalar(_COUNT) or 0)


@asynccontextmanager
async def administrators_kept(session: AsyncSession) -> AsyncIterator[None]:
    """Raise ConflictError when what happens in the block leaves no administrator.

    Of two transactions that each take one away, the second waits for the first, and then sees what it did.
    """
    await session.execute(_LOCK)
    before = await count_administrators(session)
    yield
    await session.flush()
    if before and not await count_administrators(session):
        raise ConflictError("Nobody would have the role admin everywhere. Assign it to somebody else first.")
