"""The built-in metrics: name, unit, kind, group and meaning.

Names follow OpenMetrics: snake case, the unit in the name, `_total` for counters. A metric that is not in this list
is accepted all the same; `describe` derives its unit and kind from its name by the same rules.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class MetricKind(StrEnum):
    """How values of one metric relate to each other."""

    GAUGE = "gauge"
    COUNTER = "counter"


class Metric(NamedTuple):
    """One metric's meaning, shared by all its label sets."""

    name: str
    unit: str
    kind: MetricKind
    group: str
    description: str


_G, _C = MetricKind.GAUGE, MetricKind.COUNTER

CPU = (
    Metric("cpu_usage_percent", "percent", _G, "cpu", "Time not idle and not waiting for I/O, all cores"),
    Metric("cpu_core_usage_percent", "percent", _G, "cpu", "Time not idle, of one core (label core)"),
    Metric("cpu_user_percent", "percent", _G, "cpu", "Time in user code, all cores"),
    Metric("cpu_system_percent", "percent", _G, "cpu", "Time in the kernel, all cores"),
    Metric("cpu_idle_percent", "percent", _G, "cpu", "Idle time, all cores"),
    Metric("cpu_iowait_percent", "percent", _G, "cpu", "Idle time with input or output outstanding"),
    Metric("cpu_steal_percent", "percent", _G, "cpu", "Time that the hypervisor gave to other guests"),
    Metric("cpu_frequency_megahertz", "megahertz", _G, "cpu", "Current clock frequency, mean over the cores"),
    Metric("cpu_temperature_celsius", "celsius", _G, "cpu", "Hottest sensor of the processor package"),
    Metric("load_average_1m", "", _G, "cpu", "Mean length of the run queue over one minute"),
    Metric("load_average_5m", "", _G, "cpu", "Mean length of the run queue over five minutes"),
    Metric("load_average_15m", "", _G, "cpu", "Mean length of the run queue over fifteen minutes"),
)

MEMORY = (
    Metric("memory_total_bytes", "bytes", _G, "memory", "Physical memory"),
    Metric("memory_available_bytes", "bytes", _G, "memory", "Memory that programs can have without swapping"),
    Metric("memory_used_bytes", "bytes", _G, "memory", "Physical memory less what is available"),
    Metric("memory_usage_percent", "percent", _G, "memory", "Used share of the physical memory"),
    Metric("memory_buffers_bytes", "bytes", _G, "memory", "Kernel buffers for block devices"),
    Metric("memory_cached_bytes", "bytes", _G, "memory", "Page cache"),
    Metric("swap_total_bytes", "bytes", _G, "memory", "Swap space"),
    Metric("swap_used_bytes", "bytes", _G, "memory", "Used swap space"),
    Metric("swap_usage_percent", "percent", _G, "memory", "Used share of the swap space"),
)

_NETWORK_FIELDS = (
    ("receive_bytes", "bytes", "Bytes received"),
    ("transmit_bytes", "bytes", "Bytes sent"),
    ("receive_packets", "packets", "Packets received"),
    ("transmit_packets", "packets", "Packets sent"),
    ("receive_errors", "errors", "Packets received with an error"),
    ("transmit_errors", "errors", "Packets not sent because of an error"),
    ("receive_drops", "packets", "Received packets that were dropped"),
    ("transmit_drops", "packets", "Packets dropped before they were sent"),
)

NETWORK = (
    *(
        Metric(f"network_{field}_total", unit, _C, "network", f"{text}, all interfaces but loopback")
        for field, unit, text in _NETWORK_FIELDS
    ),
    *(
        Metric(
            f"network_interface_{field}_total",
            unit,
            _C,
            "network",
            f"{text}, one interface (label interface)",
        )
        for field, unit, text in _NETWORK_FIELDS
    ),
)

DISK = (
    Metric("disk_partition_total_bytes", "bytes", _G, "disk", "Size of a file system (label mountpoint)"),
    Metric(
        "disk_partition_used_bytes", "bytes", _G, "disk", "Used space of a file system (label mountpoint)"
    ),
    Metric(
        "disk_partition_free_bytes", "bytes", _G, "disk", "Space free to ordinary users (label mountpoint)"
    ),
    Metric(
        "disk_partition_usage_percent",
        "percent",
        _G,
        "disk",
        "Used share of a file system (label mountpoint)",
    ),
    Metric(
        "disk_partition_inodes_usage_percent",
        "percent",
        _G,
        "disk",
        "Used share of a file system's inodes (label mountpoint)",
    ),
    Metric("disk_usage_percent", "percent", _G, "disk", "Used share of the fullest file system"),
    Metric("disk_read_bytes_total", "bytes", _C, "disk", "Bytes read, all physical devices"),
    Metric("disk_write_bytes_total", "bytes", _C, "disk", "Bytes written, all physical devices"),
    Metric("disk_reads_total", "operations", _C, "disk", "Completed reads, all physical devices"),
    Metric("disk_writes_total", "operations", _C, "disk", "Completed writes, all physical devices"),
    Metric("disk_device_read_bytes_total", "bytes", _C, "disk", "Bytes read from a device (label device)"),
    Metric("disk_device_write_bytes_total", "bytes", _C, "disk", "Bytes written to a device (label device)"),
    Metric("disk_device_reads_total", "operations", _C, "disk", "Completed reads of a device (label device)"),
    Metric(
        "disk_device_writes_total", "operations", _C, "disk", "Completed writes of a device (label device)"
    ),
    Metric("disk_device_busy_percent", "percent", _G, "disk", "Time with requests in flight (label device)"),
)

PERF_EVENTS = (
    Metric("perf_cycles_total", "cycles", _C, "perf_events", "Processor cycles, all cores"),
    Metric("perf_instructions_total", "instructions", _C, "perf_events", "Retired instructions, all cores"),
    Metric("perf_instructions_per_cycle", "ratio", _G, "perf_events", "Instructions per cycle"),
    Metric("perf_cache_references_total", "references", _C, "perf_events", "Last-level cache references"),
    Metric("perf_cache_misses_total", "misses", _C, "perf_events", "Last-level cache misses"),
    Metric("perf_cache_miss_percent", "percent", _G, "perf_events", "Share of cache references that missed"),
    Metric(
        "perf_branch_instructions_total", "instructions", _C, "perf_events", "Retired branch instructions"
    ),
    Metric("perf_branch_misses_total", "misses", _C, "perf_events", "Mispredicted branches"),
    Metric(
        "perf_branch_miss_percent", "percent", _G, "perf_events", "Share of branches that were mispredicted"
    ),
    Metric("perf_dtlb_load_misses_total", "misses", _C, "perf_events", "Loads that missed the data TLB"),
)

_VMSTAT_FIELDS = (
    ("pgpgin", "kibibytes_per_second", "Data paged in from disks"),
    ("pgpgout", "kibibytes_per_second", "Data paged out to disks"),
    ("pswpin", "pages_per_second", "Pages swapped in"),
    ("pswpout", "pages_per_second", "Pages swapped out"),
    ("pgfault", "faults_per_second", "Page faults"),
    ("pgmajfault", "faults_per_second", "Page faults that needed the disk"),
)

MEMORY_BANDWIDTH = tuple(
    Metric(f"vmstat_{field}_per_second", unit, _G, "memory_bandwidth", text)
    for field, unit, text in _VMSTAT_FIELDS
)

GPU = (
    Metric("gpu_utilization_percent", "percent", _G, "gpu", "Time with a kernel running (label gpu)"),
    Metric("gpu_memory_total_bytes", "bytes", _G, "gpu", "Memory of a GPU (label gpu)"),
    Metric("gpu_memory_used_bytes", "bytes", _G, "gpu", "Used memory of a GPU (label gpu)"),
    Metric("gpu_temperature_celsius", "celsius", _G, "gpu", "Core temperature of a GPU (label gpu)"),
    Metric("gpu_power_watts", "watts", _G, "gpu", "Power drawn by a GPU (label gpu)"),
)

SYSTEM = (
    Metric("system_uptime_seconds", "seconds", _G, "system", "Time since the machine started"),
    Metric("system_processes", "", _G, "system", "Number of processes"),
    Metric("system_users", "", _G, "system", "Number of login sessions"),
)

AGENT = (
    Metric("agent_cpu_seconds_total", "seconds", _C, "agent", "Processor time used by the agent"),
    Metric("agent_memory_bytes", "bytes", _G, "agent", "Resident memory of the agent"),
    Metric("agent_spool_frames", "", _G, "agent", "Frames that wait for the server"),
    Metric("agent_dropped_frames_total", "frames", _C, "agent", "Frames dropped because the spool was full"),
    Metric("agent_rejected_frames_total", "frames", _C, "agent", "Frames that the server refused for good"),
    Metric("agent_collect_seconds", "seconds", _G, "agent", "Duration of the last collection"),
)

BUILT_IN: dict[str, Metric] = {
    metric.name: metric
    for metric in (*CPU, *MEMORY, *NETWORK, *DISK, *PERF_EVENTS, *MEMORY_BANDWIDTH, *GPU, *SYSTEM, *AGENT)
}

# Names may have any characters of UTF-8 but these: controls, halves of surrogate pairs, and the mark that stands for
# a device's own name in what is stored. Names that fit the first two patterns are written without quotes.
PLAIN_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
PLAIN_LABEL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_NEVER_IN_NAMES = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffc]")
MAX_METRIC_NAME_LENGTH = 200
MAX_LABEL_NAME_LENGTH = 100
MAX_LABEL_VALUE_LENGTH = 300


def is_metric_name(text: str) -> bool:
    """Whether a metric may be called so."""
    return 0 < len(text) <= MAX_METRIC_NAME_LENGTH and not _NEVER_IN_NAMES.search(text)


def is_label_name(text: str) -> bool:
    """Whether a label may be called so."""
    return 0 < len(text) <= MAX_LABEL_NAME_LENGTH and not _NEVER_IN_NAMES.search(text)


_UNIT_SUFFIXES = (
    "percent",
    "ratio",
    "bytes",
    "seconds",
    "celsius",
    "volts",
    "amperes",
    "joules",
    "watts",
    "hertz",
    "megahertz",
    "meters",
    "packets",
    "errors",
    "requests",
    "operations",
    "pages",
)


def describe(name: str) -> Metric:
    """Return the built-in metric, or one derived from the name: unit and kind by suffix, group by first word."""
    known = BUILT_IN.get(name)
    if known is not None:
        return known
    kind = MetricKind.COUNTER if name.endswith("_total") else MetricKind.GAUGE
    words = name.removesuffix("_total").split("_")
    if len(words) > 2 and words[-2] == "per":
        unit = "_".join(words[-3:])
    else:
        unit = words[-1] if words[-1] in _UNIT_SUFFIXES else ""
    return Metric(name, unit, kind, words[0].lower()[:50] or "other", "")


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_QUOTED = r'"((?:[^"\\\n]|\\["\\n])*)"'
_QUOTED_NAME = re.compile(_QUOTED)
_LABEL = re.compile(rf"(?:([a-zA-Z_][a-zA-Z0-9_]*)|{_QUOTED})={_QUOTED}")
_UNESCAPE = re.compile(r"\\(.)")


def format_channel(name: str, labels: Mapping[str, str] | None = None) -> str:
    r"""Write a channel as the wire has it: `name` or `name{a="1",b="2"}`, labels sorted by name.

    Names with other characters are in quotes, a metric's inside the braces: `{"disk.used","mount point"="/"}`.
    """
    is_plain = PLAIN_METRIC_NAME.fullmatch(name) is not None
    if is_plain and not labels:
        return name
    parts = [] if is_plain else [_quoted(name)]
    parts += [f"{_label_name(key)}={_quoted(value)}" for key, value in sorted((labels or {}).items())]
    return f"{name if is_plain else ''}{{{','.join(parts)}}}"


def _quoted(text: str) -> str:
    return f'"{text.translate(_ESCAPES)}"'


def _label_name(name: str) -> str:
    return name if PLAIN_LABEL_NAME.fullmatch(name) else _quoted(name)


def parse_channel(text: str) -> tuple[str, dict[str, str]]:
    """Read a channel back into metric name and labels.

    Raises ValueError, with a message for people, when the name, a label or the form is not allowed.
    """
    name, brace, rest = text.partition("{")
    if not brace and PLAIN_METRIC_NAME.fullmatch(name) and len(name) <= MAX_METRIC_NAME_LENGTH:
        return name, {}
    if brace and not rest.endswith("}"):
        raise ValueError("labels end with a closing brace")
    body, position = rest[:-1], 0
    if brace and not name and (quoted := _QUOTED_NAME.match(body)):
        name, position = _unescaped(quoted[1]), quoted.end()
        if body[position : position + 1] not in {"", ","}:
            raise ValueError("a metric name in quotes stands alone, with a comma behind it")
        position += 1
    elif not PLAIN_METRIC_NAME.fullmatch(name):
        raise ValueError(
            "a metric name has letters, digits, underscores and colons; write others in quotes and braces"
        )
    if not is_metric_name(name):
        raise ValueError(
            f"a metric name has at most {MAX_METRIC_NAME_LENGTH} characters, at least one, and no controls"
        )
    return name, _labels_of(body, position)


def _labels_of(body: str, position: int) -> dict[str, str]:
    labels: dict[str, str] = {}
    while position < len(body):
        match = _LABEL.match(body, position)
        if match is None:
            raise ValueError('labels are written as name="value" and separated by commas')
        name = match[1] or _unescaped(match[2] or "")
        if not is_label_name(name) or name == "__name__":
            raise ValueError(
                f"a label name has at most {MAX_LABEL_NAME_LENGTH} characters, at least one, and no controls"
            )
        if name in labels:
            raise ValueError(f"label {name} stands twice")
        labels[name] = _label_value(match[3])
        position = match.end()
        if position < len(body):
            if body[position] != ",":
                raise ValueError("labels are separated by commas")
            position += 1
    return labels


def _unescaped(escaped: str) -> str:
    return _UNESCAPE.sub(lambda escape: "\n" if escape[1] == "n" else escape[1], escaped)


def _label_value(escaped: str) -> str:
    value = _unescaped(escaped)
    if len(value) > MAX_LABEL_VALUE_LENGTH:
        raise ValueError(f"a label value has at most {MAX_LABEL_VALUE_LENGTH} characters")
    if "\x00" in value:
        raise ValueError("a label value has no NUL character")
    return value
