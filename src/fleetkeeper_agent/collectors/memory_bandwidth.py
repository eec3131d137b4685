"""Memory traffic: paging and faults per second from the kernel's counters."""

from typing import Protocol

from fleetkeeper_agent.collectors.collector import Collector, UnavailableError, Values
from fleetkeeper_agent.counter_rates import rate
from fleetkeeper_protocol.metrics import MEMORY_BANDWIDTH

_COUNTERS = {
    metric.name.removeprefix("vmstat_").removesuffix("_per_second"): metric.name
    for metric in MEMORY_BANDWIDTH
}
NAMES = frozenset(_COUNTERS)


class PagingSource(Protocol):
    """What a platform tells about paging."""

    def paging(self, names: frozenset[str]) -> dict[str, float]:
        """Counters by the kernel's names, those that exist. Raises UnavailableError."""
        ...


class MemoryBandwidthCollector(Collector):
    """Paging rates between two samples."""

    name = "memory_bandwidth"
    fields = MEMORY_BANDWIDTH

    def __init__(self, source: PagingSource) -> None:
        super().__init__()
        self._source = source
        self._previous: dict[str, float] = {}
        self._previous_at = 0.0

    def collect(self, now: float) -> Values:
        """Measure; channel -> value."""
        current = self._source.paging(NAMES)
        if not current:
            raise UnavailableError("the kernel shows none of its paging counters")
        seconds = now - self._previous_at
        values: Values = {}
        for counter, metric in _COUNTERS.items():
            found = rate(self._previous.get(counter), current.get(counter), seconds)
            if found is not None:
                values[metric] = found
        self._previous, self._previous_at = current, now
        return values

    def close(self) -> None:
        """Forget the previous sample."""
        self._previous = {}
