"""The parts of a device in its tabs: what there is, and for those who may change it a form for more."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Option, Row, RowAction, Table, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_page import format_bytes, format_speed
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.devices.components import service
from fleetkeeper.devices.parts import DeviceParts

if TYPE_CHECKING:
    from fleetkeeper.console.device_tabs import Shown

MOST_SHOWN = 500
_DEVICE = {"device_id": Widget("", kind="hidden")}


@dataclass(frozen=True)
class PartKind:
    """A kind of part as the tabs show it."""

    # As in addresses: that of the API.
    name: str
    title: str
    parts: DeviceParts[Any, Any]
    columns: tuple[str, ...]
    cells: Callable[[Any], tuple[Cell, ...]]
    form: Form[Any]
    empty: str
    tab: str
    # The choices of the form's fields; without any, nothing can be added yet.
    options: Callable[["Shown"], Awaitable[dict[str, list[Option]]]] | None = None


def _missing(one: Any) -> tuple[Tag, ...]:
    since: datetime | None = getattr(one, "missing_since", None)
    if since is None:
        return ()
    return (Tag("missing", "warning", f"Its source has not told of it since {since:%Y-%m-%d %H:%M} UTC"),)


def _form(name: str, noun: str, parts: DeviceParts[Any, Any], widgets: dict[str, Widget | str]) -> Form[Any]:
    return Form(parts.write_as, f"add-{name}", f"Add {noun}", f"Add {noun}", {**widgets, **_DEVICE})


def _interface_cells(one: Any) -> tuple[Cell, ...]:
    vlan = f"VLAN {one.vlan_id}" if one.vlan_id else ""
    return (
        Cell(one.interface_name, tags=_missing(one), detail=one.description or vlan),
        Cell(words_of(one.interface_type)),
        Cell(one.status or ""),
        Cell(one.mac_address or "", kind="code" if one.mac_address else "text"),
        Cell(", ".join(one.ip_addresses)),
        Cell(format_speed(one.speed_mbps)),
    )


def _address_cells(one: Any) -> tuple[Cell, ...]:
    primary = (Tag("Primary", "", "The device is reached by it"),) if one.is_primary else ()
    return (
        Cell(one.address, tags=(*primary, *_missing(one)), detail=one.description),
        Cell(one.dns_name),
        Cell(words_of(one.status)),
    )


async def _interfaces_of(shown: "Shown") -> dict[str, list[Option]]:
    asked = [("device_id", str(shown.device.id)), ("limit", str(MOST_SHOWN))]
    found = await service.interfaces.list(shown.session, shown.actor, asked)
    return {"interface_id": [Option(str(one.id), one.interface_name) for one in found.results]}


def _volume_cells(one: Any) -> tuple[Cell, ...]:
    share = 100 * one.used_bytes / one.capacity_bytes if one.used_bytes and one.capacity_bytes else None
    return (
        Cell(one.name, tags=_missing(one), detail=one.mount_point or ""),
        Cell(words_of(one.volume_type) if one.volume_type else ""),
        Cell(format_bytes(one.capacity_bytes)),
        Cell(kind="share", share=share) if share is not None else Cell(),
        Cell(" · ".join(filter(None, (one.storage_array, one.raid_level)))),
    )


def _component_cells(one: Any) -> tuple[Cell, ...]:
    # Many makers begin the name of a model with their own.
    model = one.model or one.part_number or ""
    is_named = one.manufacturer and model.lower().startswith(one.manufacturer.lower())
    what = " ".join(filter(None, (None if is_named else one.manufacturer, model))) or one.name
    return (
        Cell(words_of(one.kind), tags=_missing(one)),
        Cell(one.slot),
        Cell(what, detail=one.name if one.name not in {what, model} else ""),
        Cell(one.serial_number or ""),
        Cell(format_bytes(one.capacity_bytes) if one.capacity_bytes else ""),
        Cell(one.firmware or ""),
    )


def _vm_cells(one: Any) -> tuple[Cell, ...]:
    return (
        Cell(one.instance_uuid or ""),
        Cell(words_of(one.power_state) if one.power_state else ""),
        Cell(one.guest_os or ""),
        Cell(f"{one.cpu_count or '?'} CPU, {format_bytes((one.memory_mb or 0) * 1024 * 1024)}"),
        Cell(f"{len(one.disks)}, {format_bytes(one.total_disk_capacity_bytes)}"),
        Cell(f"{len(one.snapshots)}, {format_bytes(one.total_snapshot_size_bytes)}"),
    )


KINDS = (
    PartKind(
        "network-interfaces",
        "Network interfaces",
        service.interfaces,
        ("Name", "Type", "State", "MAC address", "IP addresses", "Speed"),
        _interface_cells,
        _form(
            "network-interfaces",
            "interface",
            service.interfaces,
            {
                "interface_name": Widget("Name", hint="Such as eth0"),
                "interface_type": "Type",
                "mac_address": "MAC address",
                "status": "State",
                "speed_mbps": "Speed in Mbit/s",
                "vlan_id": "VLAN",
                "description": "Description",
            },
        ),
        "No interfaces yet. The agent reports them; others can be added below.",
        "network",
    ),
    PartKind(
        "ip-addresses",
        "IP addresses",
        service.addresses,
        ("Address", "DNS name", "State"),
        _address_cells,
        _form(
            "ip-addresses",
            "IP address",
            service.addresses,
            {
                "interface_id": Widget("Interface", "Of this device", kind="select"),
                "address": Widget("Address", "With the length of its prefix, such as 10.0.0.5/24"),
                "dns_name": "DNS name",
                "status": "State",
                "is_primary": Widget("Primary", "The device is reached by it; one of each family"),
                "description": "Description",
            },
        ),
        "No IP addresses yet. They belong to interfaces: add an interface, then its address below.",
        "network",
        options=_interfaces_of,
    ),
    PartKind(
        "storage-volumes",
        "Volumes",
        service.volumes,
        ("Name", "Type", "Capacity", "Used", "Array and level"),
        _volume_cells,
        _form(
            "storage-volumes",
            "volume",
            service.volumes,
            {
                "name": "Name",
                "volume_type": "Type",
                "capacity_bytes": Widget("Capacity in bytes"),
                "storage_array": Widget("Storage array", hint="The array that it is on"),
                "raid_level": "RAID level",
                "mount_point": "Mount point",
            },
        ),
        "No volumes yet. The agent reports them; others can be added below.",
        "storage",
    ),
    PartKind(
        "hardware-components",
        "Components",
        service.components,
        ("Kind", "Slot", "Model", "Serial number", "Capacity", "Firmware"),
        _component_cells,
        _form(
            "hardware-components",
            "component",
            service.components,
            {
                "kind": "Kind",
                "slot": Widget("Slot", hint="Where it sits, such as DIMM A1"),
                "manufacturer": "Manufacturer",
                "model": "Model",
                "serial_number": "Serial number",
                "part_number": "Part number",
                "capacity_bytes": Widget("Capacity in bytes"),
                "firmware": "Firmware",
            },
        ),
        "No components yet. The agent reports what it may read; others can be added below.",
        "hardware",
    ),
    PartKind(
        "vms",
        "Virtual machine",
        service.vms,
        ("Instance UUID", "Power", "Guest system", "Size", "Disks", "Snapshots"),
        _vm_cells,
        _form(
            "vms",
            "virtual machine",
            service.vms,
            {
                "instance_uuid": "Instance UUID",
                "guest_os": "Guest system",
                "cpu_count": "CPUs",
                "memory_mb": "Memory in MiB",
                "power_state": "Power",
            },
        ),
        "Nothing is known of it as a virtual machine.",
        "hardware",
    ),
)
BY_NAME = {one.name: one for one in KINDS}


async def part_panels(shown: "Shown", kind: PartKind) -> Sequence[Table | EntryForm]:
    """The table of one kind of part, and the form for another one."""
    device = shown.device
    asked = [("device_id", str(device.id)), ("limit", str(MOST_SHOWN))]
    page = await kind.parts.list(shown.session, shown.actor, asked)
    rows = tuple(
        Row(kind.cells(one), (_removal(device.id, kind, one),) if shown.may_write else ())
        for one in page.results
    )
    table = Table(
        kind.name,
        kind.title,
        kind.columns,
        rows,
        empty=kind.empty,
        text=f"The first {MOST_SHOWN} of {page.count:,}." if page.count > len(rows) else "",
        is_stacked=True,
        is_labelled=True,
    )
    if not shown.may_write:
        return [table]
    options = await kind.options(shown) if kind.options is not None else {}
    if kind.options is not None and not any(options.values()):
        return [table]
    blank = kind.parts.write_as.model_construct(device_id=device.id)
    return [table, kind.form.shown(f"/devices/{device.id}/parts/{kind.name}", blank, options=options)]


def _removal(device_id: object, kind: PartKind, one: Any) -> RowAction:
    again = "" if one.source_system == "manual" else " It comes back if its source reports it again."
    return RowAction(
        "Remove",
        f"/devices/{device_id}/parts/{kind.name}/{one.id}/delete",
        f"Remove {getattr(one, kind.parts.label) or 'it'} from this device? Its history is kept.{again}",
    )


def parts_tab(*names: str) -> Callable[["Shown"], Awaitable[Panels]]:
    """A tab with some kinds of parts; that of virtual machines is left out where there is none."""

    async def read(shown: "Shown") -> Panels:
        panels: list[Table | EntryForm] = []
        for name in names:
            found = await part_panels(shown, BY_NAME[name])
            is_other = name == "vms" and shown.device.device_type != "vm"
            panels += [] if is_other and isinstance(found[0], Table) and not found[0].rows else found
        return panels

    return read
