"""Count, sum, minimum, maximum and last of groups by steps, put together piece by piece. Pure."""

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
    """What stands in each step of each group; arrays are (groups, steps)."""

    def __init__(self, groups: int, edges: Times) -> None:
        self.edges = edges
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
        times, values = times[numbers], values[numbers]
        inside = slice(*np.searchsorted(times, (self.edges[0], self.edges[-1])))
        times, values = times[inside], values[inside]
        if not len(times):
            return
        place = self.steps_of(times)
        starts = np.flatnonzero(np.diff(place, prepend=place[0] - 1))
        where = place[starts]
        ends = np.append(starts[1:], len(place))
        self.counts[group, where] += ends - starts
        with np.errstate(over="ignore", invalid="ignore"):
            self.sums[group, where] += np.add.reduceat(values, starts)
        self.mins[group, where] = np.minimum(self.mins[group, where], np.minimum.reduceat(values, starts))
        self.maxs[group, where] = np.maximum(self.maxs[group, where], np.maximum.reduceat(values, starts))
        self.lasts[group, where] = values[ends - 1]

    def add(self, bucket: Bucket) -> None:
        """Add buckets, each of which lies in one step; of one group and step the later ones are the last."""
        place = bucket.groups, bucket.steps
        np.add.at(self.counts, place, bucket.counts)
        with np.errstate(over="ignore", invalid="ignore"):
            if bucket.sums is not None:
                np.add.at(self.sums, place, bucket.sums)
        if bucket.mins is not None:
            np.minimum.at(self.mins, place, bucket.mins)
        if bucket.maxs is not None:
            np.maximum.at(self.maxs, place, bucket.maxs)
        if bucket.lasts is not None:
            self.lasts[place] = bucket.lasts

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
