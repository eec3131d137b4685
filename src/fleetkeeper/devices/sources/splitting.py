"""Takes sources off a device: what they tell becomes a device of its own."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.values import set_defaults
from fleetkeeper.database.across_departments import across_departments
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.precedence.applying import settle
from fleetkeeper.devices.precedence.attributes import claims_in
from fleetkeeper.devices.sources.queries import forget_identities, sources_of, store_identities

# What hangs off a device by the system that told it.
_PARTS = ("network_interfaces", "storage_volumes", "hardware_components", "vms", "server_facts")


async def split_off(
    session: AsyncSession, device: Device, staying: Collection[UUID], now: datetime
) -> Device | None:
    """Give the sources that do not stay a device of their own; None where all stay, or none would.

    Their evidence and the parts that they told go along; telemetry stays where it is.
    """
    sources = await sources_of(session, [device.id])
    going = [one for one in sources if one.id not in staying]
    if not going or len(going) == len(sources):
        return None
    told = {name: value for one in reversed(going) for name, value in claims_in(one.attributes).items()}
    name = str(told.get("name") or told.get("hostname") or going[0].source_id)[:255]
    made = Device(
        name=name,
        hostname=str(told.get("hostname") or name),
        first_seen=min(one.first_seen for one in going),
        department_id=device.department_id,
        lifecycle=device.lifecycle,
    )
    session.add(made)
    await session.flush()
    await set_defaults(session, TABLE, made.id, made.department_id)
    async with across_departments(session):
        await _move(session, device, made, going)
    left = {piece for one in await sources_of(session, [device.id]) for piece in map(tuple, one.evidence)}
    gone = {(kind, value) for one in going for kind, value in one.evidence}
    await forget_identities(session, device.id, gone - left)
    for one in going:
        evidence = [(kind, value) for kind, value in one.evidence]
        await store_identities(session, made.id, evidence, one.last_seen, one.source_system)
    for changed in (device, made):
        await session.refresh(changed)
        await settle(session, changed, now)
        changed.version += 1
    await session.flush()
    return made


async def _move(session: AsyncSession, device: Device, made: Device, going: Collection[DeviceSource]) -> None:
    keys, systems = [one.id for one in going], [one.source_system for one in going]
    await session.execute(
        update(DeviceSource)
        .where(DeviceSource.id.in_(keys))
        .values(device_id=made.id)
        .execution_options(synchronize_session=False)
    )
    staying = {one.source_system for one in await sources_of(session, [device.id]) if one.id not in keys}
    for table in _PARTS:
        await session.execute(
            text(
                f"UPDATE {table} SET device_id = :made WHERE device_id = :device AND source_system = ANY (:systems)"  # noqa: S608
            ),
            {"made": made.id, "device": device.id, "systems": [one for one in systems if one not in staying]},
        )
