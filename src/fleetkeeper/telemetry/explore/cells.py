"""Count, sum, minimum, maximum and last of groups by steps, put together piece by piece. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.resample import Times, Values

Integers = NDArray[np.int64]
STATISTICS = ("counts", "sums", "mins", "maxs", "lasts")
# What has to be known of a bucket to answer an aggregate.
NEEDS = {
    "avg": ("counts", "sums"),
    "sum": ("counts", "sums"),
    "count": ("counts",),
    "min": ("counts", "mins"),
    "max": ("counts", "maxs"),
    "last": ("counts", "lasts"),
}


@dataclass
class Bucket:
    """Statistics of many buckets, side by side; those that are not needed are None. No bucket is empty."""

    groups: Integers
    steps: Integers
    counts: Integers
    sums: Values | None = None
    mins: Values | None = None
    maxs: Values | None = None
    lasts: Values | None = None


class Cells:
    """What stands in each step of each group; arrays are (groups, steps). Only what is in `needs` is kept."""

    def __init__(self, groups: int, edges: Times, needs: Sequence[str] = STATISTICS) -> None:
        self.edges = edges
        self._needs = frozenset(needs)
        shape = groups, len(edges) - 1
        self.counts = np.zeros(shape, np.int64)
        self.sums = np.zeros(shape)
        self.mins = np.full(shape, np.inf)
        self.maxs = np.full(shape, -np.inf)
        self.lasts = np.full(shape, np.nan)

    def steps_of(self, times: Times) -> Integers:
        """The step of each moment; a moment outside of all is not allowed."""
        return np.searchsorted(self.edges, times, side="right") - 1

    def add_samples(self, group: int, times: Times, values: Values) -> None:
        """Add one series' samples, in the order of time; NaN counts for nothing."""
        numbers = ~np.isnan(values)
        if not numbers.all():
            times, values = times[numbers], values[numbers]
        inside = slice(*np.searchsorted(times, (self.edges[0], self.edges[-1])).tolist())
        times, values = times[inside], values[inside]
        if len(times):
            self._add_whole([group], times, values[np.newaxis])

    def add_matrix(self, groups: Sequence[int], times: Times, matrix: Values) -> None:
        """Add several series with the same times, one a row; otherwise as `add_samples`."""
        inside = slice(*np.searchsorted(times, (self.edges[0], self.edges[-1])).tolist())
        times, matrix = times[inside], matrix[:, inside]
        if not len(times):
            return
        # A sum is NaN exactly when a number is, or when infinities meet: either way the slow path is right.
        if np.isnan(matrix.sum()):
            for group, values in zip(groups, matrix, strict=True):
                self.add_samples(group, times, values)
        else:
            self._add_whole(groups, times, matrix)

    def _add_whole(self, groups: Sequence[int], times: Times, matrix: Values) -> None:
        """Add rows without NaN, at times that all lie in a step."""
        place = self.steps_of(times)
        starts = np.concatenate(([0], np.flatnonzero(place[1:] != place[:-1]) + 1))
        ends = np.append(starts[1:], len(place))
        where = np.array(groups)[:, np.newaxis], place[starts]
        np.add.at(self.counts, where, ends - starts)
        with np.errstate(over="ignore", invalid="ignore"):
            if "sums" in self._needs:
                np.add.at(self.sums, where, np.add.reduceat(matrix, starts, axis=1))
        if "mins" in self._needs:
            np.minimum.at(self.mins, where, np.minimum.reduceat(matrix, starts, axis=1))
        if "maxs" in self._needs:
            np.maximum.at(self.maxs, where, np.maximum.reduceat(matrix, starts, axis=1))
        if "lasts" in self._needs:
            self.lasts[where] = matrix[:, ends - 1]

    def add(self, bucket: Bucket) -> None:
        """Add buckets, each of which lies in one step; of one group and step the later ones are the last."""
        # With places in a flat array, adding up is several times as fast.
        place = bucket.groups * self.counts.shape[1] + bucket.steps
        np.add.at(self.counts.reshape(-1), place, bucket.counts)
        with np.errstate(over="ignore", invalid="ignore"):
            if bucket.sums is not None:
                np.add.at(self.sums.reshape(-1), place, bucket.sums)
        if bucket.mins is not None:
            np.minimum.at(self.mins.reshape(-1), place, bucket.mins)
        if bucket.maxs is not None:
            np.maximum.at(self.maxs.reshape(-1), place, bucket.maxs)
        if bucket.lasts is not None:
            self.lasts.reshape(-1)[place] = bucket.lasts

    def aggregate(self, name: str) -> Values:
        """One of NEEDS, as (groups, steps); NaN where nothing is. Raises KeyError."""
        some = self.counts > 0
        if name == "avg":
            averages = np.full(self.sums.shape, np.nan)
            averages[some] = self.sums[some] / self.counts[some]
            return averages
        found = {
            "sum": self.sums,
            "count": self.counts.astype(np.float64),
            "min": self.mins,
            "max": self.maxs,
            "last": self.lasts,
        }[name]
        return np.where(some, found, np.nan)
