"""What lists of devices and virtual machines are filtered by."""

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, String, and_, cast, exists, false, func, not_, or_, select

from fleetkeeper.annotations.fields.filters import fields_asked_for, with_value
from fleetkeeper.annotations.tags.queries import tagged_with
from fleetkeeper.devices.components.models import IpAddress, NetworkInterface, Vm
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.relationships.models import DeviceRelationship
from fleetkeeper.kit.addresses import plain_mac
from fleetkeeper.netbox.annotations.tags import TAGS
from fleetkeeper.netbox.hosts.status_words import STATUSES, has_status
from fleetkeeper.netbox.names.hardware import DEVICE_TYPES, MANUFACTURERS, PLATFORMS
from fleetkeeper.netbox.names.roles import ROLES
from fleetkeeper.netbox.parts.addresses_shown import of_host
from fleetkeeper.netbox.places.sites import LOCATIONS, SITES
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.places.tree import tree_of
from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.items import Items
from fleetkeeper.netbox.protocol.query import no_choice, truth

TABLE = "devices"
Values = Sequence[str]
Condition = ColumnElement[bool]
Make = Callable[[Asked, str, Values], Awaitable[Condition]]

TEXTS: Mapping[str, ColumnElement[Any]] = {
    "name": Device.name.expression,
    "serial": Device.serial_number.expression,
    "asset_tag": Device.asset_tag.expression,
    "description": Device.description.expression,
}
_NAMES = {
    "role": ROLES,
    "device_type": DEVICE_TYPES,
    "manufacturer": MANUFACTURERS,
    "platform": PLATFORMS,
}
NUMBERS: Mapping[str, tuple[ColumnElement[Any], Callable[..., Any]]] = {
    "id": (Device.number.expression, operators.read_whole),
    "created": (Device.created_at.expression, operators.read_moment),
    "last_updated": (Device.updated_at.expression, operators.read_moment),
    "vcpus": (Device.cpu_cores.expression, operators.read_whole),
}


async def _of_names(asked: Asked, name: str, values: Values) -> Condition:
    kind: Any = _NAMES[name.removesuffix("_id")]
    condition: Condition = kind.condition(await kind.asked_for(asked, name, values))
    return condition


async def _model(asked: Asked, name: str, values: Values) -> Condition:
    del asked, name
    return Device.model.in_(list(values))


async def _place(asked: Asked, name: str, values: Values) -> Condition:
    kind: Items = SITES if name.startswith("site") else LOCATIONS
    found = await kind.asked_for(asked, name, values)
    tree = await tree_of(asked)
    keys = {key for one in found if one is not None for key in tree.below(one.source.id)}
    fitting = [Device.location_id.in_(sorted(keys))] if keys else []
    if None in found:
        fitting.append(Device.location_id.is_(None))
    return operators.either(fitting)


async def _tenant(asked: Asked, name: str, values: Values) -> Condition:
    found = await TENANTS.asked_for(asked, name, values)
    keys = [one.source.id for one in found if one is not None]
    fitting = [Device.department_id.in_(keys)] if keys else []
    if None in found:
        fitting.append(Device.department_id.is_(None))
    return operators.either(fitting)


async def _tag(asked: Asked, name: str, values: Values) -> Condition:
    """Several tags are all wanted, the one case in which several values of a filter are no alternatives."""
    found = await TAGS.asked_for(asked, name, values)
    conditions = []
    for one in found:
        if one is None:
            conditions.append(
                Device.id.not_in(tagged_with(TABLE, [tag.slug for tag in await TAGS.known(asked)]))
            )
        else:
            conditions.append(Device.id.in_(tagged_with(TABLE, [one.slug])))
    return and_(*conditions)


async def _status(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    for one in values:
        if one not in STATUSES:
            raise no_choice(name, one)
    return or_(*(has_status(one) for one in values))


async def _search(asked: Asked, name: str, values: Values) -> Condition:
    del asked, name
    column = Device.search_text.expression
    own = operators.text_condition(Device.asset_tag.expression, "ic", values)
    fitting = [column.ilike(f"%{_escaped(plain_mac(one.strip()))}%", escape="\\") for one in values]
    return or_(*fitting, own, *map(_has_address, values))


def _has_address(text: str) -> Condition:
    """Devices with an interface that has this address; none for a text that is no address."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return false()
    return Device.id.in_(select(IpAddress.device_id).where(of_host(address)))


async def _has_primary(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    found = exists().where(IpAddress.device_id == Device.id, IpAddress.is_primary)
    return found if truth(name, values[-1]) else not_(found)


async def _has_interfaces(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    found = exists().where(NetworkInterface.device_id == Device.id)
    return found if truth(name, values[-1]) else not_(found)


async def _mac(asked: Asked, name: str, values: Values) -> Condition:
    del asked, name
    wanted = [plain_mac(one) for one in values]
    told = cast(NetworkInterface.mac_address, String)
    return Device.id.in_(select(NetworkInterface.device_id).where(told.in_(wanted)))


async def _primary(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    numbers = [operators.read_whole(name, one) for one in values]
    return Device.id.in_(
        select(IpAddress.device_id).where(IpAddress.number.in_(numbers), IpAddress.is_primary)
    )


async def _host(asked: Asked, name: str, values: Values) -> Condition:
    """Virtual machines that run on one of some hosts, by number or name."""
    del asked
    host = Device.__table__.alias("host")
    if name.endswith("_id"):
        wanted = host.c.number.in_([operators.read_whole(name, one) for one in values if one != "null"])
    else:
        wanted = host.c.name.in_(list(values))
    hosted = select(DeviceRelationship.child_device_id).where(
        DeviceRelationship.relationship_type == "hosts", DeviceRelationship.valid_to.is_(None)
    )
    fitting = [
        Device.id.in_(hosted.join(host, host.c.id == DeviceRelationship.parent_device_id).where(wanted))
    ]
    if "null" in values:
        fitting.append(Device.id.not_in(hosted))
    return or_(*fitting)


async def _local_context(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    told = Device.extra[("netbox", "local_context_data")].is_not(None)
    has = and_(told, func.jsonb_typeof(Device.extra[("netbox", "local_context_data")]) == "object")
    return has if truth(name, values[-1]) else not_(func.coalesce(has, False))


async def _memory(asked: Asked, name: str, values: Values) -> Condition:
    del asked
    wanted = [operators.read_whole(name, one) for one in values]
    return Device.id.in_(select(Vm.device_id).where(Vm.memory_mb.in_(wanted)))


_BOTH: Mapping[str, Make] = {
    **dict.fromkeys(("role", "role_id", "platform", "platform_id"), _of_names),
    **dict.fromkeys(("site", "site_id", "location", "location_id"), _place),
    **dict.fromkeys(("tenant", "tenant_id"), _tenant),
    **dict.fromkeys(("tag", "tag_id"), _tag),
    **dict.fromkeys(("primary_ip4", "primary_ip4_id", "primary_ip6", "primary_ip6_id"), _primary),
    "status": _status,
    "q": _search,
    "has_primary_ip": _has_primary,
    "mac_address": _mac,
    "local_context_data": _local_context,
}
OF_DEVICES: Mapping[str, Make] = {
    **_BOTH,
    **dict.fromkeys(("device_type", "device_type_id", "manufacturer", "manufacturer_id"), _of_names),
    "model": _model,
    "interfaces": _has_interfaces,
}
OF_MACHINES: Mapping[str, Make] = {
    **_BOTH,
    **dict.fromkeys(("cluster", "cluster_id", "device", "device_id"), _host),
    "memory": _memory,
}


async def conditions(
    asked: Asked, known: Mapping[str, Make], filters: Mapping[str, Values]
) -> list[Condition]:
    """What a list is filtered by. Raises InvalidInputError."""
    found = []
    fields: Any = None
    for full_name, values in filters.items():
        name, lookup = operators.split(full_name)
        if name.startswith("cf_"):
            if fields is None:
                fields = await fields_asked_for(asked.session, asked.actor, TABLE, [("cf_", "")])
            found.append(_of_field(fields, full_name, name, lookup, values))
        elif name in TEXTS and lookup in operators.TEXT:
            found.append(
                operators.text_condition(
                    TEXTS[name], lookup, ["" if one == "null" else one for one in values]
                )
            )
        elif name in NUMBERS and lookup in operators.NUMBER:
            column, read = NUMBERS[name]
            found.append(operators.number_condition(full_name, column, lookup, values, read))
        elif name in known and lookup in operators.SAME:
            if name.startswith("tag") and lookup:
                found += [not_(await known[name](asked, name, [one])) for one in values]
                continue
            made = await known[name](asked, name, values)
            found.append(or_(not_(made), made.is_(None)) if lookup else made)
        else:
            raise operators.unknown(full_name)
    return found


def _of_field(fields: Any, full_name: str, name: str, lookup: str, values: Values) -> Condition:
    """A custom field's filter: NetBox's lookups in the words of ours."""
    ours = {"": "", "n": "", "ic": "__contains", "empty": "__isnull"} | {
        one: f"__{one}" for one in ("lt", "lte", "gt", "gte")
    }
    if lookup not in ours:
        raise operators.unknown(full_name)
    fitting = []
    for one in values:
        asked_for = f"{name}__isnull" if one in {"null", ""} else f"{name}{ours[lookup]}"
        text = "true" if one in {"null", ""} else one
        chosen = with_value(select(Device.id), Device.id.expression, fields, asked_for, text)
        fitting.append(Device.id.in_(chosen))
    made = or_(*fitting)
    return not_(made) if lookup == "n" else made


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
