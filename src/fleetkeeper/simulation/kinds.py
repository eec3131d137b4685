"""The kinds of devices in a simulated fleet: hardware, systems, habits, and channels.

All devices of one kind report the same list of channels, as machines that were bought and set up together do.
"""

from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from fleetkeeper_protocol.metrics import format_channel

GIB: Final = 1024**3
TIB: Final = 1024**4


class KindName(StrEnum):
    """What a device is for."""

    WEB = "web"
    APPLICATION = "app"
    DATABASE = "db"
    BATCH = "batch"
    STORAGE = "nas"
    WORKSTATION = "desk"
    GPU = "gpu"
    GATEWAY = "gw"
    HYPERVISOR = "hv"


class Disk(NamedTuple):
    """A file system: where it is mounted and how large it is."""

    mountpoint: str
    size_bytes: int


class Kind(msgspec.Struct, frozen=True, dict=True, kw_only=True):
    """What devices of one kind have in common. Shares lie between 0 and 1, rates are per second."""

    name: KindName
    share: float
    device_type: str
    systems: tuple[tuple[str, str, str], ...]
    """Operating systems as (name, version, kernel)."""
    models: tuple[tuple[str, str], ...]
    """Hardware as (manufacturer, model)."""
    cpu_model: str
    architecture: str = "x86_64"
    virtualization: str | None = None
    cores: int
    frequency_megahertz: float
    memory_gib: tuple[int, ...]
    interfaces: tuple[str, ...]
    interface_mbps: int
    disks: tuple[Disk, ...]
    block_devices: tuple[str, ...]
    gpus: int = 0
    gpu_model: str | None = None
    has_perf_events: bool = False
    users: int = 1
    idle_percent: float
    """Processor use when there is nothing to do."""
    busy_percent: float
    """Processor use added by an activity of 1."""
    daily: float
    """Amplitude of the daily season, relative to the mean activity."""
    weekly: float
    peak_hour: float
    """Local hour of the daily peak."""
    burst_weight: float = 0.0
    burst_period_seconds: float = 86_400.0
    burst_duty: float = 0.02
    network_bytes_per_second: float
    disk_bytes_per_second: float
    memory_share: float
    leak_share: float = 0.05
    """Memory that the leaking devices of this kind lose before their service restarts."""
    office_hours_share: float = 0.0
    """Share of the devices that are switched off outside of office hours."""
    processes: tuple[tuple[str, str, str], ...]
    """Typical processes as (name, user, command line)."""
    containers: tuple[tuple[str, str], ...] = ()
    """Containers that run as (runtime, first process)."""

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """The channels of a device of this kind, in the order of the model's rows."""
        return tuple(_channels(self))


_NETWORK: Final = tuple(
    f"{direction}_{what}_total"
    for what in ("bytes", "packets", "errors", "drops")
    for direction in ("receive", "transmit")
)
_PAGING: Final = ("pgpgin", "pgpgout", "pswpin", "pswpout", "pgfault", "pgmajfault")
_PERF: Final = (
    "cycles_total",
    "instructions_total",
    "instructions_per_cycle",
    "cache_references_total",
    "cache_misses_total",
    "cache_miss_percent",
    "branch_instructions_total",
    "branch_misses_total",
    "branch_miss_percent",
    "dtlb_load_misses_total",
)


def _channels(kind: Kind) -> list[str]:
    """List the channels block by block; the model fills them in the same order."""
    names = [f"cpu_{part}_percent" for part in ("usage", "user", "system", "idle", "iowait", "steal")]
    names += ["cpu_frequency_megahertz", "load_average_1m", "load_average_5m", "load_average_15m"]
    names += [format_channel("cpu_core_usage_percent", {"core": str(core)}) for core in range(kind.cores)]
    names += [f"memory_{part}_bytes" for part in ("total", "available", "used", "buffers", "cached")]
    names += ["memory_usage_percent", "swap_total_bytes", "swap_used_bytes", "swap_usage_percent"]
    names += [f"network_{field}" for field in _NETWORK]
    names += [
        format_channel(f"network_interface_{field}", {"interface": interface})
        for interface in kind.interfaces
        for field in _NETWORK
    ]
    names.append("disk_usage_percent")
    names += [
        format_channel(f"disk_partition_{part}", {"mountpoint": disk.mountpoint})
        for disk in kind.disks
        for part in ("total_bytes", "used_bytes", "free_bytes", "usage_percent")
    ]
    totals = ("read_bytes_total", "write_bytes_total", "reads_total", "writes_total")
    names += [f"disk_{field}" for field in totals]
    names += [
        format_channel(f"disk_device_{field}", {"device": device})
        for device in kind.block_devices
        for field in (*totals, "busy_percent")
    ]
    names += [f"vmstat_{field}_per_second" for field in _PAGING]
    names += ["system_uptime_seconds", "system_processes", "system_users"]
    names += ["agent_cpu_seconds_total", "agent_memory_bytes", "agent_spool_frames"]
    names += ["agent_dropped_frames_total", "agent_collect_seconds"]
    if kind.virtualization is None:
        names.append("cpu_temperature_celsius")
    if kind.has_perf_events:
        names += [f"perf_{field}" for field in _PERF]
    names += [
        format_channel(f"gpu_{field}", {"gpu": str(gpu)})
        for gpu in range(kind.gpus)
        for field in (
            "utilization_percent",
            "memory_total_bytes",
            "memory_used_bytes",
            "temperature_celsius",
            "power_watts",
        )
    ]
    return names
