"""What series get that say nothing of their origin, as agents' do: the labels that exporters have, and `up`.

All is made as series are read. `up` is 1 while a device reports and 0 while it does not, every 15 seconds, as if it
were scraped; it is told from the times of a channel that every agent sends in every frame.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

import numpy as np

from fleetkeeper.telemetry.resample import SECOND, Times, Values

INSTANCE = "instance"
DEVICE = "device_id"
JOB = "job"
TYPE = "device_type"
DEPARTMENT = "department"
DEVICE_LABELS = frozenset({INSTANCE, DEVICE, JOB, TYPE, DEPARTMENT})
AGENT_JOB = "fleetkeeper-agent"
UP = "up"
# What tells that an agent was there.
ALIVE = "agent_memory_bytes"
UP_STEP_US = 15 * SECOND


@dataclass
class Origin:
    """A device as labels tell of it; `is_agent` where it sends whole frames."""

    device_id: UUID
    name: str
    device_type: str
    department: str
    is_agent: bool

    @cached_property
    def labels(self) -> dict[str, str]:
        """Its labels."""
        found = {INSTANCE: self.name, DEVICE: str(self.device_id), TYPE: self.device_type}
        if self.department:
            found[DEPARTMENT] = self.department
        if self.is_agent:
            found[JOB] = AGENT_JOB
        return found


@dataclass(frozen=True)
class Known:
    """Since when it is known whether a device reported, and until when it should have (microseconds since 1970)."""

    since_us: int
    until_us: int

    @classmethod
    def of(cls, since: datetime, until: datetime) -> "Known":
        """From moments."""
        return cls(round(since.timestamp() * SECOND), round(until.timestamp() * SECOND))


def up_samples(
    frames: Times, known: Known, start_us: int, end_us: int, silence_us: int
) -> tuple[Times, Values]:
    """Whether a device was up at each step in [start, end), by the times of its frames from a silence earlier on."""
    first, last = max(start_us, known.since_us), min(end_us - 1, known.until_us)
    times = np.arange(-(-first // UP_STEP_US), last // UP_STEP_US + 1, dtype=np.int64) * UP_STEP_US
    newest = np.searchsorted(frames, times, side="right") - 1
    is_up = np.zeros(len(times), bool)
    some = newest >= 0
    is_up[some] = times[some] - frames[newest[some]] < silence_us
    return times, is_up.astype(np.float64)
