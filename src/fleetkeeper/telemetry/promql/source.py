"""Where samples come from. The engine asks once per selector, before it evaluates anything."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.selection import Matcher


class SourceSeries(NamedTuple):
    """One series: its labels with `__name__`, times in microseconds (ascending, each once) and values."""

    labels: Labels
    times: Times
    values: Values


class SampleSource(Protocol):
    """Gives the samples of all series that fulfil all matchers, stale markers included."""

    async def select(self, matchers: Sequence[Matcher], start_us: int, end_us: int) -> list[SourceSeries]:
        """Series with their samples in [start, end). Raises PromqlError when there are too many."""
        ...
