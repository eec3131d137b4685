"""`dcim/manufacturers`, `dcim/device-types` and `dcim/platforms`: what devices are made of and run."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, false, func, or_, select

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import machines, visible_to
from fleetkeeper.netbox.models import NetboxName
from fleetkeeper.netbox.names.registered import MOST, UNKNOWN, Key, Names
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body
from fleetkeeper.netbox.protocol.items import Item
from fleetkeeper.netbox.protocol.kind import Told


async def _distinct(asked: Asked, *columns: Any) -> Sequence[Any]:
    told = [func.coalesce(one, "") for one in columns]
    visible = machines(visible_to(asked.actor)).with_only_columns(*told).distinct().limit(MOST)
    return (await asked.session.execute(visible)).all()


class Manufacturers(Names):
    """Who made devices."""

    path = "dcim/manufacturers"
    model = "dcim.manufacturer"
    noun = "Manufacturer"
    kind = "manufacturer"

    async def in_use(self, asked: Asked) -> Iterable[Key]:
        """Manufacturers of devices, and of device types that were registered."""
        registered = select(NetboxName.maker).where(NetboxName.kind == "device_type").distinct()
        names = [row[0] for row in await _distinct(asked, Device.manufacturer)]
        return [("", one) for one in (*names, *await asked.session.scalars(registered))]

    def condition(self, items: Iterable[Item | None]) -> ColumnElement[bool]:
        """Devices that have one of them."""
        names = {one.source[0][1] if one is not None else "" for one in items}
        return func.coalesce(Device.manufacturer, "").in_(sorted(names)) if names else false()


class DeviceTypes(Names):
    """Models of manufacturers."""

    path = "dcim/device-types"
    model = "dcim.devicetype"
    noun = "Device type"
    kind = "device_type"
    brief: ClassVar = ("id", "url", "display", "manufacturer", "model", "slug", "description")
    required: ClassVar = ("manufacturer", "model")
    natural: ClassVar = ("model", "slug", "manufacturer")
    written: ClassVar = (
        "manufacturer",
        "model",
        "slug",
        "description",
        "part_number",
        "u_height",
        "is_full_depth",
    )
    more_filters: ClassVar = ("model", "manufacturer", "manufacturer_id", "part_number")
    kept: ClassVar = {"part_number": "", "u_height": 1, "is_full_depth": True}

    async def in_use(self, asked: Asked) -> Iterable[Key]:
        """Manufacturers and models of devices."""
        rows = await _distinct(asked, Device.manufacturer, Device.model)
        return [(row[0], row[1]) for row in rows]

    def condition(self, items: Iterable[Item | None]) -> ColumnElement[bool]:
        """Devices that are of one of them."""
        keys = [one.source[0] for one in items if one is not None]
        maker, model = func.coalesce(Device.manufacturer, ""), func.coalesce(Device.model, "")
        fitting = [(maker == key[0]) & (model == key[1]) for key in keys]
        return or_(*fitting) if fitting else false()

    def told(self, asked: Asked, item: Item) -> Told:
        """A device type with its manufacturer."""
        told = super().told(asked, item)
        return (
            told
            | self.nested(asked, item)
            | {"default_platform": None, "subdevice_role": None, "airflow": None}
        )

    def nested(self, asked: Asked, item: Item) -> Told:
        """A device type within another object."""
        told = super().nested(asked, item)
        name = told.pop("name")
        maker = item.values["_maker"]
        return told | {"manufacturer": MANUFACTURERS.nested(asked, maker), "model": name}

    async def all(self, asked: Asked) -> Sequence[Item]:
        """Those, each with its manufacturer as it is registered."""
        makers = {one.source[0][1]: one for one in await MANUFACTURERS.known(asked)}
        return [_with_maker(one, makers) for one in await super().all(asked)]

    async def of_keys(self, asked: Asked, keys: Iterable[Key]) -> dict[Key, Item]:
        """Some of them."""
        found = await super().of_keys(asked, keys)
        makers = await MANUFACTURERS.of_keys(asked, [("", key[0]) for key in found])
        by_name = {key[1]: one for key, one in makers.items()}
        return {key: _with_maker(one, by_name) for key, one in found.items()}

    def item(self, key: Key, row: NetboxName | None) -> Item:
        """One of them, whose manufacturer is not registered."""
        return _with_maker(super().item(key, row), {})

    async def _key(self, asked: Asked, body: Body) -> Key:
        maker = await MANUFACTURERS.referred(asked, body, "manufacturer")
        return (maker.source[0][1] if maker is not None else ""), body.text("model", 300)

    def _attributes(self, body: Body, slug: str, *, is_new: bool = True) -> dict[str, Any]:
        del slug, is_new
        kept: dict[str, Any] = {}
        if body.has("part_number"):
            kept["part_number"] = body.text("part_number", 50)
        if body.has("u_height"):
            kept["u_height"] = body.whole("u_height", 100)
        if body.has("is_full_depth"):
            kept["is_full_depth"] = body.flag("is_full_depth", default=True)
        return kept


def _with_maker(item: Item, makers: dict[str, Item]) -> Item:
    name = item.source[0][0]
    maker = makers.get(name) or MANUFACTURERS.item(("", name), None)
    more = {
        "_maker": maker,
        "model": item.name,
        "manufacturer": maker.slug,
        "manufacturer_id": maker.number,
    }
    return Item(item.number, item.name, item.slug, item.description, {**item.values, **more}, item.source)


class Platforms(Names):
    """What devices run."""

    path = "dcim/platforms"
    model = "dcim.platform"
    noun = "Platform"
    kind = "platform"
    more_filters: ClassVar = ("manufacturer", "manufacturer_id")

    async def in_use(self, asked: Asked) -> Iterable[Key]:
        """Names of operating systems of devices."""
        return [("", row[0]) for row in await _distinct(asked, Device.os_name) if row[0]]

    def condition(self, items: Iterable[Item | None]) -> ColumnElement[bool]:
        """Devices that run one of them."""
        names = {one.source[0][1] if one is not None else "" for one in items}
        return func.coalesce(Device.os_name, "").in_(sorted(names)) if names else false()

    def told(self, asked: Asked, item: Item) -> Told:
        """A platform."""
        return super().told(asked, item) | {"manufacturer": None, "parent": None, "config_template": None}


MANUFACTURERS = Manufacturers()
DEVICE_TYPES = DeviceTypes()
PLATFORMS = Platforms()
__all__ = ["DEVICE_TYPES", "MANUFACTURERS", "PLATFORMS", "UNKNOWN"]
