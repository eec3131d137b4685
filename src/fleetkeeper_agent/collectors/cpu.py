"""Processor: shares of time in total and per core, clock, load and temperature."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values, channel
from fleetkeeper_protocol.metrics import CPU

TOTAL = ""


class CpuTimes(NamedTuple):
    """Accumulated time of one core, or of all, in any one unit. None: this system does not count it."""

    user: float
    system: float
    idle: float
    iowait: float | None = None
    steal: float | None = None


class CpuShares(NamedTuple):
    """Percentages of the time between two readings."""

    usage: float
    user: float
    system: float
    idle: float
    iowait: float | None
    steal: float | None


class CpuSource(Protocol):
    """What a platform tells about its processors."""

    def times(self) -> Mapping[str, CpuTimes]:
        """Times by core; the sum over all cores stands under `TOTAL`."""
        ...

    def load(self) -> tuple[float, float, float]:
        """Load averages. Raises UnavailableError."""
        ...

    def frequency_megahertz(self) -> float:
        """Mean clock frequency. Raises UnavailableError."""
        ...

    def temperature_celsius(self) -> float:
        """Hottest sensor of the package. Raises UnavailableError."""
        ...


def shares(previous: CpuTimes, current: CpuTimes) -> CpuShares | None:
    """Percentages between two readings; None when a counter went back or no time passed.

    Waiting for I/O alone may run backwards on Linux (proc(5)); it counts as no time then.
    """
    user, system, idle = (now - before for now, before in zip(current[:3], previous[:3], strict=True))
    steal = (current.steal or 0.0) - (previous.steal or 0.0)
    if min(user, system, idle, steal) < 0:
        return None
    iowait = max(0.0, (current.iowait or 0.0) - (previous.iowait or 0.0))
    total = user + system + idle + iowait + steal
    if total <= 0:
        return None
    scale = 100.0 / total
    return CpuShares(
        # From the parts and not as 100 less idle, which rounding can push below zero.
        usage=min(100.0, (user + system + steal) * scale),
        user=user * scale,
        system=system * scale,
        idle=idle * scale,
        iowait=None if current.iowait is None else iowait * scale,
        steal=None if current.steal is None else steal * scale,
    )


class CpuCollector(Collector):
    """Processor metrics; the shares need two samples."""

    name = "cpu"
    fields = CPU

    def __init__(self, source: CpuSource) -> None:
        super().__init__()
        self._source = source
        self._previous: Mapping[str, CpuTimes] = {}

    def collect(self, now: float) -> Values:  # noqa: ARG002 - shares need no clock
        """Measure; channel -> value."""
        current = self._source.times()
        values = self._shares(current)
        self._previous = current
        for part, read in (
            ("load", self._load),
            ("frequency", lambda: {"cpu_frequency_megahertz": self._source.frequency_megahertz()}),
            ("temperature", lambda: {"cpu_temperature_celsius": self._source.temperature_celsius()}),
        ):
            try:
                values.update(read())
            except UnavailableError as error:
                self.note_gap(part, error.reason)
            else:
                self.note_gap(part, None)
        return values

    def close(self) -> None:
        """Forget the previous sample."""
        self._previous = {}

    def _load(self) -> Values:
        one, five, fifteen = self._source.load()
        return {"load_average_1m": one, "load_average_5m": five, "load_average_15m": fifteen}

    def _shares(self, current: Mapping[str, CpuTimes]) -> Values:
        values: Values = {}
        for core, times in current.items():
            previous = self._previous.get(core)
            found = shares(previous, times) if previous is not None else None
            if found is None:
                continue
            if core != TOTAL:
                values[channel("cpu_core_usage_percent", "core", core)] = found.usage
                continue
            values["cpu_usage_percent"] = found.usage
            values["cpu_user_percent"] = found.user
            values["cpu_system_percent"] = found.system
            values["cpu_idle_percent"] = found.idle
            if found.iowait is not None:
                values["cpu_iowait_percent"] = found.iowait
            if found.steal is not None:
                values["cpu_steal_percent"] = found.steal
        return values
