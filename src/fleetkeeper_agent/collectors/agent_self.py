"""The agent about itself: what it costs and what it could not deliver."""

import time
from collections.abc import Callable
from typing import NamedTuple

from fleetkeeper_agent.collectors.collector import Collector, Values
from fleetkeeper_protocol.metrics import AGENT


class DeliveryFigures(NamedTuple):
    """What the delivery knows. Counts survive restarts."""

    spooled_frames: int
    dropped_frames: int
    rejected_frames: int


class AgentSelfCollector(Collector):
    """Agent metrics."""

    name = "agent_self"
    fields = AGENT

    def __init__(
        self,
        resident_bytes: Callable[[], float],
        figures: Callable[[], DeliveryFigures],
        processor_seconds: Callable[[], float] = time.process_time,
    ) -> None:
        super().__init__()
        self._resident_bytes = resident_bytes
        self._figures = figures
        self._processor_seconds = processor_seconds
        self.last_collect_seconds: float | None = None

    def collect(self, now: float) -> Values:  # noqa: ARG002 - gauges and counters need no clock
        """Measure; channel -> value."""
        figures = self._figures()
        values: Values = {
            "agent_cpu_seconds_total": self._processor_seconds(),
            "agent_memory_bytes": self._resident_bytes(),
            "agent_spool_frames": float(figures.spooled_frames),
            "agent_dropped_frames_total": float(figures.dropped_frames),
            "agent_rejected_frames_total": float(figures.rejected_frames),
        }
        if self.last_collect_seconds is not None:
            values["agent_collect_seconds"] = self.last_collect_seconds
        return values
