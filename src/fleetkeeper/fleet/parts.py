"""What an agent's inventory says of the parts of its machine, within what the tables take. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from fleetkeeper.devices.components.schemas import ComponentKind, InterfaceType
from fleetkeeper.devices.components.seen import ComponentSeen, InterfaceSeen, PartsSeen, VolumeSeen
from fleetkeeper.devices.containers import ContainerSeen
from fleetkeeper.devices.identity.evidence import normalise_mac
from fleetkeeper_protocol.messages import Component, Container, Inventory, NetworkInterface, Volume

_INTERFACE_KINDS = frozenset(get_args(InterfaceType))
_VOLUME_KINDS = frozenset(("filesystem", "disk", "logical_volume"))
_COMPONENT_KINDS = frozenset(get_args(ComponentKind))
_HIGHEST_VLAN = 4094
_NAME_LENGTH = 100
_SLOT_LENGTH = 200
_RAID_LENGTH = 50


def parts_of(inventory: Inventory) -> PartsSeen:
    """The parts that the agent tells of; an older agent tells of few."""
    return PartsSeen(
        interfaces=[_interface(one) for one in inventory.interfaces] or None,
        volumes=None if inventory.volumes is None else [_volume(one) for one in inventory.volumes],
        components=None
        if inventory.components is None
        else [_component(one) for one in inventory.components],
        facts=inventory.facts,
    )


def containers_of(inventory: Inventory) -> Sequence[ContainerSeen] | None:
    """The containers that run on the machine; None where the agent does not tell."""
    return None if inventory.containers is None else [_container(one) for one in inventory.containers]


def _interface(told: NetworkInterface) -> InterfaceSeen:
    addresses = told.ip_addresses if told.addresses is None else [one.address for one in told.addresses]
    return InterfaceSeen(
        interface_name=told.name[:_NAME_LENGTH],
        interface_type=told.kind if told.kind in _INTERFACE_KINDS else "physical",
        mac_address=normalise_mac(told.mac_address),
        status=_status(told),
        speed_mbps=told.speed_mbps,
        vlan_id=told.vlan_id if told.vlan_id and told.vlan_id <= _HIGHEST_VLAN else None,
        parent_name=told.parent[:_NAME_LENGTH] if told.parent else None,
        mtu=told.mtu,
        duplex=told.duplex if told.duplex in {"full", "half"} else None,
        addresses=addresses,
        extra=_known(
            driver=told.driver,
            master=told.master,
            permanent_mac_address=told.permanent_mac_address,
            has_assigned_mac=told.has_assigned_mac,
        ),
    )


def _status(told: NetworkInterface) -> str | None:
    # Tunnels and the like are "unknown" while they work.
    if told.oper_state in {"down", "lowerlayerdown", "notpresent", "dormant"}:
        return "down"
    return None if told.is_up is None else "up" if told.is_up else "down"


def _volume(told: Volume) -> VolumeSeen:
    return VolumeSeen(
        source_id=told.name,
        name=told.name[:255],
        volume_type=told.kind if told.kind in _VOLUME_KINDS else "other",
        capacity_bytes=told.capacity_bytes,
        used_bytes=told.used_bytes,
        raid_level=told.raid_level[:_RAID_LENGTH] if told.raid_level else None,
        thin_provisioned=told.is_thin,
        mount_point=told.mount_point,
        extra=_known(device=told.device, file_system=told.file_system),
    )


def _component(told: Component) -> ComponentSeen:
    return ComponentSeen(
        kind=told.kind if told.kind in _COMPONENT_KINDS else "other",
        slot=told.slot[:_SLOT_LENGTH],
        name=told.name,
        manufacturer=told.manufacturer,
        model=told.model,
        serial_number=told.serial_number,
        part_number=told.part_number,
        firmware=told.firmware,
        capacity_bytes=told.capacity_bytes,
        extra=_known(**{**told.extra, "speed": told.speed}),
    )


def _container(told: Container) -> ContainerSeen:
    return ContainerSeen(
        container_id=told.container_id,
        runtime=told.runtime,
        process=told.process,
        started_at=datetime.fromtimestamp(told.started_at, UTC) if told.started_at else None,
    )


def _known(**values: Any) -> Mapping[str, Any]:
    return {name: value for name, value in values.items() if value not in (None, "")}
