"""What every parser returns: series, and their samples in columns. Pure."""

import sys
from bisect import bisect_right
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.samples import SampleChannel
from fleetkeeper.telemetry.senders.metric_names import escaped

Times = NDArray[np.int64]
Values = NDArray[np.float64]

# Times past these are in no window and would overflow as microseconds (the years -9999 to 9999, roughly).
MAX_MICROSECONDS = 253_402_300_800_000_000


class SenderInputError(ValueError):
    """The body is not what its protocol says; the message says where. Nothing of it may be stored."""


class TooManyError(SenderInputError):
    """The body has more series, labels or samples than one request may have."""


class PartError(SenderInputError):
    """One series or data point is wrong; the others are kept."""

    def __init__(self, reason: Reason, sentence: str = "") -> None:
        super().__init__(sentence or reason.sentence)
        self.reason = reason


class Meaning(NamedTuple):
    """What a sender says of a metric: `kind` is gauge or counter, texts are empty where it says nothing."""

    unit: str
    kind: str
    description: str


@dataclass(slots=True, eq=False)
class Series(SampleChannel):
    """The labels of a series as its sender gave them, `__name__` among them; in one process one object per series.

    `origin` has attributes of the sender that are no labels (OTLP's resource), by which the device can be found.
    Once the series is resolved, `device_id` and `key` say where its samples go, and the labels are let go; `host` is
    what the device was found by.
    """

    labels: Mapping[str, str] | None
    origin: Mapping[str, str] | None = None
    host: str = ""
    # Why its samples are refused, and that as a sentence.
    reason: Reason | None = None
    problem: str = ""
    # What its sender tells it apart by, where different series could become one here; else 0.
    identity: int = 0

    def called(self, sent_as: str) -> "Series":
        """This series, which its sender calls so; that is no news where it is called the same here."""
        if self.labels is not None and sent_as != escaped(self.labels["__name__"]):
            self.sent_as = sys.intern(sent_as)
        return self

    @classmethod
    def refused(cls, error: PartError) -> "Series":
        """One that cannot be read, though its samples can be counted."""
        return cls(None, reason=error.reason, problem=str(error))


class Run(Protocol):
    """Series that came together, and what a protocol needs to read them together when they come again."""

    @property
    def series(self) -> Sequence[Series]:
        """In the order of their samples."""

    @property
    def weight(self) -> int:
        """How many series would take as much memory, roughly."""


class SeriesRun(NamedTuple):
    """A run of which no more is known."""

    series: Sequence[Series]

    @property
    def weight(self) -> int:
        """One more, for what it is recognized by."""
        return len(self.series) + 1


class SeriesCache(dict[Hashable, Series]):
    """Series known from requests before, by whatever their protocol recognizes them by, and runs of them likewise."""

    def __init__(self) -> None:
        super().__init__()
        self.runs: dict[Hashable, Any] = {}


@dataclass(slots=True)
class SampleBatch:
    """One request: series `i` has the samples `starts[i]:starts[i + 1]`. A series may occur more than once."""

    series: list[Series]
    starts: NDArray[np.int64]
    times_us: Times
    values: Values
    meanings: dict[str, Meaning] = field(default_factory=dict)
    # What is in the request and cannot be stored: reason -> (number, sentence).
    left_out: dict[Reason, tuple[int, str]] = field(default_factory=dict)
    # One of each: as it came, or its series.
    examples: dict[Reason, str | Series] = field(default_factory=dict)
    # New series by what they are recognized by, for the cache, and new runs.
    found: dict[Hashable, Series] = field(default_factory=dict)
    runs: dict[Hashable, Run] = field(default_factory=dict)
    # Series [first, behind) that came as one data point, in order.
    points: Sequence[tuple[int, int]] = ()

    @property
    def samples(self) -> int:
        """How many samples it has."""
        return len(self.times_us)

    def points_among(self, series: Iterable[int]) -> int:
        """How many data points these series, by their numbers, are or belong to, where each has one sample."""
        firsts = set()
        for number in series:
            place = bisect_right(self.points, number, key=itemgetter(0)) - 1
            first, behind = self.points[place] if place >= 0 else (number, number)
            firsts.add(first if number < behind else number)
        return len(firsts)

    def leave_out(
        self, reason: Reason, number: int, sentence: str = "", example: str | Series | None = None
    ) -> None:
        """Count samples that are in the request and cannot be stored."""
        if number:
            before, said = self.left_out.get(reason, (0, sentence or reason.sentence))
            self.left_out[reason] = (before + number, said)
            if example is not None:
                self.examples[reason] = example


class Columns:
    """Series with one sample each, as they come out of a parser's loop."""

    __slots__ = ("series", "times_us", "values")

    def __init__(self) -> None:
        self.series: list[Series] = []
        self.times_us: list[int] = []
        self.values: list[float] = []

    def add(self, series: Series, time_us: int, value: float) -> None:
        """One sample."""
        self.series.append(series)
        self.times_us.append(time_us)
        self.values.append(value)

    def add_run(self, series: Sequence[Series], times_us: Iterable[int], values: Iterable[float]) -> None:
        """Several series with one sample each."""
        self.series += series
        self.times_us += times_us
        self.values += values

    def batch(self) -> SampleBatch:
        """All of them."""
        return single_samples(
            self.series, np.array(self.times_us, np.int64), np.array(self.values, np.float64)
        )


def single_samples(series: list[Series], times_us: Times, values: Values) -> SampleBatch:
    """Series with one sample each."""
    return SampleBatch(series, np.arange(len(series) + 1, dtype=np.int64), times_us, values)
