"""Stores what sources say of devices' parts, of many devices by few statements; what did not change is not written."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.many_rows import insert_many
from fleetkeeper.devices.components.models import (
    HardwareComponent,
    IpAddress,
    NetworkInterface,
    ServerFact,
    StorageVolume,
    Vm,
)
from fleetkeeper.devices.components.seen import (
    MOST_FACTS,
    MOST_PARTS,
    InterfaceSeen,
    PartsSeen,
    VmSeen,
    plain_interface_address,
)
from fleetkeeper.devices.models import Device
from fleetkeeper.kit.ids import uuid7

Key = tuple[Any, ...]
# Of one kind and device.
MOST_MISSING = 500
MOVING = frozenset({"used_bytes"})


async def record_components(
    session: AsyncSession, device_id: UUID, source: str, seen: PartsSeen, now: datetime
) -> None:
    """Store what a source says of one device's parts."""
    await record_many(session, source, {device_id: seen}, now)


async def record_many(
    session: AsyncSession, source: str, seen: Mapping[UUID, PartsSeen], now: datetime
) -> None:
    """Store what a source says of the parts of many devices.

    A value that it does not know never overwrites one that is known. What it told of before and does not tell of now
    is kept as missing; what others told of stays as it is.
    """
    # Two reports of one device take turns, in an order that cannot lock two of them up.
    devices = select(Device.id).where(Device.id.in_(seen)).order_by(Device.id).with_for_update()
    known = set(await session.scalars(devices))
    seen = {key: parts for key, parts in seen.items() if key in known}
    await _record_interfaces(session, source, seen, now)
    await _record(
        session,
        source,
        StorageVolume,
        ("source_id",),
        {
            key: [
                _values(one) | {"source_id": f"{key}/{one.source_id}"[:300], "source_system": source}
                for one in parts.volumes
            ]
            for key, parts in seen.items()
            if parts.volumes is not None
        },
        now,
    )
    await _record(
        session,
        source,
        HardwareComponent,
        ("kind", "slot"),
        {
            key: [_values(one) for one in parts.components]
            for key, parts in seen.items()
            if parts.components is not None
        },
        now,
    )
    await _record(
        session,
        source,
        Vm,
        (),
        {key: [_vm_values(parts.vm)] for key, parts in seen.items() if parts.vm is not None},
        now,
    )
    await _record_facts(session, source, seen, now)


def _values(part: Any) -> dict[str, Any]:
    return {one.name: getattr(part, one.name) for one in fields(part) if one.name != "addresses"}


def _vm_values(vm: VmSeen) -> dict[str, Any]:
    told = asdict(vm)
    for name in ("ip_addresses", "disks", "snapshots"):
        told[name] = list(told[name])
    return told | {
        "total_disk_capacity_bytes": sum(int(one.get("capacity_bytes") or 0) for one in vm.disks),
        "total_snapshot_size_bytes": sum(int(one.get("size_bytes") or 0) for one in vm.snapshots),
    }


async def _record(
    session: AsyncSession,
    source: str,
    model: Any,
    key_names: tuple[str, ...],
    wanted: Mapping[UUID, Sequence[dict[str, Any]]],
    now: datetime,
) -> dict[tuple[UUID, Key], UUID]:
    """The IDs of all parts that were told of, by device and key."""
    if not wanted:
        return {}
    rows = await session.scalars(select(model).where(model.device_id.in_(wanted)))
    present = {(row.device_id, tuple(getattr(row, name) for name in key_names)): row for row in rows}
    ids: dict[tuple[UUID, Key], UUID] = {}
    added, changed = [], []
    for device_id, parts in wanted.items():
        for values in parts[:MOST_PARTS]:
            place = (device_id, tuple(values[name] for name in key_names))
            if place in ids:
                continue
            row = present.get(place)
            if row is None:
                ids[place] = uuid7()
                added.append({"id": ids[place], "device_id": device_id, "source_system": source} | values)
                continue
            ids[place] = row.id
            news = _changes(row, values)
            if news:
                # What moves on with each report is no other version of the part.
                own = {} if news.keys() <= MOVING else {"source_system": source, "version": row.version + 1}
                changed.append({"id": row.id} | own | news)
    gone = _gone(present, ids, source, now)
    await _forget(session, model, present, ids, gone)
    await insert_many(session, model, [_named(model, one) for one in added])
    await _update_each(session, model, [*changed, *gone])
    return ids


async def _forget(
    session: AsyncSession,
    model: Any,
    present: Mapping[tuple[UUID, Key], Any],
    told: Mapping[tuple[UUID, Key], UUID],
    gone: list[dict[str, Any]],
) -> None:
    """Of those that are missing keep the last of each device: a source that invents names must not fill the table."""
    new = {one["id"] for one in gone}
    missing: dict[UUID, list[Any]] = {}
    for (device_id, key), row in present.items():
        if (device_id, key) not in told and getattr(row, "missing_since", None) is not None:
            missing.setdefault(device_id, []).append(row)
    counts = Counter(device_id for (device_id, _), row in present.items() if row.id in new)
    old: list[UUID] = []
    for device_id, rows in missing.items():
        excess = len(rows) + counts[device_id] - MOST_MISSING
        old += [row.id for row in sorted(rows, key=lambda row: row.missing_since)[: max(excess, 0)]]
    if old:
        await session.execute(delete(model).where(model.id.in_(old)))


def _changes(row: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    news = {
        name: value
        for name, value in values.items()
        if value not in (None, "", [], {}) and getattr(row, name) != value
    }
    if getattr(row, "missing_since", None) is not None:
        news["missing_since"] = None
    return news


def _gone(
    present: Mapping[tuple[UUID, Key], Any],
    told: Mapping[tuple[UUID, Key], UUID],
    source: str,
    now: datetime,
) -> list[dict[str, Any]]:
    return [
        {"id": row.id, "missing_since": now}
        for place, row in present.items()
        if place not in told
        and row.source_system == source
        and hasattr(row, "missing_since")
        and row.missing_since is None
    ]


def _named(model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by the names of columns, whichever attribute of the model has them; what is unknown is left to it."""
    return {model.__mapper__.columns[name].name: value for name, value in values.items()}


async def _update_each(session: AsyncSession, model: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Rows that change in the same columns go by one statement."""
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(sorted(row)), []).append(row)
    for several in alike.values():
        await session.execute(update(model), several)


async def _record_interfaces(
    session: AsyncSession, source: str, seen: Mapping[UUID, PartsSeen], now: datetime
) -> None:
    told = {key: parts.interfaces for key, parts in seen.items() if parts.interfaces is not None}
    ids = await _record(
        session,
        source,
        NetworkInterface,
        ("interface_name",),
        {key: [_values(one) for one in several] for key, several in told.items()},
        now,
    )
    if not told:
        return
    wanted: dict[tuple[UUID, str], UUID] = {}
    for device_id, several in told.items():
        for one in several[:MOST_PARTS]:
            for address in _addresses(one):
                wanted[ids[device_id, (one.interface_name,)], address] = device_id
    rows = (await session.scalars(select(IpAddress).where(IpAddress.device_id.in_(told)))).all()
    present = {(row.interface_id, plain_interface_address(row.address)): row for row in rows}
    gone = [row.id for place, row in present.items() if place not in wanted and row.source_system == source]
    if gone:
        await session.execute(delete(IpAddress).where(IpAddress.id.in_(gone)))
    await insert_many(
        session,
        IpAddress,
        [
            {
                "id": uuid7(),
                "device_id": device_id,
                "interface_id": interface_id,
                "source_system": source,
                "address": address,
            }
            for (interface_id, address), device_id in wanted.items()
            if (interface_id, address) not in present
        ],
    )


def _addresses(interface: InterfaceSeen) -> list[str]:
    plain: Callable[[object], str | None] = plain_interface_address
    return [one for one in map(plain, interface.addresses) if one is not None]


async def _record_facts(
    session: AsyncSession, source: str, seen: Mapping[UUID, PartsSeen], now: datetime
) -> None:
    told = {key: parts.facts for key, parts in seen.items() if parts.facts is not None}
    if not told:
        return
    current = select(ServerFact).where(
        ServerFact.device_id.in_(told),
        ServerFact.source_system == source,
        ServerFact.replaced_at.is_(None),
    )
    present = {(row.device_id, row.fact_name): row for row in await session.scalars(current)}
    added, replaced = [], []
    for device_id, facts in told.items():
        for name, value in list(facts.items())[:MOST_FACTS]:
            row = present.pop((device_id, name[:200]), None)
            if row is not None and row.fact_value == value:
                continue
            if row is not None:
                replaced.append({"id": row.id, "replaced_at": now})
            added.append(
                {
                    "id": uuid7(),
                    "device_id": device_id,
                    "source_system": source,
                    "fact_name": name[:200],
                    "fact_value": value,
                    "collected_at": now,
                }
            )
    replaced += [{"id": row.id, "replaced_at": now} for row in present.values()]
    await _update_each(session, ServerFact, replaced)
    await insert_many(session, ServerFact, added)
