"""The keys by which enrolled devices prove themselves. `fleet` hands them out; every door that hears agents checks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device, DeviceKey
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret

KEY_PREFIX = "fkd"
# A new key takes over when it is first used, so that one that got lost on its way locks nobody out. Requests that are
# under way by then still pass with the old one.
OVERLAP = timedelta(minutes=1)
UNUSED_LIFETIME = timedelta(days=7)
# An agent that dies again and again before it has kept its new key leaves no more of them than this.
MAX_UNUSED = 2
# For doors with connections of their own. In one statement, so that nobody sees the new key used and the old one whole.
FIRST_USE = """
    WITH used AS (
        UPDATE device_keys k
        SET last_used_at = now(),
            expires_at = CASE WHEN EXISTS (
                SELECT FROM device_keys newer
                WHERE newer.device_id = k.device_id AND (newer.created_at, newer.id) > (k.created_at, k.id)
                  AND newer.last_used_at IS NOT NULL AND newer.revoked_at IS NULL
            ) THEN k.expires_at END
        WHERE k.secret_hash = %(hash)s AND k.last_used_at IS NULL AND k.revoked_at IS NULL
        RETURNING k.id, k.device_id, k.created_at
    )
    UPDATE device_keys old SET expires_at = now() + %(overlap)s
    FROM used
    WHERE old.device_id = used.device_id AND (old.created_at, old.id) < (used.created_at, used.id)
      AND old.revoked_at IS NULL AND (old.expires_at IS NULL OR old.expires_at > now() + %(overlap)s)
"""


@dataclass(frozen=True)
class DeviceCaller:
    """A device, known by its key."""

    device_id: UUID
    key_id: UUID
    name: str


async def issue_key(session: AsyncSession, device_id: UUID, expires_at: datetime | None = None) -> str:
    """Make a key for a device and return it; it cannot be shown again. Its first use lifts the time of its end."""
    secret = make_secret(KEY_PREFIX)
    session.add(
        DeviceKey(
            device_id=device_id, secret_hash=hash_secret(secret), created_at=utc_now(), expires_at=expires_at
        )
    )
    await session.flush()
    return secret


async def rotate_key(session: AsyncSession, caller: DeviceCaller) -> str:
    """Make a new key for the calling device. The old one works until the new one has been used, and OVERLAP longer.

    Raises ForbiddenError for a key whose successor has been used: nothing it makes may outlive it.
    """
    now = utc_now()
    # Two rotations at once come one after the other.
    await session.execute(select(Device.id).where(Device.id == caller.device_id).with_for_update())
    if await session.scalar(select(DeviceKey.expires_at).where(DeviceKey.id == caller.key_id)) is not None:
        raise ForbiddenError("This key has been replaced and ends within a minute; use the new one.")
    unused = (
        await session.scalars(
            select(DeviceKey.id)
            .where(DeviceKey.device_id == caller.device_id, DeviceKey.last_used_at.is_(None), is_good(now))
            .order_by(DeviceKey.created_at.desc(), DeviceKey.id.desc())
            .offset(MAX_UNUSED - 1)
        )
    ).all()
    await session.execute(update(DeviceKey).where(DeviceKey.id.in_(unused)).values(revoked_at=now))
    return await issue_key(session, caller.device_id, expires_at=now + UNUSED_LIFETIME)


async def revoke_keys(session: AsyncSession, device_id: UUID) -> None:
    """Refuse all of a device's keys from now on (within seconds, where a process has one at hand)."""
    await session.execute(
        update(DeviceKey)
        .where(DeviceKey.device_id == device_id, DeviceKey.revoked_at.is_(None))
        .values(revoked_at=utc_now())
    )


async def find_caller(session: AsyncSession, secret: str) -> DeviceCaller | None:
    """Whose key this is; None when it is unknown or revoked."""
    if not secret.startswith(KEY_PREFIX + "_") or len(secret) > 100:
        return None
    digest = hash_secret(secret)
    row = (
        await session.execute(
            select(DeviceKey.device_id, DeviceKey.id, Device.name, DeviceKey.last_used_at)
            .join(Device, Device.id == DeviceKey.device_id)
            .where(DeviceKey.secret_hash == digest, is_good(utc_now()))
        )
    ).one_or_none()
    if row is None:
        return None
    if row.last_used_at is None:
        connection = await session.connection()
        await connection.exec_driver_sql(FIRST_USE, {"hash": digest, "overlap": OVERLAP})
    return DeviceCaller(device_id=row.device_id, key_id=row.id, name=row.name)


async def is_good_key(session: AsyncSession, key_id: UUID) -> bool:
    """Whether a key that was good still is."""
    return (
        await session.scalar(select(DeviceKey.id).where(DeviceKey.id == key_id, is_good(utc_now())))
        is not None
    )


def is_good(now: datetime) -> ColumnElement[bool]:
    """Whether a key is neither revoked nor past the time that a rotation gave it."""
    return DeviceKey.revoked_at.is_(None) & or_(DeviceKey.expires_at.is_(None), DeviceKey.expires_at > now)
