"""What every collector is, and how it says that it cannot work."""

from abc import ABC, abstractmethod
from typing import ClassVar

from fleetkeeper_agent.hostile_text import clean
from fleetkeeper_protocol.metrics import Metric, format_channel

Values = dict[str, float]
States = dict[str, str | bool]


class UnavailableError(Exception):
    """This machine cannot tell, and the message says why in words for people. No fault of the collector."""

    @property
    def reason(self) -> str:
        """The message."""
        return str(self)


class Collector(ABC):
    """Measures one subject.

    `fields` are the metrics it may send; a value that is not there is missing, never zero. `collect` raises
    `UnavailableError` when the machine cannot tell at all. What is missing in part stands in `gaps`: the name
    of the part and the reason.
    """

    name: ClassVar[str]
    fields: ClassVar[tuple[Metric, ...]]

    def __init__(self) -> None:
        self.gaps: dict[str, str] = {}
        # Texts and truth values by channel, as the last `collect` found them.
        self.states: States = {}

    @abstractmethod
    def collect(self, now: float) -> Values:
        """Measure at the monotonic time `now`; return channel -> value."""

    def note_gap(self, part: str, reason: str | None) -> None:
        """Remember that a part is missing, or with None that it is not."""
        if reason is None:
            self.gaps.pop(part, None)
        else:
            self.gaps[part] = reason

    def close(self) -> None:  # noqa: B027 - only a few collectors hold anything
        """Give back what the collector holds, and forget the previous sample."""


def channel(name: str, label: str, value: str) -> str:
    """A channel with one label whose value may come from anyone."""
    return format_channel(name, {label: clean(value)})
