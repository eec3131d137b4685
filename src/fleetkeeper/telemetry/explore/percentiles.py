"""Percentiles of groups by steps: exact where samples are read, within 1 % where sketches are merged. Pure."""

from collections.abc import Mapping, Sequence

import numpy as np

from fleetkeeper.telemetry.explore.cells import Bucket, Cells
from fleetkeeper.telemetry.resample import Times, Values
from fleetkeeper.telemetry.rollups.sketches import Sketches, merge_many, quantiles, side_by_side, sketch_of

# Bins of sketches that are in memory before they are put together.
_MERGED_FROM = 4_000_000


class SampleCells:
    """All samples of groups by steps, for exact percentiles."""

    def __init__(self, groups: int, edges: Times) -> None:
        self._shape = groups, len(edges) - 1
        self._edges = edges
        self._places: list[Times] = []
        self._values: list[Values] = []

    def add_samples(self, group: int, times: Times, values: Values) -> None:
        """Add one series' samples; NaN counts for nothing."""
        numbers = ~np.isnan(values) & (times >= self._edges[0]) & (times < self._edges[-1])
        step = np.searchsorted(self._edges, times[numbers], side="right") - 1
        self._places.append(step + group * self._shape[1])
        self._values.append(values[numbers])

    def quantile(self, q: float) -> Values:
        """The quantile of each cell as (groups, steps), between neighbors in proportion; NaN where nothing is."""
        result = np.full(self._shape[0] * self._shape[1], np.nan)
        if self._places:
            places, values = np.concatenate(self._places), np.concatenate(self._values)
            order = np.lexsort((values, places))
            places, values = places[order], values[order]
            if len(places):
                starts = np.flatnonzero(np.diff(places, prepend=places[0] - 1))
                ranks = q * (np.diff(starts, append=len(places)) - 1)
                low = np.floor(ranks).astype(np.int64)
                high = np.ceil(ranks).astype(np.int64)
                below, above = values[starts + low], values[starts + high]
                with np.errstate(invalid="ignore", over="ignore"):
                    between = below + (above - below) * (ranks - low)
                result[places[starts]] = np.where(below == above, below, between)
        return result.reshape(self._shape)


class ExactCells:
    """Statistics of groups by steps with percentiles: those of a bucket are known, all others are of samples.

    A group is one series and a step one bucket, or what samples say of it.
    """

    def __init__(self, groups: int, edges: Times, needs: Sequence[str], shares: Sequence[float]) -> None:
        self.cells = Cells(groups, edges, needs)
        self.shares = tuple(shares)
        self._samples = SampleCells(groups, edges)
        self._known = {share: np.full((groups, len(edges) - 1), np.nan) for share in shares}

    def add_samples(self, group: int, times: Times, values: Values) -> None:
        """Add one series' samples, in the order of time; NaN counts for nothing."""
        self.cells.add_samples(group, times, values)
        self._samples.add_samples(group, times, values)

    def add_known(self, bucket: Bucket, percentiles: Mapping[float, Values]) -> None:
        """Add the percentiles of buckets, by share."""
        for share, values in percentiles.items():
            self._known[share][bucket.groups, bucket.steps] = values

    def quantile(self, share: float) -> Values:
        """One of the shares as (groups, steps), between neighbors in proportion; NaN where nothing is."""
        known = self._known[share]
        return np.where(np.isnan(known), self._samples.quantile(share), known)


class SketchCells:
    """The sketches of groups by steps."""

    def __init__(self, groups: int, edges: Times) -> None:
        self._shape = groups, len(edges) - 1
        self._edges = edges
        self._parts: list[tuple[Times, Sketches]] = []
        self._held, self._most = 0, _MERGED_FROM

    def steps_of(self, times: Times) -> Times:
        """The step of each moment; a moment outside of all is not allowed."""
        return np.searchsorted(self._edges, times, side="right") - 1

    def add_sketches(self, groups: Times, steps: Times, sketches: Sketches) -> None:
        """Add what sketches have seen, each of a group and a step."""
        self._parts.append((groups * self._shape[1] + steps, sketches))
        self._held += len(sketches.bins)
        if self._held > self._most:
            # What goes together takes less space; what does not is left for longer.
            merged = self._merged()
            self._parts = [(np.arange(len(merged.sizes)), merged)]
            self._held, self._most = len(merged.bins), max(self._most, 2 * len(merged.bins))

    def add_samples(self, group: int, times: Times, values: Values) -> None:
        """Add one series' samples."""
        limits = np.searchsorted(times, self._edges)
        steps = np.flatnonzero(np.diff(limits))
        if len(steps):
            sketches = [sketch_of(values[limits[step] : limits[step + 1]]) for step in steps.tolist()]
            self.add_sketches(np.full(len(steps), group), steps, side_by_side(sketches))

    def quantile(self, q: float) -> Values:
        """The quantile of each cell as (groups, steps); NaN where nothing is."""
        if not self._parts:
            return np.full(self._shape, np.nan)
        return quantiles(self._merged(), q).reshape(self._shape)

    def _merged(self) -> Sketches:
        return merge_many(self._parts, self._shape[0] * self._shape[1])
