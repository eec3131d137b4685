"""Count, sum, minimum, maximum and last of the steps of one series, put together piece by piece. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.resample import Times, Values

EXACT = frozenset({"avg", "min", "max", "last", "sum", "count"})


@dataclass(frozen=True)
class Buckets:
    """What stands in each step of a grid. Pieces come in the order of time, and no sample in two of them."""

    steps: Times
    step_us: int
    counts: NDArray[np.int64]
    sums: Values
    mins: Values
    maxs: Values
    lasts: Values

    @classmethod
    def empty(cls, steps: Times, step_us: int) -> "Buckets":
        """A grid in which nothing is."""
        nothing = [np.full(len(steps), np.nan) for _ in range(4)]
        return cls(steps, step_us, np.zeros(len(steps), np.int64), *nothing)

    def add_samples(self, times: Times, values: Values) -> None:
        """Add samples, in the order of time; NaN counts for nothing."""
        numbers = ~np.isnan(values)
        values = values[numbers]
        self.add(times[numbers], np.ones(len(values), np.int64), values, values, values, values)

    def add(
        self, times: Times, counts: NDArray[np.int64], sums: Values, mins: Values, maxs: Values, lasts: Values
    ) -> None:
        """Add buckets, none of them empty and none wider than a step, by their first moments."""
        if not len(self.steps):
            return
        place = (times - self.steps[0]) // self.step_us
        inside = (place >= 0) & (place < len(self.steps))
        place = place[inside]
        if not len(place):
            return
        starts = np.flatnonzero(np.diff(place, prepend=place[0] - 1))
        where = place[starts]
        ends = np.append(starts[1:], len(place)) - 1
        was_empty = self.counts[where] == 0
        self.counts[where] += np.add.reduceat(counts[inside], starts)
        with np.errstate(over="ignore", invalid="ignore"):
            before = np.where(was_empty, 0.0, self.sums[where])
            self.sums[where] = before + np.add.reduceat(sums[inside], starts)
        self.mins[where] = np.fmin(self.mins[where], np.minimum.reduceat(mins[inside], starts))
        self.maxs[where] = np.fmax(self.maxs[where], np.maximum.reduceat(maxs[inside], starts))
        self.lasts[where] = lasts[inside][ends]

    def aggregate(self, name: str) -> Values:
        """One of EXACT; NaN where nothing is. Raises KeyError."""
        some = self.counts > 0
        if name == "avg":
            averages = np.full(len(self.steps), np.nan)
            averages[some] = self.sums[some] / self.counts[some]
            return averages
        if name == "count":
            return np.where(some, self.counts.astype(np.float64), np.nan)
        kept: dict[str, Values] = {"sum": self.sums, "min": self.mins, "max": self.maxs, "last": self.lasts}
        return kept[name]
