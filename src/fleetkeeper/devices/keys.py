"""The keys by which enrolled devices prove themselves. `fleet` hands them out; every door that hears agents checks."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import DeviceKey
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret

KEY_PREFIX = "fkd"


@dataclass(frozen=True)
class DeviceCaller:
    """A device, known by its key."""

    device_id: UUID
    key_id: UUID


async def issue_key(session: AsyncSession, device_id: UUID) -> str:
    """Make a key for a device and return it; it cannot be shown again."""
    secret = make_secret(KEY_PREFIX)
    session.add(DeviceKey(device_id=device_id, secret_hash=hash_secret(secret), created_at=utc_now()))
    await session.flush()
    return secret


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
            select(DeviceKey.device_id, DeviceKey.id).where(
                DeviceKey.secret_hash == hash_secret(secret), DeviceKey.revoked_at.is_(None)
            ),
        )
    ).one_or_none()
    return DeviceCaller(device_id=row[0], key_id=row[1]) if row else None
