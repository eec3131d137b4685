"""Network interfaces, written by clients of NetBox."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from fleetkeeper.devices.components.models import NetworkInterface
from fleetkeeper.devices.components.schemas import InterfaceWrite
from fleetkeeper.devices.components.service import interfaces
from fleetkeeper.devices.models import Device
from fleetkeeper.kit.text import is_storable
from fleetkeeper.netbox.names.roles import SOURCE
from fleetkeeper.netbox.parts import filters as part_filters
from fleetkeeper.netbox.parts.interface_types import is_type, kind_of
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body

_MOST = 2**31 - 1


def kept_of(row: NetworkInterface) -> Mapping[str, Any]:
    """What NetBox's clients said of an interface that only they ask for."""
    kept = row.extra.get(SOURCE)
    return kept if isinstance(kept, dict) else {}


async def create_interface(asked: Asked, data: Any, owner: str, told: Collection[str]) -> int:
    """Add an interface to a device; returns its number."""
    body = Body(data, (owner, "name"))
    wanted: dict[str, Any] = {
        "device_id": await owner_in(asked, body, owner),
        "interface_name": body.text("name", 100),
    }
    kept = _read(body, wanted, owner)
    body.finish(told)
    made = await interfaces.create(asked.session, asked.actor, InterfaceWrite(**wanted))
    row = await asked.session.get(NetworkInterface, made.id, populate_existing=True)
    if row is None:
        return 0
    _keep(row, kept)
    return row.number


async def update_interface(
    asked: Asked, row: NetworkInterface, data: Any, owner: str, told: Collection[str]
) -> None:
    """Change an interface."""
    body = Body(data)
    wanted = {name: getattr(row, name) for name in InterfaceWrite.model_fields}
    if body.has(owner):
        wanted["device_id"] = await owner_in(asked, body, owner) or row.device_id
    if body.has("name"):
        wanted["interface_name"] = body.text("name", 100)
    kept = _read(body, wanted, owner)
    body.finish(told)
    await interfaces.change(asked.session, asked.actor, row.id, InterfaceWrite(**wanted))
    _keep(row, kept)
    await asked.session.flush()


async def owner_in(asked: Asked, body: Body, owner: str) -> UUID | None:
    """The device that a field names, by number or by name."""
    value = body.raw(owner)
    if isinstance(value, dict):
        value = value.get("id", value.get("name"))
    if value is None or value == "":
        return None
    statement = part_filters.hosts(asked, is_virtual=owner == "virtual_machine")
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        statement = statement.where(Device.number == value)
    elif isinstance(value, str) and is_storable(value):
        statement = statement.where(Device.name == value)
    else:
        body.refuse(owner, "Related objects must be referenced by numeric ID or by dictionary of attributes.")
        return None
    found = (await asked.session.scalars(statement.limit(2))).all()
    if len(found) != 1:
        problem = "Multiple objects match" if found else "Related object not found using"
        body.refuse(owner, f"{problem} the provided attributes: {str(value)[:100]}")
        return None
    key: UUID = found[0]
    return key


def _read(body: Body, wanted: dict[str, Any], owner: str) -> dict[str, Any]:
    """Put what was sent into what the service is told; returns what is kept beside."""
    if body.has("enabled"):
        was = wanted.get("status")
        is_enabled = body.flag("enabled", default=True)
        wanted["status"] = (None if was == "disabled" else was) if is_enabled else "disabled"
    if body.has("mtu"):
        wanted["mtu"] = body.whole("mtu", 65536)
    if body.has("description"):
        wanted["description"] = body.text("description", 2000)
    for name in ("mac_address", "primary_mac_address"):
        if body.has(name):
            told = body.raw(name)
            told = told.get("mac_address") if isinstance(told, dict) else told
            # The number of an address is that of its interface; who sends it back means no change.
            if not isinstance(told, int):
                wanted["mac_address"] = told or None
    if owner == "virtual_machine":
        wanted.setdefault("interface_type", "virtual")
        return {}
    return _read_hardware(body, wanted)


def _read_hardware(body: Body, wanted: dict[str, Any]) -> dict[str, Any]:
    """The same of what only interfaces of devices have."""
    kept: dict[str, Any] = {}
    if body.has("speed"):
        speed = body.whole("speed", _MOST)
        wanted["speed_mbps"] = None if speed is None else speed // 1000
    if body.has("type"):
        told = body.raw("type")
        told = told.get("value") if isinstance(told, dict) else told
        if isinstance(told, str) and is_type(told):
            wanted["interface_type"] = kind_of(told)
            kept["type"] = told
        else:
            body.refuse("type", f'"{str(told)[:100]}" is not a valid choice.')
    if body.has("label"):
        kept["label"] = body.text("label", 64) or None
    if body.has("mgmt_only"):
        kept["mgmt_only"] = body.flag("mgmt_only", default=False) or None
    return kept


def _keep(row: NetworkInterface, kept: Mapping[str, Any]) -> None:
    if not kept:
        return
    merged = {name: value for name, value in {**kept_of(row), **kept}.items() if value is not None}
    row.extra = {**{name: value for name, value in row.extra.items() if name != SOURCE}, SOURCE: merged}
