"""What each device stores, as a list. Pure."""

from collections.abc import Callable

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.retention_panels import grouped
from fleetkeeper.console.space_panels import DEVICES, TIERS
from fleetkeeper.kit.sizes import size_text
from fleetkeeper.telemetry.space.queries import DEVICES as LISTING
from fleetkeeper.telemetry.space.schemas import DeviceSpace


def _number(name: str, title: str, shown: Callable[[int], str]) -> Column[DeviceSpace]:
    def cell(one: DeviceSpace) -> Cell:
        return Cell(shown(getattr(one, name)))

    return Column(name, title, cell, sort=name, falls_first=True, css="is-number")


SPACE_DEVICES: ListPage[DeviceSpace] = ListPage(
    path=DEVICES,
    title="Storage by device",
    noun=("device", "devices"),
    listing=LISTING,
    search="Device name",
    columns=(
        Column("name", "Device", lambda one: Cell(one.name, f"/devices/{one.device}"), sort="name"),
        _number("size_bytes", "Size", size_text),
        _number("samples", "Samples", grouped),
        *(_number(f"{tier}_bytes", title, size_text) for tier, (title, _) in TIERS.items()),
        _number("channels", "Channels", grouped),
    ),
    text="As measured last; totals are updated hourly.",
    empty=Empty("Not measured yet", "Each device that stores telemetry is listed here after the next hour."),
    export="/api/v1/telemetry/space/devices/export",
)
