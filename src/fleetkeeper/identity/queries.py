"""The SQL of users, sessions and tokens, and of what somebody may do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.kit.text import is_storable

# A write for each request would cost more than the knowledge is worth.
LAST_USED_GRANULARITY = timedelta(minutes=1)

# What somebody holds: roles of their own, of their groups, and `manager` where they manage a department.
_HELD = """
    held AS (
        SELECT m.role_id, m.department_id FROM memberships m WHERE m.user_id = :user
        UNION
        SELECT m.role_id, m.department_id FROM memberships m JOIN group_members g ON g.group_id = m.group_id
        WHERE g.user_id = :user
        UNION
        SELECT r.id, d.id FROM departments d JOIN roles r ON r.name = 'manager' AND r.is_builtin
        WHERE d.manager_id = :user
    )
"""


async def find_user(session: AsyncSession, username: str) -> User | None:
    """The user of that name, whatever its case."""
    if not is_storable(username):
        return None
    found: User | None = await session.scalar(
        # Both by the database, whose idea of lower case may differ from Python's.
        select(User).where(func.lower(User.username) == func.lower(username))
    )
    return found


async def count_users(session: AsyncSession) -> int:
    """How many users there are."""
    return await session.scalar(select(func.count()).select_from(User)) or 0


async def held_roles(session: AsyncSession, user_id: UUID) -> Sequence[Any]:
    """Each role that a user holds: name, requires_second_factor, permissions, everywhere, departments."""
    rows = await session.execute(
        text(
            f"""
            WITH RECURSIVE {_HELD},
            below AS (
                SELECT role_id, department_id FROM held WHERE department_id IS NOT NULL
                UNION
                SELECT b.role_id, d.id FROM below b JOIN departments d ON d.parent_id = b.department_id
            )
            SELECT r.name, r.requires_second_factor,
                   ARRAY(SELECT p.permission FROM role_permissions p WHERE p.role_id = r.id) AS permissions,
                   EXISTS (SELECT FROM held h WHERE h.role_id = r.id AND h.department_id IS NULL) AS everywhere,
                   ARRAY(SELECT b.department_id FROM below b WHERE b.role_id = r.id) AS departments
            FROM roles r WHERE r.id IN (SELECT role_id FROM held)
            ORDER BY r.name
            """  # noqa: S608 - a constant of this module
        ),
        {"user": user_id},
    )
    return rows.all()


async def departments_below(session: AsyncSession, departments: Sequence[UUID]) -> frozenset[UUID]:
    """These departments and all below them."""
    rows = await session.scalars(
        text(
            """
            WITH RECURSIVE below AS (
                SELECT id FROM departments WHERE id = ANY(CAST(:departments AS uuid[]))
                UNION
                SELECT d.id FROM departments d JOIN below b ON d.parent_id = b.id
            )
            SELECT id FROM below
            """
        ),
        {"departments": list(departments)},
    )
    return frozenset(rows)


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
    session: AsyncSession, secret_hash: bytes, now: datetime, address: str
) -> tuple[ApiToken, User] | None:
    """The valid token of an enabled user, by its secret or the one before a rotation, if the address may use it."""
    row = (
        await session.execute(
            select(ApiToken, User)
            .join(User, User.id == ApiToken.user_id)
            .where(
                or_(
                    ApiToken.secret_hash == secret_hash,
                    (ApiToken.previous_secret_hash == secret_hash) & (ApiToken.previous_expires_at > now),
                ),
                or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now),
                User.enabled,
                text(
                    "(api_tokens.allowed_networks IS NULL OR "
                    "CAST(NULLIF(:address, '') AS inet) <<= ANY (api_tokens.allowed_networks))"
                ),
            ),
            {"address": address},
        )
    ).one_or_none()
    return (row[0], row[1]) if row else None


async def touch_session(session: AsyncSession, key: UUID, now: datetime) -> None:
    """Remember that a session was used."""
    await session.execute(update(BrowserSession).where(BrowserSession.id == key).values(last_used_at=now))


async def touch_token(session: AsyncSession, key: UUID, now: datetime, address: str) -> None:
    """Remember that a token was used, and from where."""
    await session.execute(
        update(ApiToken).where(ApiToken.id == key).values(last_used_at=now, last_used_address=address or None)
    )


async def delete_ended_sessions(session: AsyncSession, now: datetime, idle: timedelta) -> int:
    """Remove sessions that can no longer be used; returns how many."""
    outcome = await session.execute(
        delete(BrowserSession).where(
            or_(BrowserSession.expires_at <= now, BrowserSession.last_used_at <= now - idle)
        )
    )
    return int(getattr(outcome, "rowcount", 0))
