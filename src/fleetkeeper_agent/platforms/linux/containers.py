"""Containers by the control groups of their processes; no daemon is asked."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from fleetkeeper_agent.host_files import HostRoots, read_or_none
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_agent.platforms.linux.processes import MOST_PROCESSES, parse_process_stat
from fleetkeeper_protocol.messages import Container

MOST_CONTAINERS = 500

_ID = rb"[0-9a-f]{64}"
# In the order of trust: what stands inside of a pod belongs to the pod, whichever runtime made it.
_PATTERNS = tuple(
    (runtime, re.compile(pattern))
    for runtime, pattern in (
        ("kubernetes", rb"kubepods.*[/:-](" + _ID + rb")(?:\.scope)?(?=/|$)"),
        ("docker", rb"(?:/docker/|docker-)(" + _ID + rb")(?:\.scope)?(?=/|$)"),
        ("podman", rb"libpod[-/](" + _ID + rb")(?:\.scope)?(?=/|$)"),
        ("containerd", rb"(?:nerdctl-|containerd-|/default/|crio-)(" + _ID + rb")(?:\.scope)?(?=/|$)"),
        ("lxc", rb"/lxc(?:\.payload\.|\.payload/|/)([A-Za-z0-9][A-Za-z0-9_.-]{0,99})(?=/|$)"),
    )
)


class _First(NamedTuple):
    started_ticks: float
    process: str


def container_of(cgroup: bytes) -> tuple[str, str] | None:
    """Runtime and container that a process belongs to, by its `/proc/<pid>/cgroup`; None outside of containers."""
    paths = [fields[2] for line in cgroup.split(b"\n") if len(fields := line.split(b":", 2)) == 3]
    for runtime, pattern in _PATTERNS:
        for path in paths:
            # The innermost is the one that the process lives in.
            found = pattern.findall(path)
            if found:
                return runtime, clean(found[-1])
    return None


class LinuxContainers:
    """Reads the control group of every process."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots
        self._ticks = float(os.sysconf("SC_CLK_TCK"))

    def containers(self, boot_time: float | None) -> list[Container]:
        """The containers that run now, by runtime and ID."""
        # Inside of a container all processes are its own.
        here = container_of(read_or_none(self._roots.proc / "1/cgroup") or b"")
        firsts: dict[tuple[str, str], _First] = {}
        for key, first in self._contained():
            if key != here and (key not in firsts or first.started_ticks < firsts[key].started_ticks):
                firsts[key] = first
        return [
            Container(
                runtime=runtime,
                container_id=container_id,
                process=clean(first.process),
                started_at=None
                if boot_time is None
                else float(round(boot_time + first.started_ticks / self._ticks)),
            )
            for (runtime, container_id), first in sorted(firsts.items())[:MOST_CONTAINERS]
        ]

    def _contained(self) -> Iterator[tuple[tuple[str, str], _First]]:
        try:
            names = os.listdir(self._roots.proc)  # noqa: PTH208 - names are enough
        except OSError:
            return
        for pid in sorted((name for name in names if name.isdigit()), key=int)[:MOST_PROCESSES]:
            key = container_of(read_or_none(self._roots.proc / pid / "cgroup") or b"")
            if key is None:
                continue
            stat = parse_process_stat(read_or_none(self._roots.proc / pid / "stat") or b"", self._ticks, 1)
            if stat is not None:
                yield key, _First(stat.started, stat.name)
