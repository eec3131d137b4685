"""What devices of a page are told with: addresses, hosts, the virtual machine's side, and how many interfaces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from fleetkeeper.devices.components.models import IpAddress, NetworkInterface, Vm
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.netbox.protocol.asked import Asked


@dataclass(frozen=True)
class Host:
    """A machine that virtual machines run on."""

    number: int
    name: str
    department_id: UUID | None = None


@dataclass(frozen=True)
class Related:
    """All of it, by the keys of devices."""

    addresses: Mapping[UUID, Mapping[int, IpAddress]]
    # Of virtual machines what they run on, of hosts themselves.
    hosts: Mapping[UUID, Host]
    machines: Mapping[UUID, Vm]
    interface_counts: Mapping[UUID, int]


async def related_to(asked: Asked, devices: Sequence[Device], *, is_virtual: bool) -> Related:
    """What belongs to some devices."""
    keys = [one.id for one in devices]
    addresses: dict[UUID, dict[int, IpAddress]] = {}
    primary = select(IpAddress).where(IpAddress.device_id.in_(keys), IpAddress.is_primary)
    for one in await asked.session.scalars(primary):
        addresses.setdefault(one.device_id, {})[family_of(one.address)] = one
    counted = select(NetworkInterface.device_id, func.count()).where(NetworkInterface.device_id.in_(keys))
    counts: Any = await asked.session.execute(counted.group_by(NetworkInterface.device_id))
    found = select(Vm).where(Vm.device_id.in_(keys))
    machines = {one.device_id: one for one in await asked.session.scalars(found)} if is_virtual else {}
    return Related(addresses, await hosts_of(asked, devices), machines, {row[0]: row[1] for row in counts})


async def hosts_of(asked: Asked, devices: Sequence[Device]) -> Mapping[UUID, Host]:
    """What virtual machines run on, and the hosts of some among the devices themselves."""
    keys = [one.id for one in devices]
    names = {one.id: Host(one.number, one.name) for one in devices}
    relation = DeviceRelationship
    hosting = select(relation.parent_device_id, relation.child_device_id).where(
        relation.relationship_type == "hosts",
        relation.valid_to.is_(None),
        or_(relation.parent_device_id.in_(keys), relation.child_device_id.in_(keys)),
    )
    machines = Device.__table__.alias("machine")
    hosting = hosting.join(machines, machines.c.id == relation.child_device_id).where(
        machines.c.device_type == "vm"
    )
    pairs = (await asked.session.execute(hosting)).all()
    parents = {row[0] for row in pairs}
    if unknown := parents - names.keys():
        visible = visible_to(asked.actor).where(Device.id.in_(sorted(unknown)))
        rows = await asked.session.execute(
            visible.with_only_columns(Device.id, Device.number, Device.name, maintain_column_froms=True)
        )
        names |= {row.id: Host(row.number, row.name) for row in rows}
    own = {key: names[key] for key in parents if key in names}
    return own | {row[1]: names[row[0]] for row in pairs if row[0] in names}


def family_of(address: object) -> int:
    """4 or 6."""
    return 6 if ":" in str(address) else 4
