"""The keys by which enrolled devices prove themselves. `fleet` hands them out; every door that hears agents checks."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device, DeviceKey
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret

KEY_PREFIX = "fkd"


@dataclass(frozen=True)
class DeviceCaller:
    """A device, known by its key."""

    device_id: UUID
    key_id: UUID
    name: str


async def issue_key(session: AsyncSession, device_id: UUID) -> str:
    """Make a key for a device and return it; it cannot be shown again."""
    secret = make_secret(KEY_PREFIX)
    session.add(DeviceKey(device_id=device_id, secret_hash=hash_secret(secret), created_at=utc_now()))
    await session.flush()
    return secret


async def rotate_key(session: AsyncSession, caller: DeviceCaller, overlap: timedelta) -> str:
    """Make a new key for the calling device; the old ones work until the overlap is over."""
    now = utc_now()
    await session.execute(
        update(DeviceKey)
        .where(DeviceKey.device_id == caller.device_id, is_good(now))
        .values(expires_at=now + overlap)
    )
    return await issue_key(session, caller.device_id)


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
    row = (
        await session.execute(
            select(DeviceKey.device_id, DeviceKey.id, Device.name)
            .join(Device, Device.id == DeviceKey.device_id)
            .where(DeviceKey.secret_hash == hash_secret(secret), is_good(utc_now()))
        )
    ).one_or_none()
    return DeviceCaller(device_id=row[0], key_id=row[1], name=row[2]) if row else None


def is_good(now: datetime) -> ColumnElement[bool]:
    """Whether a key is neither revoked nor past the time that a rotation gave it."""
    return DeviceKey.revoked_at.is_(None) & or_(DeviceKey.expires_at.is_(None), DeviceKey.expires_at > now)
