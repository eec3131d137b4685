"""Devices that the product makes for series of its own, which belong to no machine: no list of devices has them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.sources.queries import store_source


async def product_device(session: AsyncSession, source: tuple[str, str], name: str, now: datetime) -> UUID:
    """The device that a source (system, id) of the product stands for; made where it is missing.

    The system is one of `queries.PRODUCT_SYSTEMS`.

    It is of no department: what is told of the whole fleet is read by those who see all of it.
    """
    known = await _known(session, source)
    if known is None:
        lock = "SELECT pg_advisory_xact_lock(hashtextextended('devices.product_device', 0))"
        await session.execute(text(lock))
        known = await _known(session, source)
    if known is not None:
        return known
    device = Device(name=name, hostname=name, device_type="other", lifecycle="inactive", first_seen=now)
    session.add(device)
    await session.flush()
    await store_source(session, device.id, source, {}, now)
    return device.id


async def _known(session: AsyncSession, source: tuple[str, str]) -> UUID | None:
    statement = select(DeviceSource.device_id).where(
        DeviceSource.source_system == source[0], DeviceSource.source_id == source[1]
    )
    return await session.scalar(statement)
