"""Processes from `/proc/<pid>`."""

import os
import pwd
from collections.abc import Iterator

from fleetkeeper_agent.collectors.processes import ProcessDetails, ProcessReading
from fleetkeeper_agent.command_masking import LIMIT, command_line
from fleetkeeper_agent.host_files import HostRoots, read_or_none
from fleetkeeper_agent.platforms.linux.memory import parse_meminfo

MOST_PROCESSES = 32768


def parse_process_stat(data: bytes, ticks_per_second: float, page_bytes: int) -> ProcessReading | None:
    """Read `/proc/<pid>/stat` (proc_pid_stat(5)). The name may hold anything, parentheses and spaces too."""
    head, opening, rest = data.partition(b"(")
    name, closing, tail = rest.rpartition(b")")
    fields = tail.split()
    if not opening or not closing or len(fields) < 22:
        return None
    try:
        return ProcessReading(
            pid=int(head),
            started=float(fields[19]),
            name=name.decode("utf-8", "replace"),
            cpu_seconds=(int(fields[11]) + int(fields[12])) / ticks_per_second,
            memory_bytes=max(0, int(fields[21])) * page_bytes,
        )
    except ValueError:
        return None


def parse_process_io(data: bytes) -> tuple[float, float] | None:
    """Bytes that a process really read and wrote, from `/proc/<pid>/io`."""
    fields = dict(line.split(b": ", 1) for line in data.split(b"\n") if b": " in line)
    try:
        return float(fields[b"read_bytes"]), float(fields[b"write_bytes"])
    except (KeyError, ValueError):
        return None


class LinuxProcesses:
    """Reads all processes: two small files of each, and two more of those that are reported."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots
        self._proc = str(roots.proc)
        self._ticks = float(os.sysconf("SC_CLK_TCK"))
        self._page_bytes = os.sysconf("SC_PAGE_SIZE")
        self._users: dict[int, str] = {}

    def readings(self) -> Iterator[ProcessReading]:
        """All processes that can be seen."""
        pids = [name for name in os.listdir(self._proc) if name.isdigit()]  # noqa: PTH208 - names are enough
        for pid in pids[:MOST_PROCESSES]:
            stat = read_or_none(f"{self._proc}/{pid}/stat")
            reading = parse_process_stat(stat, self._ticks, self._page_bytes) if stat else None
            if reading is None:
                continue
            # Only root sees the I/O of others; without it the rates are missing.
            data = read_or_none(f"{self._proc}/{pid}/io")
            counts = parse_process_io(data) if data else None
            yield reading._replace(read_bytes=counts[0], write_bytes=counts[1]) if counts else reading

    def details(self, pid: int, *, with_arguments: bool) -> ProcessDetails:
        """Owner and command line."""
        directory = f"{self._proc}/{pid}"
        try:
            username = self._username(os.stat(directory).st_uid)  # noqa: PTH116 - a string is all we need
        except OSError:
            return ProcessDetails()
        data = (read_or_none(f"{directory}/cmdline") or b"")[: LIMIT * 4]
        arguments: list[str | bytes] = [*data.rstrip(b"\0").split(b"\0")] if data else []
        return ProcessDetails(username, command_line(arguments, with_arguments=with_arguments))

    def memory_total_bytes(self) -> float:
        """Physical memory."""
        return parse_meminfo(read_or_none(self._roots.proc / "meminfo") or b"").get("MemTotal", 0.0)

    def _username(self, uid: int) -> str:
        if uid not in self._users:
            try:
                self._users[uid] = pwd.getpwuid(uid).pw_name
            except KeyError:
                self._users[uid] = str(uid)
        return self._users[uid]
