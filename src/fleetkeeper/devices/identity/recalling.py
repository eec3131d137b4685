"""Records of the machines that may be one, from what sources told."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.identity.records import Piece, Record, swapped_uuid
from fleetkeeper.devices.keys import is_good
from fleetkeeper.devices.models import Device, DeviceKey, DeviceSource
from fleetkeeper.devices.queries import PRODUCT_SYSTEMS
from fleetkeeper.devices.sources.queries import common_pieces, devices_sharing
from fleetkeeper.kit.clock import utc_now

# Machines that are compared at once, and how far from one to the next evidence is followed.
MOST_DEVICES = 200
MOST_STEPS = 4


@dataclass(frozen=True)
class Recalled:
    """A record with what it was made from."""

    record: Record
    source: DeviceSource
    device: Device


async def alike(
    session: AsyncSession, pieces: Collection[Piece], department_id: UUID | None, *, steps: int = 1
) -> list[Recalled]:
    """What a department's devices that share evidence with the pieces are known by, those sharing with them included.

    A value that many devices have is followed no further, and left out of their evidence.
    """
    wanted, known = frozenset(pieces), frozenset[Piece]()
    found: list[Recalled] = []
    common = frozenset[Piece]()
    for _ in range(steps):
        new = _searched(wanted - known)
        common |= await common_pieces(session, new, department_id)
        new -= common
        names = {value.split(".")[0] for kind, value in new if kind in {"hostname", "fqdn"}}
        ids = await devices_sharing(session, new, names, department_id, MOST_DEVICES) if new else []
        known |= wanted
        before = {one.device.id for one in found}
        found += await recall(session, set(ids) - before)
        wanted = frozenset(piece for one in found for piece in one.record.evidence)
        if len(found) >= MOST_DEVICES or wanted <= known:
            break
    return [_without(one, common) for one in found]


async def recall(session: AsyncSession, ids: Collection[UUID]) -> list[Recalled]:
    """The records of devices, those of the product and of containers on a machine left out."""
    if not ids:
        return []
    has_key = exists().where(DeviceKey.device_id == Device.id, is_good(utc_now()))
    rows = await session.execute(
        select(DeviceSource, Device, has_key)
        .join(Device, Device.id == DeviceSource.device_id)
        .where(
            Device.id.in_(ids),
            Device.merged_into.is_(None),
            DeviceSource.source_system.not_in(PRODUCT_SYSTEMS),
        )
        .order_by(DeviceSource.id)
        .execution_options(populate_existing=True)
    )
    return [
        Recalled(
            _record(source, device, has_key=bool(known and source.source_system == "agent")), source, device
        )
        for source, device, known in rows.all()
    ]


def _record(source: DeviceSource, device: Device, *, has_key: bool) -> Record:
    return Record(
        source_system=source.source_system,
        source_instance=source.source_instance,
        source_id=source.source_id,
        evidence=frozenset((kind, value) for kind, value in source.evidence),
        department_id=device.department_id,
        manufacturer=str(source.attributes.get("manufacturer") or ""),
        has_key=has_key,
        is_container=device.device_type == "container",
    )


def _without(one: Recalled, common: frozenset[Piece]) -> Recalled:
    if not one.record.evidence & common:
        return one
    less = replace(one.record, evidence=one.record.evidence - common)
    return Recalled(less, one.source, one.device)


def _searched(pieces: Collection[Piece]) -> frozenset[Piece]:
    """The pieces, and UUIDs as older firmware tells them."""
    swapped = {(kind, swapped_uuid(value)) for kind, value in pieces if kind == "smbios_uuid"}
    return frozenset(pieces) | swapped
