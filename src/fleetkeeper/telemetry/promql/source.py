"""Where samples come from. The engine asks once per selector, before it evaluates anything."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.resample import Times, Values

MatchOperator = Literal["=", "!=", "=~", "!~"]


@dataclass(frozen=True)
class Matcher:
    """One condition on a label. Regular expressions match the whole value; an absent label counts as empty."""

    name: str
    op: MatchOperator
    value: str


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
