"""Hardware performance counters over all cores: cycles, instructions, caches, branches, TLB."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values
from fleetkeeper_protocol.metrics import PERF_EVENTS

# Counters of one group run at the same time, so their ratio is true even while the groups take turns.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("cycles", "instructions"),
    ("cache_references", "cache_misses"),
    ("branch_instructions", "branch_misses"),
    ("dtlb_load_misses",),
)
_RATIOS = (
    ("perf_instructions_per_cycle", "instructions", "cycles", 1.0),
    ("perf_cache_miss_percent", "cache_misses", "cache_references", 100.0),
    ("perf_branch_miss_percent", "branch_misses", "branch_instructions", 100.0),
)


class GroupReading(NamedTuple):
    """What one group on one core shows: how long it was wanted, how long it ran, and its counts."""

    enabled_nanoseconds: int
    running_nanoseconds: int
    counts: Mapping[str, int]


class PerfCounters(Protocol):
    """Open counters of all cores."""

    def read(self) -> Mapping[tuple[int, int], GroupReading]:
        """Readings by core and position of the group in `GROUPS`. Raises OSError when a core went away."""
        ...

    def missing(self) -> Mapping[str, str]:
        """Counters that this processor does not have, with the reason."""
        ...

    def close(self) -> None:
        """Give the counters back."""
        ...


class PerfSource(Protocol):
    """What a platform tells about performance counters."""

    def open(self) -> PerfCounters:
        """Start counting. Raises UnavailableError, which says what to do about it."""
        ...


def scaled_increase(previous: GroupReading, current: GroupReading, counter: str) -> float | None:
    """What a counter would have counted, had it run all the time between both readings.

    None when it did not run in between (it shared the hardware with others), or went backwards.
    """
    enabled = current.enabled_nanoseconds - previous.enabled_nanoseconds
    running = current.running_nanoseconds - previous.running_nanoseconds
    increase = current.counts[counter] - previous.counts[counter]
    if running <= 0 or enabled <= 0 or increase < 0:
        return None
    return increase * (enabled / running)


class PerfEventsCollector(Collector):
    """Sums the cores' counters, each step scaled by the time that it really ran.

    The total is summed up from steps, as a total scaled as a whole could fall from one reading to the next.
    """

    name = "perf_events"
    fields = PERF_EVENTS

    def __init__(self, source: PerfSource) -> None:
        super().__init__()
        self._source = source
        self._counters: PerfCounters | None = None
        self._previous: dict[tuple[int, int], GroupReading] = {}
        self._totals: dict[str, float] = {}

    def collect(self, now: float) -> Values:  # noqa: ARG002 - the counters bring their own clock
        """Measure; channel -> value. The first call starts the counters and has no values."""
        if self._counters is None:
            self._counters = self._source.open()
            for counter, reason in self._counters.missing().items():
                self.note_gap(counter, reason)
        try:
            current = self._counters.read()
        except OSError:
            # A core was switched off or on; the next sample starts with those that are there. The totals
            # stay.
            self.close()
            return {}
        return self._values(self._increases(current))

    def close(self) -> None:
        """Give the counters back."""
        if self._counters is not None:
            self._counters.close()
        self._counters = None
        self._previous = {}

    def _increases(self, current: Mapping[tuple[int, int], GroupReading]) -> Values:
        increases: Values = {}
        unknown: set[str] = set()
        for place, reading in current.items():
            previous = self._previous.get(place)
            if previous is None:
                self._previous[place] = reading
                unknown.update(reading.counts)
                continue
            steps = {counter: scaled_increase(previous, reading, counter) for counter in reading.counts}
            if None in steps.values():
                # The previous reading stays, so that the next step covers this time as well.
                unknown.update(reading.counts)
                continue
            self._previous[place] = reading
            for counter, step in steps.items():
                self._totals[counter] = self._totals.get(counter, 0.0) + (step or 0.0)
                increases[counter] = increases.get(counter, 0.0) + (step or 0.0)
        ran = {counter for counter in increases if counter not in unknown}
        if not ran and self._never_ran(current):
            raise UnavailableError("not available: the performance counters were granted but never ran")
        return {counter: increases[counter] for counter in ran}

    def _values(self, increases: Values) -> Values:
        values = {f"perf_{counter}_total": self._totals[counter] for counter in increases}
        for metric, numerator, denominator, scale in _RATIOS:
            below = increases.get(denominator, 0.0)
            if numerator in increases and below > 0:
                values[metric] = increases[numerator] / below * scale
        return values

    @staticmethod
    def _never_ran(current: Mapping[tuple[int, int], GroupReading]) -> bool:
        # A minute without a single nanosecond on the hardware: someone else holds the counters for good.
        return bool(current) and all(
            reading.running_nanoseconds == 0 and reading.enabled_nanoseconds > 60_000_000_000
            for reading in current.values()
        )
