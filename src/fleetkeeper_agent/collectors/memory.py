"""Physical memory and swap."""

from typing import NamedTuple, Protocol

from fleetkeeper_agent.collectors.collector import Collector, Values
from fleetkeeper_protocol.metrics import MEMORY


class MemoryState(NamedTuple):
    """Sizes in bytes. None: this system does not tell."""

    total: float
    available: float
    buffers: float | None = None
    cached: float | None = None
    swap_total: float | None = None
    swap_free: float | None = None


class MemorySource(Protocol):
    """What a platform tells about its memory."""

    def memory(self) -> MemoryState:
        """The sizes now. Raises UnavailableError."""
        ...


class MemoryCollector(Collector):
    """Memory metrics; all are gauges of the moment."""

    name = "memory"
    fields = MEMORY

    def __init__(self, source: MemorySource) -> None:
        super().__init__()
        self._source = source

    def collect(self, now: float) -> Values:  # noqa: ARG002 - gauges need no clock
        """Measure; channel -> value."""
        state = self._source.memory()
        # In a container the limits of two control groups can contradict each other for a moment.
        used = max(0.0, state.total - state.available)
        values = {
            "memory_total_bytes": state.total,
            "memory_available_bytes": state.available,
            "memory_used_bytes": used,
        }
        if state.total > 0:
            values["memory_usage_percent"] = used * 100.0 / state.total
        if state.buffers is not None:
            values["memory_buffers_bytes"] = state.buffers
        if state.cached is not None:
            values["memory_cached_bytes"] = state.cached
        self._add_swap(values, state)
        return values

    def _add_swap(self, values: Values, state: MemoryState) -> None:
        if state.swap_total is None or state.swap_free is None:
            self.note_gap("swap", "this system does not tell about its swap space")
            return
        used = max(0.0, state.swap_total - state.swap_free)
        values["swap_total_bytes"] = state.swap_total
        values["swap_used_bytes"] = used
        if state.swap_total > 0:
            values["swap_usage_percent"] = used * 100.0 / state.swap_total
            self.note_gap("swap", None)
        else:
            self.note_gap("swap", "this machine has no swap space, so there is no share of it in use")
