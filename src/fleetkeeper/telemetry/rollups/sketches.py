"""Quantile sketches with a bounded relative error, that can be merged: DDSketch (Masson, Rim and Lee, 2019). Pure.

A number falls into the bin of its logarithm, so a quantile is off by at most ACCURACY of its value, however many
sketches were merged. Bins are kept as two arrays; a day of a gauge has a few dozen.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.resample import Values

ACCURACY = 0.01
_GAMMA = (1 + ACCURACY) / (1 - ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
# Numbers nearer to zero than this count as zero.
SMALLEST = 1e-12
# Bins of positive numbers are odd and above zero, those of negative ones below; zero is the bin 0.
_SHIFT = 1 + math.ceil(-math.log(SMALLEST) / _LOG_GAMMA)


@dataclass(frozen=True)
class Sketch:
    """How many numbers fell into which bin; bins ascend as their numbers do. Infinities count as the largest double."""

    bins: NDArray[np.int32]
    counts: NDArray[np.int64]


EMPTY = Sketch(np.empty(0, np.int32), np.empty(0, np.int64))


def sketch_of(values: Values) -> Sketch:
    """The sketch of a series; NaN counts for nothing."""
    numbers = values[~np.isnan(values)]
    if not len(numbers):
        return EMPTY
    bins, counts = np.unique(_bins_of(numbers), return_counts=True)
    return Sketch(bins.astype(np.int32), counts.astype(np.int64))


@dataclass(frozen=True)
class Sketches:
    """Many sketches one after another: how many bins each has, and all bins and counts."""

    sizes: NDArray[np.int32]
    bins: NDArray[np.int32]
    counts: NDArray[np.int64]

    def part(self, low: int, high: int) -> "Sketches":
        """The sketches from place `low` to before `high`."""
        first, after = int(self.sizes[:low].sum()), int(self.sizes[:high].sum())
        return Sketches(self.sizes[low:high], self.bins[first:after], self.counts[first:after])


def side_by_side(sketches: Sequence[Sketch]) -> Sketches:
    """Sketches one after another; at least one."""
    sizes = np.array([len(sketch.bins) for sketch in sketches], np.int32)
    bins = np.concatenate([sketch.bins for sketch in sketches])
    return Sketches(sizes, bins, np.concatenate([sketch.counts for sketch in sketches]))


def quantiles(sketches: Sketches, q: float) -> Values:
    """Of each sketch the number below which a part `q` (0 to 1) of all lies; NaN where there was none.

    Raises ValueError.
    """
    if not 0 <= q <= 1:
        raise ValueError("a quantile lies between 0 and 1")
    found = np.full(len(sketches.sizes), np.nan)
    some = np.flatnonzero(sketches.sizes)
    if len(some):
        ends = np.cumsum(sketches.sizes)[some]
        sums = np.cumsum(sketches.counts)
        before = np.concatenate(([0], sums[ends[:-1] - 1]))
        # Whole ranks leave the sums of many sketches exact.
        ranks = np.floor(q * (sums[ends - 1] - before - 1)).astype(np.int64)
        found[some] = _values_of(sketches.bins[np.searchsorted(sums, before + ranks, side="right")])
    return found


def merge_many(parts: Sequence[tuple[NDArray[np.int64], Sketches]], number: int) -> Sketches:
    """What each of `number` series has seen; a part comes with the series (from 0) that its sketches are of."""
    series = np.concatenate([np.repeat(places, part.sizes) for places, part in parts])
    bins = np.concatenate([part.bins for _, part in parts]).astype(np.int64)
    counts = np.concatenate([part.counts for _, part in parts])
    # One sorting for all: the series above, the bin (which may be below zero) in the lower half. Each part is in order.
    keys = (series << 32) + bins + 2**31
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    keys, merged = keys[starts], np.add.reduceat(counts[order], starts) if len(starts) else counts
    sizes = np.bincount(keys >> 32, minlength=number)
    return Sketches(sizes.astype(np.int32), ((keys & 0xFFFF_FFFF) - 2**31).astype(np.int32), merged)


def _bins_of(numbers: Values) -> NDArray[np.int64]:
    sizes = np.minimum(np.abs(numbers), np.finfo(np.float64).max)
    bins = np.zeros(len(numbers), np.int64)
    some = sizes >= SMALLEST
    bins[some] = np.ceil(np.log(sizes[some]) / _LOG_GAMMA).astype(np.int64) + _SHIFT
    return np.where(numbers < 0, -bins, bins)


def _values_of(bins: NDArray[np.int32]) -> Values:
    places = bins.astype(np.int64)
    exponents = (np.abs(places) - _SHIFT) * _LOG_GAMMA
    sizes = np.exp(np.minimum(exponents, math.log(np.finfo(np.float64).max))) * (2 / (1 + _GAMMA))
    return np.where(places == 0, 0.0, np.copysign(sizes, places))
