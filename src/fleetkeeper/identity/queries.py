"""The SQL of users, sessions and tokens, and of what somebody may do."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.kit.text import is_storable

# A write for each request would cost more than the knowledge is worth.
LAST_USED_GRANULARITY = timedelta(minutes=1)


class HeldRole(msgspec.Struct, frozen=True):
    """A role that a user holds: everywhere, or in departments (those below them included)."""

    id: UUID
    name: str
    requires_second_factor: bool
    permissions: tuple[str, ...]
    everywhere: bool
    departments: frozenset[UUID]


class Caller(msgspec.Struct, frozen=True):
    """A user, by the live session or the valid token `id`, and what the user holds."""

    id: UUID
    last_used_at: datetime | None
    user_id: UUID
    username: str
    time_zone: str | None
    theme: str
    roles: list[HeldRole]


class TokenCaller(Caller, frozen=True):
    """What limits the token; None does not. `reach` is its departments and those below them."""

    permissions: list[str] | None
    departments: list[UUID] | None
    reach: frozenset[UUID]
    allowed_networks: list[str] | None
    expires_at: datetime | None


class SessionCaller(Caller, frozen=True):
    """`provider_id` is of a session through an identity provider."""

    csrf_token: str
    has_second_factor: bool
    provider_id: UUID | None


# What a user holds: roles of their own, of their groups, and `manager` where they manage a department.
def _held_by(user: str) -> str:
    return f"""
    held AS (
        SELECT m.role_id, m.department_id FROM memberships m WHERE m.user_id = {user}
        UNION
        SELECT m.role_id, m.department_id FROM memberships m JOIN group_members g ON g.group_id = m.group_id
        WHERE g.user_id = {user}
        UNION
        SELECT r.id, d.id FROM departments d JOIN roles r ON r.name = 'manager' AND r.is_builtin
        WHERE d.manager_id = {user}
    ),
    below AS (
        SELECT role_id, department_id FROM held WHERE department_id IS NOT NULL
        UNION
        SELECT b.role_id, d.id FROM below b JOIN departments d ON d.parent_id = b.department_id
    )
    """  # noqa: S608 - of constants of this module


_ROLES = """
    ARRAY(
        SELECT json_build_object(
            'id', r.id,
            'name', r.name,
            'requires_second_factor', r.requires_second_factor,
            'permissions', ARRAY(SELECT p.permission FROM role_permissions p WHERE p.role_id = r.id),
            'everywhere', EXISTS (SELECT FROM held h WHERE h.role_id = r.id AND h.department_id IS NULL),
            'departments', ARRAY(SELECT b.department_id FROM below b WHERE b.role_id = r.id)
        )
        FROM roles r WHERE r.id IN (SELECT role_id FROM held) ORDER BY r.name
    ) AS roles
"""
_HELD_ROLES = text(f"WITH RECURSIVE {_held_by(':user')} SELECT {_ROLES}")
# Who calls is asked with each request: one statement, which is ready.
_SESSION_CALLER = text(
    f"""
    WITH RECURSIVE caller AS (
        SELECT s.id, s.last_used_at, s.csrf_token, s.has_second_factor, s.provider_id,
               u.id AS user_id, u.username, u.time_zone, u.theme
        FROM sessions s JOIN users u ON u.id = s.user_id
        WHERE s.secret_hash = :secret_hash AND s.expires_at > :now AND s.last_used_at > :used_after AND u.enabled
    ), {_held_by("(SELECT user_id FROM caller)")}
    SELECT caller.*, {_ROLES} FROM caller
    """  # noqa: S608 - of constants of this module
)
_TOKEN_CALLER = text(
    f"""
    WITH RECURSIVE caller AS (
        SELECT t.id, t.last_used_at, t.permissions, t.departments,
               CAST(t.allowed_networks AS text[]) AS allowed_networks, t.expires_at,
               u.id AS user_id, u.username, u.time_zone, u.theme
        FROM api_tokens t JOIN users u ON u.id = t.user_id
        WHERE (t.secret_hash = :secret_hash
               OR (t.previous_secret_hash = :secret_hash AND t.previous_expires_at > :now))
          AND (t.expires_at IS NULL OR t.expires_at > :now)
          AND (t.allowed_networks IS NULL OR CAST(NULLIF(:address, '') AS inet) <<= ANY (t.allowed_networks))
          AND u.enabled
    ), {_held_by("(SELECT user_id FROM caller)")},
    allowed AS (
        SELECT d.id FROM departments d JOIN caller c ON d.id = ANY (c.departments)
        UNION
        SELECT d.id FROM departments d JOIN allowed a ON d.parent_id = a.id
    )
    SELECT caller.*, ARRAY(SELECT a.id FROM allowed a) AS reach, {_ROLES} FROM caller
    """  # noqa: S608 - of constants of this module
)


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


async def held_roles(session: AsyncSession, user_id: UUID) -> list[HeldRole]:
    """Each role that a user holds, by name."""
    return msgspec.convert(await session.scalar(_HELD_ROLES, {"user": user_id}), list[HeldRole])


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
) -> SessionCaller | None:
    """The caller of a live session of an enabled user."""
    known = {"secret_hash": secret_hash, "now": now, "used_after": now - idle}
    row = (await session.execute(_SESSION_CALLER, known)).mappings().one_or_none()
    return None if row is None else msgspec.convert(dict(row), SessionCaller)


async def find_token(
    session: AsyncSession, secret_hash: bytes, now: datetime, address: str
) -> TokenCaller | None:
    """The caller of a valid token, by its secret or the one before a rotation, if the address may use it."""
    known = {"secret_hash": secret_hash, "now": now, "address": address}
    row = (await session.execute(_TOKEN_CALLER, known)).mappings().one_or_none()
    return None if row is None else msgspec.convert(dict(row), TokenCaller)


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
