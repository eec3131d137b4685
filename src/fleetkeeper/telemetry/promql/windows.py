"""The samples that a range function sees at each step, and ways to go over all those windows at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.promql.samples import Flags, Indices, Samples
from fleetkeeper.telemetry.resample import Times, Values

Reduction = np.ufunc
# A scan looks at the clock once in so many samples of a window.
POSITIONS_BETWEEN_LOOKS = 64
# Samples of windows that are put together between two looks.
REDUCED_AT_ONCE = 50_000_000
# Shorter windows are always walked in step, which adds numbers up in Prometheus' own order.
LONG_WINDOW = 2000


@dataclass(frozen=True)
class Spans:
    """Windows that hold enough samples, one after another: samples low:high, at step `column`."""

    windows: "Windows"
    low: Indices
    high: Indices
    column: Indices
    flags: Flags

    @property
    def times(self) -> Times:
        """All samples' times."""
        return self.windows.samples.times

    @property
    def values(self) -> Values:
        """All samples' values."""
        return self.windows.samples.values

    def spread(self, results: Values) -> tuple[Values, Flags]:
        """One result per span as series by steps."""
        values = np.zeros(self.flags.shape)
        values[self.flags] = results
        return values, self.flags

    def reduce(self, operation: Reduction, values: Values) -> Values:
        """`operation` over values[low:high] of each span, each with at least one sample."""
        # An edge may be the end of the array, where reduceat wants a value; its result is not used.
        padded = np.append(values, 0.0)
        added = np.cumsum(self.high - self.low)
        total = int(added[-1]) if len(added) else 0
        limits = added.searchsorted(np.arange(REDUCED_AT_ONCE, total, REDUCED_AT_ONCE), "right")
        results = [np.empty(0)]
        for start, stop in pairwise([0, *dict.fromkeys(limits.tolist()), len(self.low)]):
            if start < stop:
                self.windows.check()
                edges = np.empty(2 * (stop - start), np.int64)
                edges[0::2], edges[1::2] = self.low[start:stop], self.high[start:stop]
                results.append(operation.reduceat(padded, edges)[0::2])
        return np.concatenate(results)

    def are_few(self) -> bool:
        """Whether the windows are so long, and so few, that walking all of them in step would be more work."""
        return len(self.low) < int((self.high - self.low).max(initial=0)) > LONG_WINDOW

    def each(self) -> Iterator[tuple[Times, Values]]:
        """Each span's own times and values."""
        for low, high in zip(self.low.tolist(), self.high.tolist(), strict=True):
            self.windows.check()
            yield self.times[low:high], self.values[low:high]

    def scan(self) -> "Scan":
        """Go over all spans sample by sample."""
        return Scan(self)


class Scan:
    """Walks all spans in step: first every first sample, then every second one, for sums that follow an order.

    Spans are handed out longest first, so those that still have a sample are a run from the beginning. Results are in
    that order until `restore`.
    """

    def __init__(self, spans: Spans) -> None:
        counts = spans.high - spans.low
        self.order = np.argsort(-counts, kind="stable")
        self.low = spans.low[self.order]
        self.counts = counts[self.order]
        self._values = spans.values
        self._check = spans.windows.check

    def __len__(self) -> int:
        return len(self.low)

    def __iter__(self) -> Iterator[tuple[int, int, Indices]]:
        """Position in the window, how many spans reach it, and the samples' places."""
        longest = int(self.counts[0]) if len(self.counts) else 0
        reaching = len(self.counts) - np.searchsorted(self.counts[::-1], np.arange(longest), "right")
        for position in range(longest):
            if position % POSITIONS_BETWEEN_LOOKS == 0:
                self._check()
            reach = int(reaching[position])
            yield position, reach, self.low[:reach] + position

    def values(self) -> Iterator[tuple[int, int, Values]]:
        """The same with the samples' values."""
        for position, reach, places in self:
            yield position, reach, self._values[places]

    def restore(self, results: Values) -> Values:
        """Results in the spans' own order."""
        restored = np.empty_like(results)
        restored[self.order] = results
        return restored


def add_exactly(total: Values, rest: Values, added: Values) -> None:
    """Neumaier's compensated sum in place: `rest` collects what `total` lost to rounding."""
    result = total + added
    rest += np.where(np.abs(total) >= np.abs(added), (total - result) + added, (added - result) + total)
    total[:] = result


@dataclass(frozen=True)
class Windows:
    """Windows of some series: samples low:high of each series (row) at each step (column).

    `starts` and `ends` are the windows' own limits, `moments` the steps; they differ by offset and @. `check` raises
    when it is time to stop.
    """

    samples: Samples
    low: Indices
    high: Indices
    starts: Times
    ends: Times
    moments: Times
    range_seconds: float
    check: Callable[[], None] = lambda: None

    def at_least(self, count: int) -> Spans:
        """The windows with so many samples."""
        flags = self.high - self.low >= count
        if flags.all():
            rows, steps = flags.shape
            return Spans(self, self.low.ravel(), self.high.ravel(), np.tile(np.arange(steps), rows), flags)
        return Spans(self, self.low[flags], self.high[flags], np.nonzero(flags)[1], flags)


Result = tuple[Values, Flags]
Arguments = list[NDArray[np.float64]]


def seconds(micros: NDArray[np.int64]) -> NDArray[np.float64]:
    """Microseconds as seconds."""
    return micros / 1_000_000
