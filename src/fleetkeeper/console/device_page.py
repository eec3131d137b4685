"""What the page of one device shows, from what the rooms say of it. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fleetkeeper.console.contexts.devices import (
    CollectorRow,
    DevicePage,
    Fact,
    FactGroup,
    Figure,
    InterfaceRow,
    ProcessColumn,
    Section,
    SessionRow,
    StateRow,
)
from fleetkeeper.console.contexts.notes import Notes
from fleetkeeper.console.contexts.panels import EntryForm, Panel, Tag
from fleetkeeper.console.contexts.shell import Shell
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.kit.clock import utc_now
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
    Section("processes", "Processes", "devices/_processes.html"),
    Section("file-systems", "File systems", "devices/_file_systems.html"),
    Section("interfaces", "Interfaces", "devices/_interfaces.html"),
    Section("sessions", "Sessions", "devices/_sessions.html"),
    Section("states", "States", "devices/_states.html"),
    Section("hardware", "Counters"),
    Section("agent", "Agent"),
    Section("system", "System", "devices/_system.html"),
    Section("collectors", "Collectors", "devices/_collectors.html"),
)
FIRST_REPORT = timedelta(minutes=1)
FIELDS = Section("fields", "Custom fields", "devices/_fields.html")
FILES = Section("files", "Files", "devices/_files.html")
NOTES = Section("notes", "Notes", "devices/_notes.html")
NO_NOTES = Notes((), 0, None)
HISTORY = Section("history", "History", "devices/_history.html")

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


def _interface_row(one: Mapping[str, Any]) -> InterfaceRow:
    return InterfaceRow(
        name=str(one.get("name", "")),
        mac_address=str(one.get("mac_address") or ""),
        addresses=tuple(map(str, one.get("ip_addresses") or ())),
        speed=format_speed(one.get("speed_mbps")),
        is_up=one.get("is_up"),
    )


def _words(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def _fact_groups(device: DeviceRead) -> tuple[FactGroup, ...]:
    cores = ", ".join(
        f"{count} {what}"
        for count, what in ((device.cpu_cores, "cores"), (device.cpu_threads, "threads"))
        if count
    )
    return (
        FactGroup(
            "Hardware",
            (
                Fact("Vendor and model", _words(device.manufacturer, device.model)),
                Fact("Serial number", device.serial_number or ""),
                Fact("Processor", device.cpu_model or ""),
                Fact("Cores", cores),
                Fact("Memory", format_bytes(device.memory_total_bytes)),
                Fact("Graphics", ", ".join(map(str, device.gpu_models))),
                Fact("Virtualization", device.virtualization or ""),
            ),
        ),
        FactGroup(
            "System",
            (
                Fact("Operating system", _words(device.os_name, device.os_version)),
                Fact("Build", device.os_build or ""),
                Fact("Kernel", device.kernel or ""),
                Fact("Architecture", device.architecture or ""),
                Fact("Host name", device.fqdn or device.hostname),
                Fact("Up since", at=device.boot_time),
                Fact("First seen", at=device.first_seen),
                Fact("Device ID", str(device.id)),
            ),
        ),
    )


def _state_row(one: StateSeries) -> StateRow:
    changes = [(datetime.fromtimestamp(ts, UTC), _word(value)) for ts, value in reversed(one.changes)]
    since, value = changes[0]
    return StateRow(format_channel(one.metric, one.labels), value, since, tuple(changes[1:]))


def _word(value: str | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value


def _sections(known: Mapping[str, bool], *, never_reported: bool) -> tuple[Section, ...]:
    """What there is to show; of a device that sent no telemetry yet, what is known of it by other ways."""
    return tuple(one for one in SECTIONS if known.get(one.id)) if never_reported else SECTIONS


def device_page(
    shell: Shell,
    device: DeviceRead,
    status: str,
    collectors: Sequence[Mapping[str, Any]],
    login_sessions: Iterable[SessionRow],
    states: Iterable[StateSeries] = (),
    *,
    department: str = "",
    edit_form: EntryForm | None = None,
    tags: tuple[Tag, ...] = (),
    tags_form: EntryForm | None = None,
    fields: Sequence[Panel] = (),
    files: Sequence[Panel] = (),
    notes: Notes = NO_NOTES,
    delete_form: EntryForm | None = None,
    with_history: bool = False,
) -> DevicePage:
    """The page of one device; `status` tells stale from online."""
    interfaces = tuple(_interface_row(one) for one in device.interfaces)
    rows = tuple(collector_row(one) for one in collectors)
    state_rows, session_rows = tuple(map(_state_row, states)), tuple(login_sessions)
    # A first report takes a moment to be seen here.
    never_reported = device.last_seen is None and device.created_at < utc_now() - FIRST_REPORT
    sections = _sections(
        {
            "system": True,
            "interfaces": bool(interfaces),
            "collectors": bool(rows),
            "states": bool(state_rows),
            "sessions": bool(session_rows),
        },
        never_reported=never_reported,
    )
    return DevicePage(
        shell=shell,
        never_reported=never_reported,
        device=device,
        status=status,
        addresses=tuple(address for one in interfaces if one.is_up is not False for address in one.addresses),
        figures=FIGURES,
        sections=(
            *sections,
            *([FIELDS] if fields else []),
            *([NOTES] if notes else []),
            *([FILES] if files else []),
            *([HISTORY] if with_history else []),
        ),
        process_columns=PROCESS_COLUMNS,
        interfaces=interfaces,
        login_sessions=session_rows,
        states=state_rows,
        collectors=rows,
        collectors_json=json.dumps([{"name": one.name, "reason": one.reason} for one in rows]),
        fact_groups=_fact_groups(device),
        department=department,
        edit_form=edit_form,
        tags=tags,
        tags_form=tags_form,
        fields=tuple(fields),
        files=tuple(files),
        notes=notes,
        delete_form=delete_form,
        csrf_token=shell.csrf_token,
    )
