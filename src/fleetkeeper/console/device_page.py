"""What the page of one device shows, from what the rooms say of it. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fleetkeeper.console.contexts.devices import (
    CollectorRow,
    DeviceCharts,
    DeviceHead,
    Figure,
    ProcessColumn,
    Section,
    StateBefore,
)
from fleetkeeper.console.contexts.panels import Cell, Facts, Fragment, Row, Table, Tag
from fleetkeeper.console.rendering import format_words
from fleetkeeper.devices.containers import SOURCE
from fleetkeeper.devices.creating import SOURCE as MANUAL
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.schemas import SessionRead
from fleetkeeper.telemetry.states.schemas import StateSeries
from fleetkeeper_protocol.metrics import format_channel

FIGURES = (
    Figure("CPU", "cpu_usage_percent", "percent"),
    Figure("Memory", "memory_usage_percent", "percent"),
    Figure("Fullest disk", "disk_usage_percent", "percent"),
    Figure("Load, 1 min", "load_average_1m", ""),
    Figure("Received", "network_receive_bytes_total", "bytes/s", is_rate=True),
    Figure("Sent", "network_transmit_bytes_total", "bytes/s", is_rate=True),
    Figure("Uptime", "system_uptime_seconds", "duration"),
)

SECTIONS = (
    Section("cpu", "Processor"),
    Section("memory", "Memory"),
    Section("network", "Network"),
    Section("disk", "Disks"),
    Section("other", "Other metrics", is_hidden=True),
    Section("hardware", "Counters"),
    Section("agent", "Agent"),
)
# A first report takes a moment to be seen.
FIRST_REPORT = timedelta(minutes=1)

PROCESS_COLUMNS = (
    ProcessColumn("pid", "PID", "is-number"),
    ProcessColumn("name", "Process"),
    ProcessColumn("username", "User"),
    ProcessColumn("cpu_percent", "CPU", "col-share"),
    ProcessColumn("memory_percent", "Memory", "col-share"),
    ProcessColumn("memory_bytes", "Resident", "is-number"),
    ProcessColumn("read_bytes_per_second", "Read", "is-number"),
    ProcessColumn("write_bytes_per_second", "Written", "is-number"),
)

# Changes of a state that are shown, the newest included.
SHOWN_CHANGES = 6
# How much the state of a collector needs somebody's attention; one that is off does what it should.
TONES = {"ok": "good", "failed": "bad", "unavailable": "warning"}


def collector_row(collector: Mapping[str, Any]) -> CollectorRow:
    """One collector's state as a row."""
    status = str(collector.get("status", ""))
    name, reason = str(collector.get("name", "")), str(collector.get("reason") or "")
    return CollectorRow(name, status, reason, TONES.get(status, "neutral"))


def format_speed(speed_mbps: int | None) -> str:
    """A link's speed: 1000 as `1 Gbit/s`."""
    if not speed_mbps or speed_mbps <= 0:
        return ""
    return f"{speed_mbps / 1000:g} Gbit/s" if speed_mbps >= 1000 else f"{speed_mbps} Mbit/s"


def format_bytes(size: int | None) -> str:
    """A size in binary units: 1536 as `1.5 KiB`."""
    if size is None:
        return ""
    units = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
    power = min(max(size.bit_length() - 1, 0) // 10, len(units) - 1)
    return f"{size / 1024**power:.1f}".removesuffix(".0") + f" {units[power]}"


def _words(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def is_seen_by_host(device: DeviceRead) -> bool:
    """Whether it is known by the agent of another machine."""
    return device.device_type == "container" and device.source_system == SOURCE


def has_never_reported(device: DeviceRead) -> bool:
    """Whether nothing came in the minutes after it was made known, or nothing will."""
    may_come = device.created_at >= utc_now() - FIRST_REPORT and not is_seen_by_host(device)
    return device.last_seen is None and (device.source_system == MANUAL or not may_come)


def device_head(
    device: DeviceRead, status: str, department: str, tags: tuple[Tag, ...], *, may_explore: bool
) -> DeviceHead:
    """The head; `status` tells stale from online."""
    addresses = (
        str(address)
        for one in device.interfaces
        if one.get("is_up") is not False
        for address in one.get("ip_addresses") or ()
    )
    return DeviceHead(device, status, tuple(addresses), department, tags, may_explore)


def charts(device: DeviceRead, collectors: Iterable[Mapping[str, Any]]) -> DeviceCharts:
    """Figures and charts."""
    rows = map(collector_row, collectors)
    reasons = json.dumps([{"name": one.name, "reason": one.reason} for one in rows])
    return DeviceCharts(device.id, FIGURES, SECTIONS, reasons)


def about_facts(device: DeviceRead, location: str) -> Facts:
    """What people know of it; what is not known is left out."""
    told = (
        ("Type", Cell(device.device_type, kind="device_type")),
        ("Lifecycle", Cell(format_words(device.lifecycle))),
        ("Location", Cell(location, f"/locations/{device.location_id}" if location else "")),
        ("Place in the location", Cell(device.location or "")),
        ("Manufacturer and model", Cell(_words(device.manufacturer, device.model))),
        ("Serial number", Cell(device.serial_number or "")),
        ("Asset tag", Cell(device.asset_tag or "")),
        ("Owner", Cell(device.owner or "")),
        ("Purchased on", Cell(_day(device.purchased_on))),
        ("Warranty until", Cell(_day(device.warranty_until))),
        ("End of support on", Cell(_day(device.end_of_support_on))),
        ("Description", Cell(device.description or "")),
    )
    return Facts("about", "About", tuple((label, cell) for label, cell in told if cell.text))


def _day(day: date | None) -> str:
    return day.isoformat() if day else ""


def hardware_facts(device: DeviceRead) -> Facts:
    """What it is made of."""
    counted = ((device.cpu_cores, "cores"), (device.cpu_threads, "threads"))
    return Facts(
        "hardware",
        "Hardware",
        (
            ("Manufacturer and model", Cell(_words(device.manufacturer, device.model))),
            ("Serial number", Cell(device.serial_number or "")),
            ("Processor", Cell(device.cpu_model or "")),
            ("Cores", Cell(", ".join(f"{count} {what}" for count, what in counted if count))),
            ("Memory", Cell(format_bytes(device.memory_total_bytes))),
            ("Graphics", Cell(", ".join(map(str, device.gpu_models)))),
            ("Virtualization", Cell(device.virtualization or "")),
        ),
    )


def system_facts(device: DeviceRead) -> Facts:
    """What runs on it."""
    return Facts(
        "system",
        "System",
        (
            ("Operating system", Cell(_words(device.os_name, device.os_version))),
            ("Build", Cell(device.os_build or "")),
            ("Kernel", Cell(device.kernel or "")),
            ("Architecture", Cell(device.architecture or "")),
            ("Host name", Cell(device.fqdn or device.hostname)),
            ("Up since", _moment(device.boot_time)),
            ("First seen", _moment(device.first_seen)),
            ("Device ID", Cell(str(device.id))),
        ),
    )


def collectors_table(collectors: Sequence[Mapping[str, Any]]) -> Table:
    """Which of the agent's collectors work."""
    rows = tuple(
        Row(
            (
                Cell(format_words(one.name)),
                Cell(tags=(Tag(format_words(one.status), one.tone),)),
                Cell(one.reason, is_soft=True),
            )
        )
        for one in map(collector_row, collectors)
    )
    empty = "No agent has reported from this device."
    return Table("collectors", "Collectors", ("Collector", "State", "Reason"), rows, empty=empty)


def states_table(states: Iterable[StateSeries]) -> Table:
    """Texts and truth values, since when they are so, and what they were before, newest first."""
    return Table(
        "states",
        "States",
        ("State", "Now", "Since", "Before, in the last 30 days"),
        tuple(_state_row(one) for one in states),
        empty="No states reported, such as a pending restart.",
    )


def logins_table(logins: Iterable[SessionRead]) -> Table:
    """Who is or was logged in at the machine."""
    return Table(
        "sessions",
        "Logins",
        ("User", "Terminal", "From", "Signed in", "Until"),
        tuple(
            Row(
                (
                    Cell(one.username),
                    _code(one.terminal),
                    _code(one.host or "local"),
                    _moment(one.login_time),
                    _moment(one.logout_time) if one.logout_time else Cell(tags=(Tag("Signed in", "good"),)),
                )
            )
            for one in logins
        ),
        empty="No recent logins.",
    )


def _state_row(one: StateSeries) -> Row:
    (since, value), *before = (
        (datetime.fromtimestamp(ts, UTC), _word(text)) for ts, text in reversed(one.changes)
    )
    past = Cell(kind="fragment", fragment=Fragment("devices/_before.html", StateBefore(tuple(before))))
    return Row((_code(format_channel(one.metric, one.labels)), Cell(value), _moment(since), past))


def _word(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _moment(at: datetime | None) -> Cell:
    return Cell(at=at, kind="time", style="full") if at else Cell()


def _code(text: Any) -> Cell:
    return Cell(str(text or ""), kind="code")
