"""What lists of parts of devices are filtered by, and whose parts a caller sees."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, not_, or_, select

from fleetkeeper.devices.models import Device
from fleetkeeper.devices.queries import visible_to
from fleetkeeper.netbox.hosts import filters as host_filters
from fleetkeeper.netbox.protocol import operators
from fleetkeeper.netbox.protocol.asked import Asked

Values = Sequence[str]
Condition = ColumnElement[bool]
Make = Callable[[Asked, str, Values], Awaitable[Condition]]
# Filters of devices that hold for their parts, too.
OF_HOSTS = ("site", "site_id", "location", "location_id", "tenant", "tenant_id", "role", "role_id")


def hosts(asked: Asked, *, is_virtual: bool | None) -> Select[Any]:
    """The keys of devices, of virtual machines or of both, that the caller may see."""
    visible = visible_to(asked.actor).with_only_columns(Device.id, maintain_column_froms=True)
    if is_virtual is None:
        return visible.where(Device.device_type != "container")
    if is_virtual:
        return visible.where(Device.device_type == "vm")
    return visible.where(Device.device_type.not_in(("vm", "container")))


def of_host(column: ColumnElement[Any], *, is_virtual: bool) -> Make:
    """Parts of one of some devices, by number after `_id`, else by name."""

    async def make(asked: Asked, name: str, values: Values) -> Condition:
        own = hosts(asked, is_virtual=is_virtual)
        if name.endswith("_id"):
            numbers = [operators.read_whole(name, one) for one in values if one != "null"]
            return column.in_(own.where(Device.number.in_(numbers)))
        return column.in_(own.where(Device.name.in_(list(values))))

    return make


def like_hosts(column: ColumnElement[Any]) -> dict[str, Make]:
    """Parts of devices that a filter of devices finds."""

    def one(name: str) -> Make:
        async def make(asked: Asked, full_name: str, values: Values) -> Condition:
            del full_name
            found = await host_filters.OF_DEVICES[name](asked, name, values)
            return column.in_(select(Device.id).where(found))

        return make

    return {name: one(name) for name in OF_HOSTS}


async def conditions(
    asked: Asked,
    filters: Mapping[str, Values],
    *,
    texts: Mapping[str, ColumnElement[Any]],
    numbers: Mapping[str, tuple[ColumnElement[Any], Callable[..., Any]]],
    special: Mapping[str, Make],
) -> list[Condition]:
    """What a list is filtered by. Raises InvalidInputError for a filter that there is not."""
    found = []
    for full_name, values in filters.items():
        name, lookup = operators.split(full_name)
        if name in special and lookup in operators.SAME:
            made = await special[name](asked, name, values)
            found.append(or_(not_(made), made.is_(None)) if lookup else made)
        elif name in texts and lookup in operators.TEXT:
            plain = ["" if one == "null" else one for one in values]
            found.append(operators.text_condition(texts[name], lookup, plain))
        elif name in numbers and lookup in operators.NUMBER:
            column, read = numbers[name]
            found.append(operators.number_condition(full_name, column, lookup, values, read))
        else:
            raise operators.unknown(full_name)
    return found


def matching(*columns: ColumnElement[Any]) -> Make:
    """A search in some columns."""

    async def make(asked: Asked, name: str, values: Values) -> Condition:
        del asked, name
        return or_(*(operators.text_condition(one, "ic", values) for one in columns))

    return make


__all__ = ["Condition", "Make", "and_", "conditions", "hosts", "like_hosts", "matching", "of_host"]
