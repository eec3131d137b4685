"""The SQL of users, sessions and tokens."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.kit.text import is_storable

# A write for each request would cost more than the knowledge is worth.
LAST_USED_GRANULARITY = timedelta(minutes=1)


async def find_user(session: AsyncSession, username: str) -> User | None:
    """The user of that name, whatever its case."""
    if not is_storable(username):
        return None
    found: User | None = await session.scalar(
        select(User).where(func.lower(User.username) == username.lower())
    )
    return found


async def count_users(session: AsyncSession) -> int:
    """How many users there are."""
    return await session.scalar(select(func.count()).select_from(User)) or 0


async def find_session(
    session: AsyncSession, secret_hash: bytes, now: datetime, idle: timedelta
) -> tuple[BrowserSession, User] | None:
    """The live session of an enabled user, and the user."""
    row = (
        await session.execute(
            select(BrowserSession, User)
            .join(User, User.id == BrowserSession.user_id)
            .where(
                BrowserSession.secret_hash == secret_hash,
                BrowserSession.expires_at > now,
                BrowserSession.last_used_at > now - idle,
                User.enabled,
            )
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def find_token(
    session: AsyncSession, secret_hash: bytes, now: datetime
) -> tuple[ApiToken, User] | None:
    """The valid token of an enabled user, and the user."""
    row = (
        await session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                ApiToken.secret_hash == secret_hash,
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
                User.enabled,
            )
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def touch(
    session: AsyncSession, model: type[BrowserSession | ApiToken], key: UUID, now: datetime
) -> None:
    """Remember that a session or token was used."""
    await session.execute(update(model).where(model.id == key).values(last_used_at=now))


async def delete_ended_sessions(session: AsyncSession, now: datetime, idle: timedelta) -> int:
    """Remove sessions that can no longer be used; returns how many."""
    outcome = await session.execute(
        delete(BrowserSession).where(
            or_(BrowserSession.expires_at <= now, BrowserSession.last_used_at <= now - idle)
        )
    )
    return int(getattr(outcome, "rowcount", 0))
