"""What the search finds of devices, their parts and configurations, what is written on them, and locations."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Integer, Text, Uuid, cast, column, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.search.asked import Asked
from fleetkeeper.search.sources import Find, Found, Source, declare_source, of_names

_LABELS = {
    "hostname": "Host name",
    "serial_number": "Serial number",
    "asset_tag": "Asset tag",
    "fqdn": "FQDN",
    "location": "Location",
    "kind": "Kind",
    "slot": "Slot",
    "name": "Name",
    "manufacturer": "Manufacturer",
    "model": "Model",
    "part_number": "Part number",
    "mac_address": "MAC address",
    "description": "Description",
    "address": "Address",
    "dns_name": "DNS name",
    "line": "Line",
    "text": "Text",
}
_TITLES = {"config": "Config {}", "note": "Note by {}", "interface": "Interface {}"}
_TABS = {
    "component": "hardware",
    "interface": "network",
    "address": "network",
    "config": "configs",
    "note": "notes",
    "file": "files",
}


def _texts_of(told: Mapping[str, Any], asked: Asked) -> dict[str, str | None]:
    texts = {_LABELS[name]: text for name, text in told.items() if name != "interfaces" and text}
    for one in told.get("interfaces") or ():
        for label, text in (("MAC address", one.get("mac_address")), *_labelled(one.get("ip_addresses"))):
            # Only the one that was typed, with its colons or without.
            if text and (asked.text in text or asked.text in text.replace(":", "") or text == asked.mac):
                texts.setdefault(label, text)
    return texts


def _labelled(addresses: Sequence[str] | None) -> list[tuple[str, str]]:
    return [("Address", one) for one in addresses or ()]


async def _find(session: AsyncSession, actor: Actor, asked: Asked, most: int, kind: str) -> Sequence[Found]:
    scope = actor.scope(Permission.DEVICES_READ)
    within = None if scope.everywhere else sorted(scope.departments)
    found = func.search_fleet(kind, cast(asked.told, JSONB), cast(within, ARRAY(Uuid)), most).table_valued(
        column("id", Uuid),
        column("device_id", Uuid),
        column("rank", Integer),
        column("title", Text),
        column("texts", JSONB),
    )
    statement = visible_to(actor).with_only_columns(
        found.c.id,
        found.c.rank,
        found.c.title,
        found.c.texts,
        Device.id.label("device_id"),
        Device.name,
        Device.status,
        Device.device_type,
        Device.os_name,
        maintain_column_froms=True,
    )
    rows = await session.execute(statement.join(found, found.c.device_id == Device.id))
    return [_found(kind, row, asked) for row in rows]


def _found(kind: str, row: Any, asked: Asked) -> Found:
    is_device = kind == "device"
    page = f"/devices/{row.device_id}"
    about = (row.device_type.replace("_", " "), row.status, row.os_name)
    return Found(
        id=row.id,
        title=_TITLES.get(kind, "{}").format(row.title or "nobody"),
        detail=" · ".join(one for one in about if one) if is_device else row.name,
        href=page if is_device else f"{page}?tab={_TABS[kind]}",
        texts=_texts_of(row.texts, asked),
        rank=row.rank,
        status=row.status if is_device else None,
    )


def _finder(kind: str) -> Find:
    async def find(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
        return await _find(session, actor, asked, most, kind)

    return find


async def _find_locations(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = locations.visible_to(actor).where(of_names(asked, Location.name.expression))
    found = await session.scalars(named.order_by(func.length(Location.name), Location.name).limit(most))
    return [
        Found(
            id=one.id,
            title=one.name,
            detail=one.location_type.capitalize(),
            href=f"/locations/{one.id}",
            rank=asked.rank(one.name),
        )
        for one in found
    ]


for _order, _kind in enumerate(("device", "address", "interface", "component")):
    declare_source(Source(_kind, Permission.DEVICES_READ, _finder(_kind), _order))
declare_source(Source("location", locations.read, _find_locations, 4))
for _order, _kind in enumerate(("config", "note", "file"), 7):
    declare_source(Source(_kind, Permission.DEVICES_READ, _finder(_kind), _order))
