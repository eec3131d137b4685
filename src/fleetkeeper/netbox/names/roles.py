"""`dcim/device-roles`: the product's own kinds of devices, and roles that were registered."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, get_args

from sqlalchemy import ColumnElement, and_, false, or_

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.schemas import DeviceType
from fleetkeeper.errors import ConflictError, FieldError
from fleetkeeper.netbox.models import NetboxName
from fleetkeeper.netbox.names.registered import Key, Names
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item

# Under which what NetBox's clients say is kept in a device's metadata.
SOURCE = "netbox"
ROLE = Device.extra[(SOURCE, "role")].as_string()
_LABELS = {"vm": "Virtual machine", "network_device": "Network device"}
# What a role says of the kind of machine.
_MEANINGS = (
    (
        "network_device",
        re.compile(r"switch|router|firewall|leaf|spine|access[-_ ]?point|load[-_ ]?balancer|wlc|gateway"),
    ),
    ("storage", re.compile(r"storage|\bsan\b|\bnas\b|filer")),
    ("workstation", re.compile(r"workstation|desktop|laptop|notebook|\bpc\b")),
    ("vehicle", re.compile(r"vehicle|\bcar\b|truck")),
    ("server", re.compile(r"server|hypervisor|host|compute|database|node|web")),
)


def meaning_of(text: str) -> str:
    """The kind of machine that a role's name speaks of; `other` for none."""
    return next((kind for kind, words in _MEANINGS if words.search(text.lower())), "other")


def label_of(device_type: str) -> str:
    """What people call a kind of machine."""
    return _LABELS.get(device_type, device_type.capitalize())


BUILTIN = {label_of(one): one for one in get_args(DeviceType) if one != "container"}


class Roles(Names):
    """Kinds of devices, as far as they go, and beyond them what clients have registered."""

    path = "dcim/device-roles"
    model = "dcim.devicerole"
    noun = "Device role"
    kind = "device_role"
    written: ClassVar = ("name", "slug", "color", "vm_role", "description")
    kept: ClassVar = {"color": "9e9e9e", "vm_role": True}
    more_filters: ClassVar = ("color", "vm_role")

    async def in_use(self, asked: Asked) -> Iterable[Key]:
        """Those of the product."""
        del asked
        return [("", one) for one in BUILTIN]

    def key_of(self, device: Device) -> Key:
        """The role of a device."""
        own = device.extra.get(SOURCE)
        role = own.get("role") if isinstance(own, dict) else None
        return "", role if isinstance(role, str) and role else label_of(device.device_type)

    def device_type(self, item: Item) -> str:
        """The kind of machine that a role says."""
        name = item.source[0][1]
        return BUILTIN.get(name) or str(item.values.get("device_type") or meaning_of(f"{item.slug} {name}"))

    def condition(self, items: Iterable[Item | None]) -> ColumnElement[bool]:
        """Devices that have one of them."""
        names = [one.source[0][1] for one in items if one is not None]
        own = [name for name in names if name not in BUILTIN]
        kinds = [BUILTIN[name] for name in names if name in BUILTIN]
        fitting = [ROLE.in_(own)] if own else []
        if kinds:
            fitting.append(and_(Device.device_type.in_(kinds), ROLE.is_(None)))
        return or_(*fitting) if fitting else false()

    async def create(self, asked: Asked, data: Any) -> Any:
        """Register a role. Raises ConflictError for one that the product has."""
        body = Body(data, self.required)
        name, slug = body.text("name"), body.text("slug")
        for one in await self.known(asked):
            if one.source[1] is None and (one.name == name or one.slug == slug):
                field = "name" if one.name == name else "slug"
                wrong = FieldError(field, f"Device role with this {field} already exists.")
                raise ConflictError("Nothing was created.", fields=[wrong])
        return await super().create(asked, data)

    def told(self, asked: Asked, item: Item) -> dict[str, Any]:
        """A role."""
        return super().told(asked, item) | {
            "config_template": None,
            "parent": None,
            "virtualmachine_count": 0,
        }

    def _values(self, key: Key, row: NetboxName | None) -> dict[str, Any]:
        values = super()._values(key, row)
        if row is None:
            values["vm_role"] = True
        return values

    def _attributes(self, body: Body, slug: str, *, is_new: bool = True) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        if body.has("color"):
            kept["color"] = body.text("color", 6) or self.kept["color"]
        if body.has("vm_role"):
            kept["vm_role"] = body.flag("vm_role", default=True)
        if is_new:
            kept["device_type"] = meaning_of(f"{slug} {body.text('name', 300)}")
        return kept

    async def of_keys(self, asked: Asked, keys: Iterable[Key]) -> dict[Key, Item]:
        """Some of them; the product's have no row."""
        wanted = list(keys)
        own = await super().of_keys(asked, [key for key in wanted if key[1] not in BUILTIN])
        return own | {key: self.item(key, None) for key in wanted if key[1] in BUILTIN}


ROLES = Roles()
