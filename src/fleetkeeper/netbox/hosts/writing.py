"""Devices and virtual machines, written by clients of NetBox through the services of their rooms."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fleetkeeper.annotations.fields.values import change_values
from fleetkeeper.annotations.tags.service import set_tags
from fleetkeeper.devices.components.models import IpAddress
from fleetkeeper.devices.components.schemas import AddressWrite
from fleetkeeper.devices.components.service import addresses
from fleetkeeper.devices.creating import create_device
from fleetkeeper.devices.metadata import change_metadata
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.schemas import DeviceCreate, DeviceUpdate
from fleetkeeper.devices.service import update_device
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.netbox.annotations.tags import TAGS
from fleetkeeper.netbox.hosts.context import context_in
from fleetkeeper.netbox.hosts.machine_writing import Machine, machine_in, write_machine
from fleetkeeper.netbox.hosts.related import family_of
from fleetkeeper.netbox.hosts.status_words import LIFECYCLES
from fleetkeeper.netbox.names.hardware import DEVICE_TYPES, PLATFORMS
from fleetkeeper.netbox.names.roles import BUILTIN, ROLES, SOURCE, label_of
from fleetkeeper.netbox.places.sites import LOCATIONS, SITES
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.places.tree import tree_of
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.query import refused

_TABLE = "devices"
_TEXTS = {
    "serial": ("serial_number", 300),
    "asset_tag": ("asset_tag", 100),
    "description": ("description", 2000),
}


class Wanted:
    """What a body says, sorted by who writes it."""

    def __init__(self) -> None:
        # Of the device's own fields.
        self.fields: dict[str, Any] = {}
        # Of its columns that people do not enter elsewhere.
        self.columns: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.tags: Collection[str] | None = None
        self.values: dict[str, Any] | None = None
        # The number of the primary address by its family; None for none.
        self.primary: dict[int, int | None] = {}
        self.machine: Machine | None = None


async def create_host(asked: Asked, data: Any, *, is_virtual: bool, told: Collection[str]) -> int:
    """Enter a device; returns its number. Raises as the services do, and InvalidInputError."""
    body = Body(data, ("name",))
    wanted = await _read(asked, body, None, is_virtual=is_virtual)
    body.finish(told)
    if is_virtual:
        wanted.fields["device_type"] = "vm"
    if "department_id" not in wanted.fields:
        wanted.fields["department_id"] = await TENANTS.only_one(asked)
    made = await create_device(asked.session, asked.actor, DeviceCreate(**wanted.fields), utc_now())
    await _write_rest(asked, made.id, wanted)
    asked.session.expire_all()
    number = await asked.session.scalar(select(Device.number).where(Device.id == made.id))
    return int(number or 0)


async def update_host(
    asked: Asked, row: Device, data: Any, *, is_virtual: bool, told: Collection[str]
) -> None:
    """Change a device."""
    body = Body(data)
    wanted = await _read(asked, body, row, is_virtual=is_virtual)
    body.finish(told)
    changes = {name: value for name, value in wanted.fields.items() if getattr(row, name) != value}
    key = row.id
    if changes:
        await update_device(asked.session, asked.actor, key, DeviceUpdate(**changes), expected_version=None)
    await _write_rest(asked, key, wanted)


async def _read(asked: Asked, body: Body, row: Device | None, *, is_virtual: bool) -> Wanted:
    wanted = Wanted()
    _read_texts(body, row, wanted)
    if body.has("status") and (status := body.choice("status", LIFECYCLES)) is not None:
        wanted.fields["lifecycle"] = LIFECYCLES[status]
        wanted.kept["status"] = status
    if body.has("local_context_data"):
        wanted.kept["local_context_data"] = context_in(body)
    await _read_places(asked, body, row, wanted)
    await _read_names(asked, body, row, wanted, is_virtual=is_virtual)
    await _read_annotations(asked, body, wanted)
    for family in (4, 6):
        name = f"primary_ip{family}"
        if body.has(name) and (row is not None or body.raw(name) is not None):
            wanted.primary[family] = _number(body, name)
    if is_virtual:
        wanted.machine = await machine_in(asked, body)
    return wanted


def _read_texts(body: Body, row: Device | None, wanted: Wanted) -> None:
    if body.has("name"):
        wanted.fields["name"] = body.text("name", 255)
        if row is not None and not wanted.fields["name"]:
            body.refuse("name", "This field may not be blank.")
    for theirs, (ours, longest) in _TEXTS.items():
        if body.has(theirs):
            wanted.fields[ours] = body.text(theirs, longest) or None
    if body.has("comments"):
        wanted.kept["comments"] = body.text("comments", 10_000, is_line_only=False) or None


async def _read_annotations(asked: Asked, body: Body, wanted: Wanted) -> None:
    if body.has("tags"):
        wanted.tags = await TAGS.slugs_in(asked, body)
    if body.has("custom_fields"):
        told = body.raw("custom_fields")
        if told is not None and not isinstance(told, dict):
            body.refuse("custom_fields", "Must be an object.")
        else:
            wanted.values = told


async def _read_places(asked: Asked, body: Body, row: Device | None, wanted: Wanted) -> None:
    if body.has("tenant"):
        tenant = await TENANTS.referred(asked, body, "tenant")
        wanted.fields["department_id"] = tenant and tenant.source.id
    has_site, has_location = body.has("site"), body.has("location")
    if not has_site and not has_location:
        return
    site = await SITES.referred(asked, body, "site")
    location = await LOCATIONS.referred(asked, body, "location")
    tree = await tree_of(asked)
    present = row.location_id if row is not None else None
    if location is not None and site is not None and tree.site(location.source.id) != site.source.id:
        body.refuse("location", f"Location {location.name} does not belong to site {site.name}.")
    elif location is not None:
        wanted.fields["location_id"] = location.source.id
    elif has_site:
        stays = site is not None and not has_location and tree.site(present) == site.source.id
        wanted.fields["location_id"] = present if stays else site and site.source.id
    else:
        wanted.fields["location_id"] = tree.site(present)


async def _read_names(
    asked: Asked, body: Body, row: Device | None, wanted: Wanted, *, is_virtual: bool
) -> None:
    if body.has("role") or body.has("device_role"):
        name = "role" if body.has("role") else "device_role"
        role = await ROLES.referred(asked, body, name)
        if role is not None:
            own = role.source[0][1]
            wanted.kept["role"] = None if own in BUILTIN and not is_virtual else own
            if not is_virtual:
                wanted.fields["device_type"] = _stays(row, ROLES.device_type(role))
            elif own == label_of("vm"):
                wanted.kept["role"] = None
    if body.has("platform"):
        platform = await PLATFORMS.referred(asked, body, "platform")
        wanted.columns["os_name"] = platform and platform.source[0][1]
    if not is_virtual and body.has("device_type"):
        kind = await DEVICE_TYPES.referred(asked, body, "device_type")
        maker, model = kind.source[0] if kind is not None else ("", "")
        wanted.fields |= {"manufacturer": maker or None, "model": model or None}


def _stays(row: Device | None, device_type: str) -> str:
    """A role that says nothing of the kind of machine leaves it what it is."""
    if device_type == "vm" or (device_type == "other" and row is not None):
        return row.device_type if row is not None else "other"
    return device_type


def _number(body: Body, name: str) -> int | None:
    value = body.raw(name)
    if isinstance(value, dict):
        value = value.get("id")
    if value is None:
        return None
    return Body({name: value}).whole(name, 2**63 - 1) or 0


async def _write_rest(asked: Asked, key: UUID, wanted: Wanted) -> None:
    if wanted.kept or wanted.columns:
        await change_metadata(asked.session, asked.actor, key, SOURCE, wanted.kept, wanted.columns)
    if wanted.tags is not None:
        await set_tags(asked.session, asked.actor, _TABLE, key, wanted.tags)
    if wanted.values:
        await change_values(asked.session, asked.actor, asked.sealer, _TABLE, key, wanted.values)
    for family, number in wanted.primary.items():
        await _set_primary(asked, key, family, number)
    if wanted.machine is not None:
        await write_machine(asked, key, wanted.machine)


async def _set_primary(asked: Asked, key: UUID, family: int, number: int | None) -> None:
    """Let a device be reached by one of its addresses, and no more by the one before."""
    name = f"primary_ip{family}"
    rows = await asked.session.scalars(select(IpAddress).where(IpAddress.device_id == key))
    own = {one.number: one for one in rows if family_of(one.address) == family}
    if number is not None and number not in own:
        raise refused(name, f"The specified IP address is not an IPv{family} address of this device.")
    present = [one for one in own.values() if one.is_primary and one.number != number]
    wanted = [own[number]] if number is not None and not own[number].is_primary else []
    for one, is_primary in (*((one, False) for one in present), *((one, True) for one in wanted)):
        told = {name: getattr(one, name) for name in AddressWrite.model_fields}
        told |= {"is_primary": is_primary, "address": str(one.address)}
        await addresses.change(asked.session, asked.actor, one.id, AddressWrite(**told))
