"""Containers that a machine's agent sees: devices without a key, which their machine hosts."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, cast, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.annotations.fields.values import set_defaults
from fleetkeeper.database.many_rows import insert_many
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.models import Device, DeviceSource
from fleetkeeper.devices.queries import among
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.kit.ids import uuid7

SOURCE = "agent"
# Of one machine. Machines that build software start thousands of containers a day.
MOST_RUNNING = 500
MOST_MISSING = 500
_LONG_ID = re.compile(r"[0-9a-f]{12,}")
_SHORT_ID_LENGTH = 12


@dataclass(frozen=True)
class ContainerSeen:
    """A container that runs; `process` is the name of its first process."""

    container_id: str
    runtime: str
    process: str = ""
    started_at: datetime | None = None

    @property
    def short_id(self) -> str:
        """What its host name is by default, and what people call it by."""
        is_long = _LONG_ID.fullmatch(self.container_id)
        return self.container_id[:_SHORT_ID_LENGTH] if is_long else self.container_id[:255]

    @property
    def name(self) -> str:
        """The name of its device; a container whose ID is a name has that."""
        is_long = _LONG_ID.fullmatch(self.container_id)
        return f"{self.process or self.runtime}-{self.short_id}"[:255] if is_long else self.short_id


async def delete_with_containers(session: AsyncSession, ids: Sequence[UUID]) -> None:
    """Delete devices, and the containers on them that are of their department still."""
    host = aliased(Device)
    containers = (
        select(DeviceSource.device_id)
        .join(Device, Device.id == DeviceSource.device_id)
        .join(host, cast(host.id, Text) == DeviceSource.source_instance)
        .where(
            DeviceSource.source_system == SOURCE,
            DeviceSource.source_instance == any_(cast([str(one) for one in ids], ARRAY(Text))),
            Device.department_id.is_not_distinct_from(host.department_id),
        )
    )
    for gone in (Device.id.in_(containers), among(ids)):
        await session.execute(delete(Device).where(gone).execution_options(synchronize_session=False))


async def record_containers(
    session: AsyncSession, host: Device, containers: Sequence[ContainerSeen], now: datetime
) -> None:
    """Store which containers run on a machine, whose row is locked. What did not change is not written.

    A container that does not run any more is marked as missing, and its relationship with the machine ends.
    """
    seen = {f"{host.id}/{one.container_id}"[:300]: one for one in containers[:MOST_RUNNING]}
    known = await _known(session, host.id)
    started = await _add(session, host, {key: one for key, one in seen.items() if key not in known}, now)
    ended = []
    for key, (source, device) in known.items():
        if key in seen:
            if source.missing_since is not None:
                started.append(device.id)
            _update(source, device, seen[key])
        elif source.missing_since is None:
            source.missing_since = now
            ended.append(device.id)
    await session.flush()
    await _end_hosting(session, host.id, ended, now)
    await _start_hosting(session, host.id, started, now)
    await _forget_oldest(session, [source for source, _ in known.values() if source.missing_since])


async def _known(session: AsyncSession, host_id: UUID) -> dict[str, tuple[DeviceSource, Device]]:
    found = await session.execute(
        select(DeviceSource, Device)
        .join(Device, Device.id == DeviceSource.device_id)
        .where(DeviceSource.source_system == SOURCE, DeviceSource.source_instance == str(host_id))
    )
    return {source.source_id: (source, device) for source, device in found}


def _claims(container: ContainerSeen) -> dict[str, Any]:
    """What the agent says of the container, by the attributes of its device."""
    return {
        "device_type": "container",
        "hostname": container.short_id,
        "virtualization": container.runtime,
        "boot_time": container.started_at.isoformat() if container.started_at else None,
    }


def _details(container: ContainerSeen) -> dict[str, Any]:
    return {
        "container_id": container.container_id,
        "runtime": container.runtime,
        "process": container.process,
    }


async def _add(
    session: AsyncSession, host: Device, containers: Mapping[str, ContainerSeen], now: datetime
) -> list[UUID]:
    ids = {key: uuid7() for key in containers}
    await insert_many(
        session,
        Device,
        [
            {
                "id": ids[key],
                "name": one.name,
                "hostname": one.short_id,
                "device_type": "container",
                "department_id": host.department_id,
                "virtualization": one.runtime,
                "boot_time": one.started_at,
                "metadata": {SOURCE: _details(one)},
                "first_seen": now,
            }
            for key, one in containers.items()
        ],
    )
    await insert_many(
        session,
        DeviceSource,
        [
            {
                "id": uuid7(),
                "device_id": ids[key],
                "source_system": SOURCE,
                "source_instance": str(host.id),
                "source_id": key,
                "attributes": _claims(one),
                "first_seen": now,
                "last_seen": now,
            }
            for key, one in containers.items()
        ],
    )
    for key in containers:
        await set_defaults(session, TABLE, ids[key], host.department_id)
    return list(ids.values())


def _update(source: DeviceSource, device: Device, container: ContainerSeen) -> None:
    source.missing_since = None
    details = {**device.extra, SOURCE: _details(container)}
    if source.attributes == _claims(container) and device.extra == details:
        return
    source.attributes, device.extra = _claims(container), details
    device.virtualization, device.boot_time = container.runtime, container.started_at
    device.version += 1


async def _start_hosting(session: AsyncSession, host_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    # A person may have said so before, or that another machine is the host; that stays.
    await insert_many(
        session,
        DeviceRelationship,
        [
            {
                "id": uuid7(),
                "parent_device_id": host_id,
                "child_device_id": one,
                "relationship_type": "hosts",
                "source_system": SOURCE,
                "valid_from": now,
            }
            for one in ids
        ],
        on_conflict="DO NOTHING",
    )


async def _end_hosting(session: AsyncSession, host_id: UUID, ids: Sequence[UUID], now: datetime) -> None:
    if not ids:
        return
    await session.execute(
        update(DeviceRelationship)
        .where(
            DeviceRelationship.parent_device_id == host_id,
            DeviceRelationship.child_device_id.in_(ids),
            DeviceRelationship.relationship_type == "hosts",
            DeviceRelationship.source_system == SOURCE,
            DeviceRelationship.valid_to.is_(None),
            # Not where the clock was set back since.
            DeviceRelationship.valid_from < now,
        )
        .values(valid_to=now, version=DeviceRelationship.version + 1)
        .execution_options(synchronize_session=False)
    )


async def _forget_oldest(session: AsyncSession, missing: list[DeviceSource]) -> None:
    """Delete the containers that are missing longest, beyond those that are kept."""
    missing.sort(key=lambda source: (source.missing_since, source.source_id), reverse=True)
    over = [source.device_id for source in missing[MOST_MISSING:]]
    if over:
        await session.execute(
            delete(Device).where(Device.id.in_(over)).execution_options(synchronize_session=False)
        )
