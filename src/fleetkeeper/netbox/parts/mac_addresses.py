"""`dcim/mac-addresses`: each interface has one at most, which goes by the interface's number."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Select, String, cast, select

from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.devices.components.models import NetworkInterface
from fleetkeeper.devices.components.schemas import InterfaceWrite
from fleetkeeper.devices.components.service import interfaces
from fleetkeeper.devices.models import Device
from fleetkeeper.kit.addresses import plain_mac
from fleetkeeper.netbox.parts import filters as part_filters
from fleetkeeper.netbox.parts.interfaces import DEVICE_INTERFACES, MACHINE_INTERFACES
from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.kind import Told
from fleetkeeper.netbox.protocol.rows import Rows

_MODEL = NetworkInterface
_MAC = cast(_MODEL.mac_address, String)
_DEVICE = _MODEL.device_id.expression
_TYPES = {"dcim.interface": DEVICE_INTERFACES, "virtualization.vminterface": MACHINE_INTERFACES}
NEEDED = (
    "Fleetkeeper keeps MAC addresses of interfaces: name one by assigned_object_type and assigned_object_id."
)


async def _mac(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
    del asked, name
    return _MAC.in_([plain_mac(one) for one in values])


def _of_interface(kind: Any, *, by_number: bool) -> part_filters.Make:
    async def make(asked: Asked, name: str, values: Sequence[str]) -> ColumnElement[bool]:
        own = kind.visible(asked).with_only_columns(_MODEL.id)
        if by_number:
            return _MODEL.id.in_(
                own.where(_MODEL.number.in_([operators.read_whole(name, one) for one in values]))
            )
        return _MODEL.id.in_(own.where(_MODEL.interface_name.in_(list(values))))

    return make


class MacAddresses(Rows):
    """MAC addresses of interfaces."""

    path = "dcim/mac-addresses"
    model = "dcim.macaddress"
    noun = "MAC address"
    table: ClassVar = NetworkInterface
    brief: ClassVar = ("id", "url", "display", "mac_address", "description")
    required: ClassVar = ("mac_address", "assigned_object_type", "assigned_object_id")
    written: ClassVar = ("mac_address", "assigned_object_type", "assigned_object_id")
    orderings: ClassVar = {"id": _MODEL.number.expression, "mac_address": _MODEL.mac_address.expression}
    default_ordering: ClassVar = ("mac_address",)
    special: ClassVar[Mapping[str, part_filters.Make]] = {
        **dict.fromkeys(("device", "device_id"), part_filters.of_host(_DEVICE, is_virtual=False)),
        **dict.fromkeys(
            ("virtual_machine", "virtual_machine_id"), part_filters.of_host(_DEVICE, is_virtual=True)
        ),
        "interface": _of_interface(DEVICE_INTERFACES, by_number=False),
        "interface_id": _of_interface(DEVICE_INTERFACES, by_number=True),
        "vminterface": _of_interface(MACHINE_INTERFACES, by_number=False),
        "vminterface_id": _of_interface(MACHINE_INTERFACES, by_number=True),
        "mac_address": _mac,
        "q": part_filters.matching(_MAC),
    }
    numbers: ClassVar = {"id": (_MODEL.number.expression, operators.read_whole)}

    def filters(self) -> Collection[str]:
        """The names of its filters."""
        return (*self.numbers, *self.special)

    def visible(self, asked: Asked) -> Select[Any]:
        """Those of interfaces that have one."""
        own = part_filters.hosts(asked, is_virtual=None)
        return select(_MODEL).where(_MODEL.device_id.in_(own), _MODEL.mac_address.is_not(None))

    async def conditions(
        self, asked: Asked, filters: Mapping[str, Sequence[str]]
    ) -> list[ColumnElement[bool]]:
        """What a list is filtered by."""
        return await part_filters.conditions(
            asked, filters, texts={}, numbers=self.numbers, special=self.special
        )

    async def create(self, asked: Asked, data: Any) -> Told:
        """Give an interface a MAC address."""
        body = Body(data, ("mac_address",))
        row = await self._interface_in(asked, body)
        mac = body.text("mac_address", 30)
        body.finish(self._told_only())
        await self._set(asked, row, mac)
        return await self.anew(asked, row.number)

    async def change(self, asked: Asked, number: int, data: Any) -> Told:
        """Change it. It stays with its interface."""
        row = await self.row(asked, number)
        body = Body(data)
        for name in ("assigned_object_type", "assigned_object_id"):
            body.has(name)
        if body.whole("assigned_object_id", 2**63 - 1) not in {None, number}:
            body.refuse("assigned_object_id", "A MAC address stays with its interface; create another one.")
        mac = body.text("mac_address", 30) if body.has("mac_address") else str(row.mac_address)
        body.finish(self._told_only())
        await self._set(asked, row, mac)
        return await self.anew(asked, number)

    async def delete(self, asked: Asked, number: int) -> ApprovalRead | None:
        """Take it from its interface."""
        await self._set(asked, await self.row(asked, number), None)
        return None

    async def tell(self, asked: Asked, chosen: Select[Any]) -> list[Told]:
        """As NetBox tells of MAC addresses."""
        owner = select(Device.id, Device.number, Device.name, Device.device_type).subquery()
        joined = chosen.join(owner, owner.c.id == _MODEL.device_id).add_columns(
            owner.c.number, owner.c.name, owner.c.device_type
        )
        rows = (await asked.session.execute(joined)).all()
        return [self._told(asked, row[0], row) for row in rows]

    def _told(self, asked: Asked, row: NetworkInterface, owner: Any) -> Told:
        mac = str(row.mac_address).upper()
        kind = MACHINE_INTERFACES if owner.device_type == "vm" else DEVICE_INTERFACES
        return {
            "id": row.number,
            "url": asked.url(self.path, row.number),
            "display_url": asked.page(f"/devices/{row.device_id}"),
            "display": mac,
            "mac_address": mac,
            "assigned_object_type": kind.model,
            "assigned_object_id": row.number,
            "assigned_object": kind.nested(asked, row, owner),
            "description": "",
            "comments": "",
            "tags": [],
            "custom_fields": {},
            "created": row.created_at,
            "last_updated": row.updated_at,
        }

    async def _interface_in(self, asked: Asked, body: Body) -> NetworkInterface:
        kind = _TYPES.get(str(body.raw("assigned_object_type")))
        number = body.whole("assigned_object_id", 2**63 - 1)
        if kind is None or number is None:
            body.refuse("assigned_object_id", NEEDED)
            body.finish()
        found: Any = None
        if kind is not None:
            found = await asked.session.scalar(kind.visible(asked).where(_MODEL.number == number))
        if found is None:
            body.refuse(
                "assigned_object_id", f"Related object not found using the provided numeric ID: {number}"
            )
        elif found.mac_address is not None:
            body.refuse("assigned_object_id", "The interface has a MAC address already; change that one.")
        body.finish((*self._told_only(), "mac_address"))
        row: NetworkInterface = found
        return row

    @staticmethod
    async def _set(asked: Asked, row: NetworkInterface, mac: str | None) -> None:
        wanted = {name: getattr(row, name) for name in InterfaceWrite.model_fields} | {"mac_address": mac}
        await interfaces.change(asked.session, asked.actor, row.id, InterfaceWrite(**wanted))

    @staticmethod
    def _told_only() -> tuple[str, ...]:
        return ("url", "display", "display_url", "created", "last_updated", "assigned_object")


MAC_ADDRESSES = MacAddresses()
