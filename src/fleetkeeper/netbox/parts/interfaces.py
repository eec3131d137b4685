"""`dcim/interfaces` and `virtualization/interfaces`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, String, cast, func, or_, select

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices.components.models import IpAddress, NetworkInterface
from fleetkeeper.devices.components.service import interfaces
from fleetkeeper.devices.models import Device
from fleetkeeper.kit.addresses import plain_mac
from fleetkeeper.netbox.hosts.telling import nested_host
from fleetkeeper.netbox.parts import filters as part_filters
from fleetkeeper.netbox.parts.interface_types import TYPES, type_of
from fleetkeeper.netbox.parts.interface_writing import create_interface, kept_of, update_interface
from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.kind import Told, labelled
from fleetkeeper.netbox.protocol.query import truth
from fleetkeeper.netbox.protocol.rows import Rows

_MODEL = NetworkInterface
_MAC = cast(_MODEL.mac_address, String)
_DEVICE = _MODEL.device_id.expression
TEXTS = {
    "name": _MODEL.interface_name.expression,
    "description": _MODEL.description.expression,
    "label": _MODEL.extra[("netbox", "label")].as_string(),
}
NUMBERS: Mapping[str, tuple[ColumnElement[Any], Callable[..., Any]]] = {
    "id": (_MODEL.number.expression, operators.read_whole),
    "mtu": (_MODEL.mtu.expression, operators.read_whole),
    "created": (_MODEL.created_at.expression, operators.read_moment),
    "last_updated": (_MODEL.updated_at.expression, operators.read_moment),
}
_NOTHING = (
    "module", "parent", "bridge", "lag", "duplex", "wwn", "mode", "rf_role", "rf_channel", "poe_mode", "poe_type",
    "rf_channel_frequency", "rf_channel_width", "tx_power", "untagged_vlan", "qinq_svlan", "vlan_translation_policy",
    "cable", "cable_end", "wireless_link", "link_peers_type", "l2vpn_termination", "vrf",
    "connected_endpoints_type", "connected_endpoints_reachable",
)  # fmt: skip


async def _macs(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked, name
    fits = _MAC.in_([plain_mac(one) for one in values])
    return or_(fits, _MODEL.mac_address.is_(None)) if "null" in values else fits


async def _enabled(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked
    is_disabled = func.coalesce(_MODEL.status, "") == "disabled"
    return ~is_disabled if truth(name, values[-1]) else is_disabled


async def _kind(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """What is physical, virtual or wireless, or of a type that was written so."""
    del asked, name
    groups = {
        "virtual": ("virtual", "loopback", "vlan"),
        "wireless": ("wireless",),
        "physical": ("physical",),
        "bridge": ("bridge",),
        "lag": ("bond",),
    }
    kinds = [kind for one in values for kind in groups.get(one, ())]
    written = _MODEL.extra[("netbox", "type")].as_string().in_(list(values))
    return or_(_MODEL.interface_type.in_(kinds), func.coalesce(written, False))


async def _speed(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked
    return operators.any_number(name, _MODEL.speed_mbps.expression, values, 1000)


class Interfaces(Rows):
    """What interfaces of devices and of virtual machines have in common."""

    noun = "Interface"
    table: ClassVar = NetworkInterface
    is_virtual: ClassVar[bool]
    # The field that names whose it is.
    owner: ClassVar[str]
    owners_path: ClassVar[str]
    orderings: ClassVar = {"id": _MODEL.number.expression, "name": _MODEL.interface_name.expression}
    special: ClassVar[Mapping[str, part_filters.Make]]

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return (*TEXTS, *NUMBERS, *self.special)

    def visible(self, asked: Asked) -> Select[Any]:
        """Those of the devices that the caller may see."""
        own = part_filters.hosts(asked, is_virtual=self.is_virtual)
        return select(_MODEL).where(_MODEL.device_id.in_(own))

    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by."""
        return await part_filters.conditions(
            asked, filters, texts=TEXTS, numbers=NUMBERS, special=self.special
        )

    async def create(self, asked: Asked, data: Any) -> Told:
        """Add one to a device."""
        return await self.anew(asked, await create_interface(asked, data, self.owner, self.told_only()))

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change one."""
        await update_interface(asked, await self.row(asked, number), data, self.owner, self.told_only())
        return await self.anew(asked, number)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Delete one with its addresses."""
        await interfaces.delete(asked.session, asked.actor, (await self.row(asked, number)).id)
        return None

    @staticmethod
    def told_only() -> Collection[str]:
        """What is told and cannot be written."""
        return (
            "url", "display", "display_url", "created", "last_updated", "mac_addresses", "count_ipaddresses",
            "count_fhrp_groups", "_occupied", "link_peers", "connected_endpoints",
        )  # fmt: skip

    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of interfaces."""
        rows: Sequence[NetworkInterface] = (await asked.session.scalars(chosen)).all()
        if not rows:
            return []
        keys = {one.device_id for one in rows}
        found = await asked.session.execute(
            select(Device.id, Device.number, Device.name).where(Device.id.in_(sorted(keys)))
        )
        owners = {row.id: row for row in found}
        counted = select(IpAddress.interface_id, func.count()).where(
            IpAddress.interface_id.in_([one.id for one in rows])
        )
        counts: Any = await asked.session.execute(counted.group_by(IpAddress.interface_id))
        addresses = {row[0]: row[1] for row in counts}
        return [self._told(asked, one, owners[one.device_id], addresses.get(one.id, 0)) for one in rows]

    def nested(self, asked: Asked, row: NetworkInterface, owner: Any) -> Told:
        """An interface within another object."""
        return {
            "id": row.number,
            "url": asked.url(self.path, row.number),
            "display": row.interface_name,
            self.owner: nested_host(asked, self.owners_path, owner),
            "name": row.interface_name,
            "description": row.description,
        }

    def _told(self, asked: Asked, row: NetworkInterface, owner: Any, addresses: int) -> Told:
        mac = row.mac_address and str(row.mac_address).upper()
        own = mac and {
            "id": row.number,
            "url": asked.url("dcim/mac-addresses", row.number),
            "display": mac,
            "mac_address": mac,
            "description": "",
        }
        told = {
            **dict.fromkeys(_NOTHING),
            **self.nested(asked, row, owner),
            "display_url": asked.page(f"/devices/{row.device_id}"),
            "enabled": row.status != "disabled",
            "mtu": row.mtu,
            "mac_address": mac,
            "primary_mac_address": own,
            "mac_addresses": [own] if own else [],
            "tagged_vlans": [],
            "tags": [],
            "custom_fields": {},
            "created": row.created_at,
            "last_updated": row.updated_at,
            "count_ipaddresses": addresses,
            "count_fhrp_groups": 0,
        }
        return told if self.is_virtual else told | self._of_device(row)

    @staticmethod
    def _of_device(row: NetworkInterface) -> Told:
        kept = kept_of(row)
        return {
            "label": kept.get("label") or "",
            "type": labelled(TYPES, type_of(row.interface_type, row.speed_mbps, kept)),
            "speed": row.speed_mbps * 1000 if row.speed_mbps is not None else None,
            "mgmt_only": kept.get("mgmt_only") is True,
            "vdcs": [],
            "mark_connected": False,
            "link_peers": [],
            "connected_endpoints": None,
            "wireless_lans": [],
            "_occupied": False,
        }


_SPECIAL: Mapping[str, part_filters.Make] = {
    **part_filters.like_hosts(_DEVICE),
    "q": part_filters.matching(_MODEL.interface_name.expression, _MAC, _MODEL.description.expression),
    "mac_address": _macs,
    "enabled": _enabled,
}


class DeviceInterfaces(Interfaces):
    """Interfaces of devices."""

    path = "dcim/interfaces"
    model = "dcim.interface"
    is_virtual = False
    owner = "device"
    owners_path = "dcim/devices"
    choices: ClassVar = {"type": TYPES}
    required: ClassVar = ("device", "name", "type")
    written: ClassVar = (
        "device", "name", "label", "type", "enabled", "mtu", "mac_address", "primary_mac_address", "speed",
        "mgmt_only", "description",
    )  # fmt: skip
    special: ClassVar = {
        **_SPECIAL,
        # There are no virtual chassis, of which each device would be a member.
        **dict.fromkeys(
            ("device", "device_id", "virtual_chassis_member", "virtual_chassis_member_id"),
            part_filters.of_host(_DEVICE, is_virtual=False),
        ),
        "type": _kind,
        "kind": _kind,
        "speed": _speed,
    }


class MachineInterfaces(Interfaces):
    """Interfaces of virtual machines."""

    path = "virtualization/interfaces"
    model = "virtualization.vminterface"
    is_virtual = True
    owner = "virtual_machine"
    owners_path = "virtualization/virtual-machines"
    required: ClassVar = ("virtual_machine", "name")
    written: ClassVar = (
        "virtual_machine", "name", "enabled", "mtu", "mac_address", "primary_mac_address", "description",
    )  # fmt: skip
    special: ClassVar = {
        **_SPECIAL,
        **dict.fromkeys(
            ("virtual_machine", "virtual_machine_id"), part_filters.of_host(_DEVICE, is_virtual=True)
        ),
    }


DEVICE_INTERFACES = DeviceInterfaces()
MACHINE_INTERFACES = MachineInterfaces()
