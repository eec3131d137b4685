"""The virtual machine's side of a device: processors, memory, disk, and what it runs on."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fleetkeeper.devices.components.models import Vm
from fleetkeeper.devices.components.schemas import VmWrite
from fleetkeeper.devices.components.service import vms
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.devices.relationships.schemas import RelationshipWrite
from fleetkeeper.devices.relationships.service import relationships
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.text import is_storable
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body

_MEGABYTE = 1_000_000
_MOST = 2**31 - 1


@dataclass
class Machine:
    """What is wanted of a virtual machine's side."""

    values: dict[str, int | None]
    disk_bytes: int | None = None
    has_host: bool = False
    host: UUID | None = None


async def machine_in(asked: Asked, body: Body) -> Machine:
    """What a body says of it."""
    values: dict[str, int | None] = {}
    if body.has("vcpus"):
        values["cpu_count"] = body.whole("vcpus", _MOST)
    if body.has("memory"):
        values["memory_mb"] = body.whole("memory", _MOST)
    machine = Machine(values)
    if body.has("disk"):
        machine.disk_bytes = (body.whole("disk", _MOST) or 0) * _MEGABYTE
    for name in ("cluster", "device"):
        if body.has(name):
            machine.has_host = True
            machine.host = await _host(asked, body, name) or machine.host
    return machine


async def write_machine(asked: Asked, key: UUID, wanted: Machine) -> None:
    """Write it for a device that is a virtual machine."""
    if wanted.values or wanted.disk_bytes is not None:
        row = await asked.session.scalar(select(Vm).where(Vm.device_id == key))
        told: dict[str, Any] = {"device_id": key}
        if row is not None:
            told = {name: getattr(row, name) for name in VmWrite.model_fields}
        write = VmWrite(**told | wanted.values)
        if row is None:
            made = await vms.create(asked.session, asked.actor, write)
            row = await asked.session.get(Vm, made.id)
        else:
            await vms.change(asked.session, asked.actor, row.id, write)
        if (
            row is not None
            and wanted.disk_bytes is not None
            and row.total_disk_capacity_bytes != wanted.disk_bytes
        ):
            row.total_disk_capacity_bytes = wanted.disk_bytes
            row.version += 1
            await asked.session.flush()
    if wanted.has_host:
        await _move(asked, key, wanted.host)


async def _host(asked: Asked, body: Body, name: str) -> UUID | None:
    """The device that a field names as a host or as a cluster, which are the same here."""
    value = body.raw(name)
    wanted = value.get("id", value.get("name")) if isinstance(value, dict) else value
    if wanted is None or wanted == "":
        return None
    statement = visible_to(asked.actor).where(Device.device_type.not_in(("vm", "container")))
    if isinstance(wanted, int) and not isinstance(wanted, bool) and abs(wanted) < 2**63:
        statement = statement.where(Device.number == wanted)
    elif isinstance(wanted, str) and is_storable(wanted):
        statement = statement.where(Device.name == wanted)
    else:
        body.refuse(name, "Related objects must be referenced by numeric ID or by dictionary of attributes.")
        return None
    found = (await asked.session.scalars(statement.limit(2))).all()
    if len(found) != 1:
        problem = "Multiple objects match" if found else "Related object not found using"
        body.refuse(name, f"{problem} the provided attributes: {str(wanted)[:100]}")
        return None
    key: UUID = found[0].id
    return key


async def _move(asked: Asked, key: UUID, host: UUID | None) -> None:
    """Let a virtual machine run on a host alone."""
    relation = DeviceRelationship
    statement = select(relation).where(
        relation.child_device_id == key, relation.relationship_type == "hosts", relation.valid_to.is_(None)
    )
    present = (await asked.session.scalars(statement)).first()
    if present is not None and present.parent_device_id == host:
        return
    if present is not None:
        now = utc_now()
        told: dict[str, Any] = {
            "parent_device_id": present.parent_device_id,
            "child_device_id": key,
            "relationship_type": "hosts",
            "metadata": present.extra,
            "valid_from": present.valid_from,
            "valid_to": max(now, present.valid_from),
        }
        if present.valid_from >= now:
            await relationships.delete(asked.session, asked.actor, present.id)
        else:
            await relationships.change(asked.session, asked.actor, present.id, RelationshipWrite(**told))
    if host is not None:
        wanted = RelationshipWrite(parent_device_id=host, child_device_id=key, relationship_type="hosts")
        await relationships.create(asked.session, asked.actor, wanted)
