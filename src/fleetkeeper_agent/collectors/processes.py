"""The processes that use the most processor time, memory and I/O."""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.counter_rates import rate
from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_protocol.messages import Process, ProcessSnapshot

TOP_BY_EACH = 15


class ProcessReading(NamedTuple):
    """One process at one moment. `started` tells a process from a later one with the same number."""

    pid: int
    started: float
    name: str
    cpu_seconds: float
    memory_bytes: int
    read_bytes: float | None = None
    write_bytes: float | None = None


class ProcessDetails(NamedTuple):
    """What is asked only of the processes that are reported."""

    username: str = ""
    command: str = ""


class ProcessSource(Protocol):
    """What a platform tells about its processes."""

    def readings(self) -> Iterable[ProcessReading]:
        """All processes that can be seen. Raises UnavailableError."""
        ...

    def details(self, pid: int, *, with_arguments: bool) -> ProcessDetails:
        """More about one process; empty when it is gone."""
        ...

    def memory_total_bytes(self) -> float:
        """Physical memory."""
        ...


class _Usage(NamedTuple):
    reading: ProcessReading
    cpu_percent: float
    read_rate: float | None
    write_rate: float | None

    @property
    def io_rate(self) -> float:
        return (self.read_rate or 0.0) + (self.write_rate or 0.0)


class ProcessesCollector:
    """Compares all processes with the previous time; 100 percent is one core's whole time."""

    name = "processes"

    def __init__(self, source: ProcessSource, with_arguments: Callable[[], bool] = lambda: False) -> None:
        self._source = source
        self._with_arguments = with_arguments
        self._previous: Mapping[tuple[int, float], ProcessReading] = {}
        self._previous_at = 0.0

    def snapshot(self, now: float, wall_time: float) -> ProcessSnapshot | None:
        """The top processes since the previous call. None at the first, which has nothing to compare with."""
        readings = {(reading.pid, reading.started): reading for reading in self._source.readings()}
        if not readings:
            raise UnavailableError("no process can be seen from here")
        previous, seconds = self._previous, now - self._previous_at
        self._previous, self._previous_at = readings, now
        if not previous:
            return None
        usages = [_compare(previous.get(key), reading, seconds) for key, reading in readings.items()]
        total = self._source.memory_total_bytes()
        processes = [self._describe(usage, total) for usage in top(usages)]
        return ProcessSnapshot(ts=wall_time, processes=processes)

    def close(self) -> None:
        """Forget the previous snapshot."""
        self._previous = {}

    def _describe(self, usage: _Usage, memory_total: float) -> Process:
        reading = usage.reading
        details = self._source.details(reading.pid, with_arguments=self._with_arguments())
        return Process(
            pid=reading.pid,
            name=clean(reading.name),
            username=clean(details.username),
            command=clean(details.command, 4000),
            cpu_percent=round(usage.cpu_percent, 2),
            memory_bytes=reading.memory_bytes,
            memory_percent=round(reading.memory_bytes * 100.0 / memory_total, 2) if memory_total > 0 else 0.0,
            read_bytes_per_second=None if usage.read_rate is None else round(usage.read_rate, 1),
            write_bytes_per_second=None if usage.write_rate is None else round(usage.write_rate, 1),
        )


def top(usages: list[_Usage], each: int = TOP_BY_EACH) -> list[_Usage]:
    """The most by processor, by memory and by I/O, each process once; idle processes are in no top."""
    chosen: dict[int, _Usage] = {}
    for busy, order in (
        ((usage for usage in usages if usage.cpu_percent > 0), lambda usage: usage.cpu_percent),
        (
            (usage for usage in usages if usage.reading.memory_bytes > 0),
            lambda usage: usage.reading.memory_bytes,
        ),
        ((usage for usage in usages if usage.io_rate > 0), lambda usage: usage.io_rate),
    ):
        for usage in sorted(busy, key=order, reverse=True)[:each]:
            chosen[usage.reading.pid] = usage
    return sorted(chosen.values(), key=lambda usage: (-usage.cpu_percent, -usage.reading.memory_bytes))


def _compare(previous: ProcessReading | None, current: ProcessReading, seconds: float) -> _Usage:
    if previous is None:
        # Started in between: all that it used, it used since then. Its I/O rates need a second look.
        cpu = current.cpu_seconds / seconds if seconds > 0 else 0.0
        return _Usage(current, cpu * 100.0, None, None)
    cpu = rate(previous.cpu_seconds, current.cpu_seconds, seconds) or 0.0
    return _Usage(
        current,
        cpu * 100.0,
        rate(previous.read_bytes, current.read_bytes, seconds),
        rate(previous.write_bytes, current.write_bytes, seconds),
    )
