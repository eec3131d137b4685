"""Samples of many series end to end, and which of them lie in the window of each step."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.resample import Times, Values

Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

STALE_BITS = 0x7FF0_0000_0000_0002
# Prometheus' marker for a series that has ended.
STALE = float(np.uint64(STALE_BITS).view(np.float64))


def is_stale(values: Values) -> Flags:
    """Where a value is Prometheus' marker that a series ended."""
    bits: NDArray[np.uint64] = values.view(np.uint64)
    flags: Flags = bits == STALE_BITS
    return flags


@dataclass(frozen=True)
class Samples:
    """Series i has the samples bounds[i]:bounds[i + 1]. Times are microseconds."""

    labels: list[Labels]
    times: Times
    values: Values
    bounds: Indices

    @classmethod
    def of(cls, series: Sequence[SourceSeries]) -> "Samples":
        """Join series, in the order of their labels."""
        ordered = sorted((item for item in series if len(item.times)), key=lambda item: item.labels)
        bounds = np.zeros(len(ordered) + 1, np.int64)
        np.cumsum([len(item.times) for item in ordered], out=bounds[1:])
        if not ordered:
            return cls([], np.empty(0, np.int64), np.empty(0), bounds)
        return cls(
            [item.labels for item in ordered],
            np.concatenate([item.times for item in ordered]),
            np.ascontiguousarray(np.concatenate([item.values for item in ordered])),
            bounds,
        )

    @cached_property
    def measured(self) -> "Samples":
        """The samples without stale markers, as windows see them."""
        stale = is_stale(self.values)
        if not stale.any():
            return self
        kept = ~stale
        counts = np.concatenate(([0], np.cumsum(kept)))
        return Samples(self.labels, self.times[kept], self.values[kept], counts[self.bounds])

    def rows(self, start: int, stop: int) -> "Samples":
        """A run of the series."""
        low, high = int(self.bounds[start]), int(self.bounds[stop])
        return Samples(
            self.labels[start:stop],
            self.times[low:high],
            self.values[low:high],
            self.bounds[start : stop + 1] - low,
        )

    def windows(self, starts: Times, ends: Times) -> tuple[Indices, Indices]:
        """For each series and step the samples low:high with start <= time <= end (both belong to the window)."""
        low = np.empty((len(self.labels), len(starts)), np.int64)
        high = np.empty_like(low)
        previous: Times | None = None
        for row in range(len(self.labels)):
            first = self.bounds[row]
            times = self.times[first : self.bounds[row + 1]]
            if previous is not None and len(previous) == len(times) and np.array_equal(previous, times):
                # Channels of one device share their time axis.
                shift = first - self.bounds[row - 1]
                np.add(low[row - 1], shift, out=low[row])
                np.add(high[row - 1], shift, out=high[row])
            else:
                np.add(times.searchsorted(starts, "left"), first, out=low[row])
                np.add(times.searchsorted(ends, "right"), first, out=high[row])
            previous = times
        return low, high

    def newest(self, moments: Times, lookback: int) -> tuple[Indices, Flags]:
        """For each series and moment the newest sample that is not older than `lookback`, and whether there is one.

        A stale marker as the newest one means that there is none.
        """
        index = np.empty((len(self.labels), len(moments)), np.int64)
        previous: Times | None = None
        for row in range(len(self.labels)):
            first = self.bounds[row]
            times = self.times[first : self.bounds[row + 1]]
            if previous is not None and len(previous) == len(times) and np.array_equal(previous, times):
                np.add(index[row - 1], first - self.bounds[row - 1], out=index[row])
            else:
                np.add(times.searchsorted(moments, "right"), first - 1, out=index[row])
            previous = times
        present = index >= self.bounds[:-1, None]
        np.maximum(index, 0, out=index)
        if len(self.times):
            present &= self.times[index] >= moments - lookback
            present &= ~is_stale(self.values)[index]
        return index, present
