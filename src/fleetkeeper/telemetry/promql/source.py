"""Where samples come from. The engine asks once per query, before it evaluates anything."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.resample import Times, Values


class SourceSeries(NamedTuple):
    """One series: its labels with `__name__`, times in microseconds (ascending, each once) and values."""

    labels: Labels
    times: Times
    values: Values


class Fetch(NamedTuple):
    """The samples in [start, end) of the series that fulfil all matchers."""

    matchers: Sequence[Matcher]
    start_us: int
    end_us: int


class SampleSource(Protocol):
    """Gives samples, stale markers included."""

    async def select(self, wanted: Sequence[Fetch]) -> list[list[SourceSeries]]:
        """Series with their samples, for each of what is wanted. Raises PromqlError when there are too many."""
        ...
