"""The system as a whole: uptime, number of processes, number of login sessions."""

from collections.abc import Sequence
from typing import Protocol

from fleetkeeper_agent.collectors.collector import Collector, States, UnavailableError, Values
from fleetkeeper_protocol.messages import LoginSession
from fleetkeeper_protocol.metrics import SYSTEM


class SystemSource(Protocol):
    """What a platform tells about itself."""

    def uptime_seconds(self) -> float:
        """Time since the machine started."""
        ...

    def process_count(self) -> int:
        """Number of processes."""
        ...

    def states(self) -> States:
        """Texts and truth values by channel."""
        ...

    def sessions(self) -> Sequence[LoginSession]:
        """Who is logged in. Raises UnavailableError."""
        ...


class SystemCollector(Collector):
    """System metrics; all are gauges of the moment."""

    name = "system"
    fields = SYSTEM

    def __init__(self, source: SystemSource) -> None:
        super().__init__()
        self._source = source

    def collect(self, now: float) -> Values:  # noqa: ARG002 - gauges need no clock
        """Measure; channel -> value."""
        values: Values = {
            "system_uptime_seconds": self._source.uptime_seconds(),
            "system_processes": float(self._source.process_count()),
        }
        self.states = self._source.states()
        try:
            values["system_users"] = float(len(self._source.sessions()))
        except UnavailableError as error:
            self.note_gap("users", error.reason)
        else:
            self.note_gap("users", None)
        return values
