"""Windows, macOS and the BSDs: the same readings by psutil."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil

from fleetkeeper_agent.collectors.collector import States, UnavailableError
from fleetkeeper_agent.collectors.cpu import TOTAL, CpuTimes
from fleetkeeper_agent.collectors.disk import DeviceCounters, PartitionUsage
from fleetkeeper_agent.collectors.memory import MemoryState
from fleetkeeper_agent.collectors.network import InterfaceCounters, InterfaceReading
from fleetkeeper_agent.collectors.perf_events import PerfCounters
from fleetkeeper_agent.collectors.processes import ProcessDetails, ProcessReading
from fleetkeeper_agent.command_masking import command_line
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.platforms.power import power_states
from fleetkeeper_protocol.messages import LoginSession

_LOOPBACK_PREFIXES = ("lo", "Loopback")
_NOISE_PREFIXES = (
    "gif",
    "stf",
    "awdl",
    "llw",
    "anpi",
    "ap1",
    "isatap",
    "Teredo",
    "vEthernet",
    "utun",
    "bridge",
)


def cpu_times(times: Any) -> CpuTimes:
    """One reading of psutil's; nice time is user time, interrupt time is inside of system time on Windows."""
    return CpuTimes(
        user=times.user + getattr(times, "nice", 0.0),
        system=times.system + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0),
        idle=times.idle,
        iowait=getattr(times, "iowait", None),
        steal=getattr(times, "steal", None),
    )


class PortableHost:
    """All readings of a system that psutil knows."""

    def times(self) -> dict[str, CpuTimes]:
        """Times by core, and of all."""
        found = {str(core): cpu_times(times) for core, times in enumerate(psutil.cpu_times(percpu=True))}
        return {TOTAL: cpu_times(psutil.cpu_times()), **found}

    def load(self) -> tuple[float, float, float]:
        """Load averages; psutil imitates them on Windows, which we do not pass on."""
        if os.name == "nt":
            raise UnavailableError("Windows has no load average")
        return os.getloadavg()

    def frequency_megahertz(self) -> float:
        """Mean clock frequency."""
        try:
            frequency = psutil.cpu_freq()
        except (OSError, NotImplementedError, RuntimeError) as error:
            raise UnavailableError("this system does not show the clock frequency") from error
        if frequency is None or not frequency.current:
            raise UnavailableError("this system does not show the clock frequency")
        return float(frequency.current)

    def temperature_celsius(self) -> float:
        """Hottest sensor of the package."""
        raise UnavailableError("this system shows no temperature sensors to programs")

    def memory(self) -> MemoryState:
        """The sizes now."""
        memory, swap = psutil.virtual_memory(), psutil.swap_memory()
        return MemoryState(
            total=float(memory.total),
            available=float(memory.available),
            buffers=getattr(memory, "buffers", None),
            cached=getattr(memory, "cached", None),
            swap_total=float(swap.total),
            swap_free=float(swap.free),
        )

    def paging(self, names: frozenset[str]) -> dict[str, float]:  # noqa: ARG002 - there are none
        """The paging counters of Linux."""
        raise UnavailableError("not available: only Linux counts paging as /proc/vmstat does")

    def interfaces(self) -> dict[str, InterfaceReading]:
        """All interfaces but loopback, by name."""
        found: dict[str, InterfaceReading] = {}
        for name, io in psutil.net_io_counters(pernic=True, nowrap=False).items():
            if name.startswith(_LOOPBACK_PREFIXES):
                continue
            counters = InterfaceCounters(
                receive_bytes=io.bytes_recv,
                transmit_bytes=io.bytes_sent,
                receive_packets=io.packets_recv,
                transmit_packets=io.packets_sent,
                receive_errors=io.errin,
                transmit_errors=io.errout,
                receive_drops=io.dropin,
                transmit_drops=io.dropout,
            )
            noise = name.startswith(_NOISE_PREFIXES)
            found[name] = InterfaceReading(counters, in_total=not noise, shown=not noise)
        return found

    def shows_interface(self, name: str) -> bool:
        """Whether an interface is the machine's own."""
        return not name.startswith((*_LOOPBACK_PREFIXES, *_NOISE_PREFIXES))

    def partitions(self) -> tuple[list[PartitionUsage], dict[str, str]]:
        """The local file systems. Network drives and empty card readers are left out by psutil and by us."""
        found: dict[str, PartitionUsage] = {}
        for mount in psutil.disk_partitions(all=False):
            options = mount.opts.split(",")
            if not mount.fstype or "remote" in options or "cdrom" in options:
                continue
            # macOS spreads one container over several volumes that all show the same sizes.
            if mount.mountpoint.startswith("/System/Volumes/") and mount.mountpoint != "/System/Volumes/Data":
                continue
            try:
                usage = psutil.disk_usage(mount.mountpoint)
            except OSError:
                continue
            found[mount.mountpoint] = PartitionUsage(
                mount.mountpoint, float(usage.total), float(usage.used), float(usage.free), "ro" in options
            )
        return list(found.values()), {}

    def devices(self) -> dict[str, DeviceCounters]:
        """The block devices by name."""
        try:
            counters = psutil.disk_io_counters(perdisk=True, nowrap=False)
        except (OSError, RuntimeError) as error:
            raise UnavailableError(
                f"the system's disk counters cannot be read: {clean(str(error))}"
            ) from error
        if not counters:
            raise UnavailableError("the system's disk counters are switched off; on Windows: diskperf -y")
        return {
            name: DeviceCounters(
                read_bytes=io.read_bytes,
                write_bytes=io.write_bytes,
                reads=io.read_count,
                writes=io.write_count,
                busy_milliseconds=getattr(io, "busy_time", None),
                physical=True,
            )
            for name, io in counters.items()
        }

    def uptime_seconds(self) -> float:
        """Time since the machine started."""
        return max(0.0, time.time() - psutil.boot_time())

    def process_count(self) -> int:
        """Number of processes."""
        return len(psutil.pids())

    def states(self) -> States:
        """What the machine lives on, where it has a battery."""
        return power_states()

    def sessions(self) -> list[LoginSession]:
        """Who is logged in."""
        return [
            LoginSession(
                clean(user.name), float(user.started), clean(user.terminal or ""), clean(user.host or "")
            )
            for user in psutil.users()
        ]

    def readings(self) -> Iterator[ProcessReading]:
        """All processes that can be seen."""
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    times, started = process.cpu_times(), process.create_time()
                    reading = ProcessReading(
                        process.pid,
                        started,
                        process.name(),
                        times.user + times.system,
                        process.memory_info().rss,
                    )
                    io = _or_none(getattr(process, "io_counters", None))
            except (psutil.Error, OSError):
                continue
            yield (
                reading
                if io is None
                else reading._replace(read_bytes=io.read_bytes, write_bytes=io.write_bytes)
            )

    def details(self, pid: int, *, with_arguments: bool) -> ProcessDetails:
        """Owner and command line."""
        try:
            process = psutil.Process(pid)
        except (psutil.Error, OSError):
            return ProcessDetails()
        arguments = _or_none(process.cmdline) or []
        return ProcessDetails(
            username=_or_none(process.username) or "",
            command=command_line(list(arguments), with_arguments=with_arguments),
        )

    def memory_total_bytes(self) -> float:
        """Physical memory."""
        return float(psutil.virtual_memory().total)


class NoPerfCounters:
    """Hardware counters where the agent has no way to them."""

    def open(self) -> PerfCounters:
        """Say so."""
        raise UnavailableError("not available: the agent reads hardware performance counters on Linux only")


def _or_none(question: Callable[[], Any] | None) -> Any:
    # Other users' processes answer some questions and refuse others.
    if question is None:
        return None
    try:
        return question()
    except (psutil.Error, OSError, NotImplementedError):
        return None
