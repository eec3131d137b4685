"""What a source says of a device's parts. Pure; texts are cut to what is kept."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Of one device; a source that tells more has something wrong with it.
MOST_PARTS = 2000
MOST_FACTS = 1000


@dataclass(frozen=True)
class InterfaceSeen:
    """A network interface; `addresses` have the length of their prefix, as in `10.0.0.5/24`."""

    interface_name: str
    interface_type: str = "physical"
    mac_address: str | None = None
    status: str | None = None
    speed_mbps: int | None = None
    vlan_id: int | None = None
    parent_name: str | None = None
    mtu: int | None = None
    duplex: str | None = None
    addresses: Sequence[str] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VolumeSeen:
    """A volume; `source_id` is what its source knows it by on this device, such as a mount point."""

    source_id: str
    name: str
    volume_type: str | None = None
    capacity_bytes: int | None = None
    used_bytes: int | None = None
    storage_array: str | None = None
    raid_level: str | None = None
    thin_provisioned: bool | None = None
    mount_point: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComponentSeen:
    """A piece of hardware, known by its kind and the slot that it sits in."""

    kind: str
    slot: str
    name: str = ""
    manufacturer: str | None = None
    model: str | None = None
    serial_number: str | None = None
    part_number: str | None = None
    firmware: str | None = None
    capacity_bytes: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class VmSeen:
    """What a hypervisor says of a virtual machine; disks have `capacity_bytes`, snapshots `size_bytes`."""

    instance_uuid: str | None = None
    guest_os: str | None = None
    cpu_count: int | None = None
    memory_mb: int | None = None
    power_state: str | None = None
    tools_running: bool | None = None
    ip_addresses: Sequence[str] = ()
    disks: Sequence[Mapping[str, Any]] = ()
    snapshots: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class PartsSeen:
    """All that a source says of one device's parts; None where it says nothing, which takes nothing away."""

    interfaces: Sequence[InterfaceSeen] | None = None
    volumes: Sequence[VolumeSeen] | None = None
    components: Sequence[ComponentSeen] | None = None
    facts: Mapping[str, Any] | None = None
    vm: VmSeen | None = None


def plain_interface_address(value: object) -> str | None:
    """An address with its prefix as PostgreSQL writes it: a host's own prefix is left out. None for what is none."""
    try:
        found = ipaddress.ip_interface(str(value).partition("%")[0])
    except ValueError:
        return None
    return str(found.ip) if found.network.prefixlen == found.max_prefixlen else str(found)
