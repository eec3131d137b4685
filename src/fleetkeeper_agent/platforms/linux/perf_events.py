"""Performance counters by the system call perf_event_open(2), through ctypes."""

import ctypes
import errno
import os
import platform
import resource
import struct
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.perf_events import GROUPS, GroupReading
from fleetkeeper_agent.host_files import HostRoots, read_or_none, read_small

_SYSCALL_NUMBERS = {
    "x86_64": 298,
    "aarch64": 241,
    "riscv64": 241,
    "ppc64le": 319,
    "s390x": 331,
    "armv7l": 364,
    "i686": 336,
}
_TYPE_HARDWARE, _TYPE_HARDWARE_CACHE = 0, 3
# Kernel ABI, include/uapi/linux/perf_event.h: type and config of each counter. The last is the data TLB (3),
# of the operation read (0 << 8), the result miss (1 << 16).
_EVENTS = {
    "cycles": (_TYPE_HARDWARE, 0),
    "instructions": (_TYPE_HARDWARE, 1),
    "cache_references": (_TYPE_HARDWARE, 2),
    "cache_misses": (_TYPE_HARDWARE, 3),
    "branch_instructions": (_TYPE_HARDWARE, 4),
    "branch_misses": (_TYPE_HARDWARE, 5),
    "dtlb_load_misses": (_TYPE_HARDWARE_CACHE, 3 | 1 << 16),
}
_READ_FORMAT = 1 | 2 | 8  # TOTAL_TIME_ENABLED, TOTAL_TIME_RUNNING, GROUP
_ATTR_SIZE = 64  # PERF_ATTR_SIZE_VER0, which every kernel knows
_FLAG_FD_CLOEXEC = 8
_ALL_PROCESSES = -1


class PerfApi(Protocol):
    """The three calls that counters need."""

    def open(self, kind: int, config: int, cpu: int, group: int) -> int:
        """Open one counter for all processes of a core; -1 as group opens a new group. Raises OSError."""
        ...

    def read(self, descriptor: int, size: int) -> bytes:
        """Read a group. Raises OSError."""
        ...

    def close(self, descriptor: int) -> None:
        """Close one counter."""
        ...


class KernelPerfApi:
    """The system call of this machine's kernel."""

    def __init__(self) -> None:
        number = _SYSCALL_NUMBERS.get(platform.machine())
        if number is None:
            raise UnavailableError(
                f"not available: the agent does not know this architecture ({platform.machine()})"
            )
        self._number = number
        self._libc = ctypes.CDLL(None, use_errno=True)

    def open(self, kind: int, config: int, cpu: int, group: int) -> int:
        """Open one counter for all processes of a core."""
        attributes = struct.pack("=IIQQQQQ", kind, _ATTR_SIZE, config, 0, 0, _READ_FORMAT, 0).ljust(
            _ATTR_SIZE, b"\0"
        )
        descriptor = self._libc.syscall(
            ctypes.c_long(self._number),
            ctypes.c_char_p(attributes),
            ctypes.c_int(_ALL_PROCESSES),
            ctypes.c_int(cpu),
            ctypes.c_int(group),
            ctypes.c_ulong(_FLAG_FD_CLOEXEC),
        )
        if descriptor < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return int(descriptor)

    def read(self, descriptor: int, size: int) -> bytes:
        """Read a group."""
        return os.read(descriptor, size)

    def close(self, descriptor: int) -> None:
        """Close one counter."""
        os.close(descriptor)


def parse_cpu_list(text: bytes) -> list[int]:
    """Read a list of cores as the kernel writes it, such as `0-3,8`."""
    cores: list[int] = []
    for part in text.strip().split(b","):
        first, _, last = part.partition(b"-")
        if first:
            cores += range(int(first), int(last or first) + 1)
    return cores


def parse_group(data: bytes, counters: tuple[str, ...]) -> GroupReading:
    """Read what the kernel writes for a group: number of counters, two times, counts. Raises ValueError."""
    if len(data) < 24 + 8 * len(counters):
        raise ValueError("a performance counter answered with less than was asked for")
    _, enabled, running, *counts = struct.unpack_from(f"=QQQ{len(counters)}Q", data)
    return GroupReading(enabled, running, dict(zip(counters, counts, strict=True)))


class _OpenGroup(NamedTuple):
    leader: int
    counters: tuple[str, ...]


class OpenCounters:
    """The counters of all cores, as file descriptors."""

    def __init__(self, api: PerfApi, online: Callable[[], list[int]]) -> None:
        self._api = api
        self._online = online
        self._cores = online()
        self._descriptors: list[int] = []
        self._groups: dict[tuple[int, int], _OpenGroup] = {}
        self.errors: dict[str, int] = {}
        for core in self._cores:
            for position, counters in enumerate(GROUPS):
                self._open_group(core, position, counters)

    def read(self) -> dict[tuple[int, int], GroupReading]:
        """Readings by core and group."""
        if self._online() != self._cores:
            raise OSError(errno.ENODEV, "the set of cores changed")
        readings: dict[tuple[int, int], GroupReading] = {}
        for place, group in self._groups.items():
            data = self._api.read(group.leader, 24 + 8 * len(group.counters))
            reading = parse_group(data, group.counters)
            # A counter that some cores lack (processors with two kinds of core) would pass for one of all
            # cores.
            counts = {
                counter: count for counter, count in reading.counts.items() if counter not in self.errors
            }
            readings[place] = reading._replace(counts=counts)
        return readings

    def missing(self) -> Mapping[str, str]:
        """Counters that this processor does not have."""
        return {
            counter: f"not available: this processor does not count it ({os.strerror(code)})"
            for counter, code in self.errors.items()
        }

    def close(self) -> None:
        """Close all counters."""
        for descriptor in reversed(self._descriptors):
            self._api.close(descriptor)
        self._descriptors.clear()
        self._groups.clear()

    @property
    def is_empty(self) -> bool:
        """Whether not one counter could be opened on all cores."""
        return all(counter in self.errors for group in GROUPS for counter in group)

    def _open_group(self, core: int, position: int, counters: tuple[str, ...]) -> None:
        leader, opened = -1, []
        for counter in counters:
            # What one core refused the others refuse as well.
            if counter in self.errors:
                continue
            kind, config = _EVENTS[counter]
            try:
                descriptor = self._api.open(kind, config, core, leader)
            except OSError as error:
                if error.errno in {errno.EMFILE, errno.ENFILE}:
                    self.close()
                    raise UnavailableError(
                        "not available: the limit of open files is too low for the counters of all cores"
                    ) from error
                self.errors[counter] = error.errno or 0
                continue
            self._descriptors.append(descriptor)
            opened.append(counter)
            if leader < 0:
                leader = descriptor
        if opened:
            self._groups[core, position] = _OpenGroup(leader, tuple(opened))


class LinuxPerf:
    """Opens the counters, or says what stands in the way."""

    def __init__(self, roots: HostRoots, api: Callable[[], PerfApi] = KernelPerfApi) -> None:
        self._roots = roots
        self._api = api

    def open(self) -> OpenCounters:
        """Start counting."""
        _allow_descriptors(len(self._online()) * len(_EVENTS))
        counters = OpenCounters(self._api(), self._online)
        if counters.is_empty:
            counters.close()
            raise UnavailableError(self._explain(next(iter(counters.errors.values()), errno.ENOENT)))
        return counters

    def _online(self) -> list[int]:
        return parse_cpu_list(read_small(self._roots.sys / "devices/system/cpu/online"))

    def _explain(self, code: int) -> str:
        if code in {errno.EACCES, errno.EPERM}:
            level = (
                (read_or_none(self._roots.proc / "sys/kernel/perf_event_paranoid") or b"?")
                .strip()
                .decode("ascii")
            )
            if level.lstrip("-").isdigit() and int(level) > 0:
                return (
                    f"/proc/sys/kernel/perf_event_paranoid is {level}; give the agent CAP_PERFMON or set it "
                    "to 0 (counters of whole cores need that)"
                )
            return "not available: a container's policy forbids perf_event_open; give the agent CAP_PERFMON"
        if code == errno.ENOSYS:
            return "not available: this kernel is built without performance events"
        if b"hypervisor" in (read_or_none(self._roots.proc / "cpuinfo") or b""):
            return "not available: this virtual machine exposes no hardware performance counters"
        return f"not available: this processor exposes no hardware performance counters ({os.strerror(code)})"


def _allow_descriptors(wanted: int) -> None:
    # A large machine has more counters than the usual limit of 1024 open files; the hard limit is ours to
    # use.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + 256
    if soft != resource.RLIM_INFINITY and soft < needed:
        ceiling = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        if ceiling > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (ceiling, hard))
