"""`ipam/ip-addresses`: addresses of interfaces."""

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, String, cast, false, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import INET

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices.components.models import IpAddress, NetworkInterface
from fleetkeeper.devices.components.service import addresses
from fleetkeeper.devices.models import Device
from fleetkeeper.netbox.hosts.related import family_of
from fleetkeeper.netbox.parts import filters as part_filters
from fleetkeeper.netbox.parts.address_writing import create_address, update_address
from fleetkeeper.netbox.parts.addresses_shown import PATH, of_host, with_prefix
from fleetkeeper.netbox.parts.interfaces import DEVICE_INTERFACES, MACHINE_INTERFACES
from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.kind import Choices, Told, labelled
from fleetkeeper.netbox.protocol.query import no_choice, refused, truth
from fleetkeeper.netbox.protocol.rows import Rows

STATUSES: Choices = {
    "active": "Active",
    "reserved": "Reserved",
    "deprecated": "Deprecated",
    "dhcp": "DHCP",
    "slaac": "SLAAC",
}
_MODEL = IpAddress
_DEVICE = _MODEL.device_id.expression
TEXTS = {"dns_name": _MODEL.dns_name.expression, "description": _MODEL.description.expression}
NUMBERS = {
    "id": (_MODEL.number.expression, operators.read_whole),
    "mask_length": (func.masklen(_MODEL.address), operators.read_whole),
    "created": (_MODEL.created_at.expression, operators.read_moment),
    "last_updated": (_MODEL.updated_at.expression, operators.read_moment),
}


def _inet(address: str) -> ColumnElement[Any]:
    return cast(literal(address, String), INET)


async def _address(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """An address alone fits with any prefix; one with its prefix fits itself alone."""
    del asked
    fitting: list[ColumnElement[bool]] = []
    for one in values:
        try:
            found = ipaddress.ip_interface(one.partition("%")[0])
        except ValueError:
            raise refused(name, f"Invalid IP address: {one[:100]}") from None
        if "/" in one:
            fitting.append(_MODEL.address == _inet(str(found)))
        else:
            fitting.append(of_host(found.ip))
    return or_(*fitting)


async def _within(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked
    fitting: list[ColumnElement[bool]] = []
    for one in values:
        try:
            network = ipaddress.ip_network(one, strict=False)
        except ValueError:
            raise refused(name, f"Invalid IP prefix: {one[:100]}") from None
        fitting.append(_MODEL.address.op("<<=")(_inet(str(network))))
    return or_(*fitting)


async def _family(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked
    return func.family(_MODEL.address).in_([operators.read_whole(name, one) for one in values])


async def _status(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked
    for one in values:
        if one not in STATUSES:
            raise no_choice(name, one)
    return _MODEL.status.in_(list(values))


async def _interface(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """By number after `_id`, else by name."""
    is_virtual = name.startswith("vminterface")
    own = select(NetworkInterface.id).where(
        NetworkInterface.device_id.in_(part_filters.hosts(asked, is_virtual=is_virtual))
    )
    if name.endswith("_id"):
        numbers = [operators.read_whole(name, one) for one in values if one != "null"]
        return _MODEL.interface_id.in_(own.where(NetworkInterface.number.in_(numbers)))
    return _MODEL.interface_id.in_(own.where(NetworkInterface.interface_name.in_(list(values))))


async def _object(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """The interface of either kind, by its number."""
    del asked
    numbers = [operators.read_whole(name, one) for one in values if one != "null"]
    return _MODEL.interface_id.in_(select(NetworkInterface.id).where(NetworkInterface.number.in_(numbers)))


async def _vrf(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """All addresses are in the one table that there is."""
    del asked
    for one in values:
        if one != "null":
            raise no_choice(name, one)
    return true()


async def _assigned(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    """All addresses here are an interface's."""
    del asked
    return true() if truth(name, values[-1]) else false()


class IpAddresses(Rows):
    """Addresses, each of an interface."""

    path = PATH
    model = "ipam.ipaddress"
    noun = "IP address"
    table: ClassVar = IpAddress
    brief: ClassVar = ("id", "url", "display", "family", "address", "description")
    choices: ClassVar = {"status": STATUSES}
    required: ClassVar = ("address",)
    written: ClassVar = (
        "address", "status", "assigned_object_type", "assigned_object_id", "dns_name", "description",
    )  # fmt: skip
    orderings: ClassVar = {
        "id": _MODEL.number.expression,
        "address": _MODEL.address.expression,
        "dns_name": _MODEL.dns_name.expression,
    }
    default_ordering: ClassVar = ("address",)
    special: ClassVar[Mapping[str, part_filters.Make]] = {
        **dict.fromkeys(("tenant", "tenant_id"), part_filters.like_hosts(_DEVICE)["tenant"]),
        **part_filters.like_hosts(_DEVICE),
        **dict.fromkeys(("device", "device_id"), part_filters.of_host(_DEVICE, is_virtual=False)),
        **dict.fromkeys(
            ("virtual_machine", "virtual_machine_id"), part_filters.of_host(_DEVICE, is_virtual=True)
        ),
        **dict.fromkeys(("interface", "interface_id", "vminterface", "vminterface_id"), _interface),
        "q": part_filters.matching(cast(_MODEL.address, String), *TEXTS.values()),
        "address": _address,
        "parent": _within,
        "family": _family,
        **dict.fromkeys(("assigned_object", "assigned_object_id"), _object),
        **dict.fromkeys(("vrf", "vrf_id"), _vrf),
        "status": _status,
        "assigned_to_interface": _assigned,
        "assigned": _assigned,
    }

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return (*TEXTS, *NUMBERS, *self.special)

    def visible(self, asked: Asked) -> Select[Any]:
        """Those of the devices that the caller may see."""
        return select(_MODEL).where(_MODEL.device_id.in_(part_filters.hosts(asked, is_virtual=None)))

    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by."""
        return await part_filters.conditions(
            asked, filters, texts=TEXTS, numbers=NUMBERS, special=self.special
        )

    async def create(self, asked: Asked, data: Any) -> Told:
        """Give an interface an address."""
        return await self.anew(asked, await create_address(asked, data, self.told_only()))

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change an address."""
        await update_address(asked, await self.row(asked, number), data, self.told_only())
        return await self.anew(asked, number)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Take an address from its interface."""
        await addresses.delete(asked.session, asked.actor, (await self.row(asked, number)).id)
        return None

    @staticmethod
    def told_only() -> Collection[str]:
        """What is told and cannot be written."""
        return (
            "url", "display", "display_url", "created", "last_updated", "family", "assigned_object", "nat_outside",
        )  # fmt: skip

    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of addresses."""
        rows: Sequence[IpAddress] = (await asked.session.scalars(chosen)).all()
        if not rows:
            return []
        keys = sorted({one.interface_id for one in rows})
        found = await asked.session.execute(
            select(NetworkInterface, Device.number, Device.name, Device.device_type)
            .join(Device, Device.id == NetworkInterface.device_id)
            .where(NetworkInterface.id.in_(keys))
        )
        interfaces = {row[0].id: row for row in found}
        return [self._told(asked, one, interfaces[one.interface_id]) for one in rows]

    def _told(self, asked: Asked, row: IpAddress, interface: Any) -> Told:
        kind = MACHINE_INTERFACES if interface.device_type == "vm" else DEVICE_INTERFACES
        family, shown = family_of(row.address), with_prefix(row.address)
        return {
            "id": row.number,
            "url": asked.url(PATH, row.number),
            "display_url": asked.page(f"/devices/{row.device_id}"),
            "display": shown,
            "family": {"value": family, "label": f"IPv{family}"},
            "address": shown,
            "vrf": None,
            "tenant": None,
            "status": labelled(STATUSES, row.status),
            "role": None,
            "assigned_object_type": kind.model,
            "assigned_object_id": interface[0].number,
            "assigned_object": kind.nested(asked, interface[0], interface),
            "nat_inside": None,
            "nat_outside": [],
            "dns_name": row.dns_name,
            "description": row.description,
            "comments": "",
            "tags": [],
            "custom_fields": {},
            "created": row.created_at,
            "last_updated": row.updated_at,
        }


IP_ADDRESSES = IpAddresses()
