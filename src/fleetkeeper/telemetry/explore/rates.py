"""How much counters have counted, by series and step. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.resample import SECOND, Times, Values
from fleetkeeper.telemetry.rollups.counters import increases_between

RATES = frozenset({"rate", "increase"})
# How far before a range the sample may lie that its first increase is counted from.
LOOKBACK_US = 300 * SECOND

_Integers = NDArray[np.int64]


@dataclass(frozen=True)
class CountedBuckets:
    """Counters' buckets side by side, in any order; none is empty. Times are of the first and the last sample."""

    series: _Integers
    first_times: Times
    last_times: Times
    firsts: Values
    lasts: Values
    increases: Values


@dataclass
class RateCells:
    """Increases of series by steps, and the time that they took; `place_of` are the groups of the series.

    Counted is from `start_us` on, and from the sample before that if it is not too old.

    An increase counts for the step of the later sample. What is added of a series comes in the order of time.
    """

    groups: int
    place_of: Sequence[int]
    edges: Times
    start_us: int
    # The newest sample of each series so far.
    _newest: dict[int, tuple[int, float]] = field(default_factory=dict)
    # Series, steps, increases and seconds.
    _pieces: list[tuple[_Integers, _Integers, Values, Values]] = field(default_factory=list)

    def add_samples(self, series: int, times: Times, values: Values) -> None:
        """Add one counter's samples."""
        numbers = ~np.isnan(values)
        times, values = times[numbers], values[numbers]
        if not len(times):
            return
        if series in self._newest:
            before, value = self._newest[series]
            times, values = np.insert(times, 0, before), np.insert(values, 0, value)
        self._newest[series] = int(times[-1]), float(values[-1])
        increases = increases_between(values[:-1], values[1:])
        self._add(np.full(len(increases), series), times[:-1], times[1:], increases)

    def add_buckets(self, buckets: CountedBuckets) -> None:
        """Add what lies within the buckets, and between each and the one before it."""
        if not len(buckets.series):
            return
        order = np.lexsort((buckets.first_times, buckets.series))
        series, firsts, lasts = buckets.series[order], buckets.firsts[order], buckets.lasts[order]
        first_times, last_times = buckets.first_times[order], buckets.last_times[order]
        self._add(series, first_times, last_times, buckets.increases[order])
        begins = np.flatnonzero(np.diff(series, prepend=-1))
        before, times_before = np.roll(lasts, 1), np.roll(last_times, 1)
        known = np.ones(len(series), bool)
        for place in begins.tolist():
            newest = self._newest.get(int(series[place]))
            if newest is None:
                known[place] = False
            else:
                times_before[place], before[place] = newest
        increases = increases_between(before, firsts)
        self._add(series[known], times_before[known], first_times[known], increases[known])
        ends = np.append(begins[1:], len(series)) - 1
        newest_samples = zip(last_times[ends].tolist(), lasts[ends].tolist(), strict=True)
        self._newest.update(zip(series[ends].tolist(), newest_samples, strict=True))

    def _add(self, series: _Integers, before: Times, later: Times, increases: Values) -> None:
        inside = (later >= self.start_us) & (later < self.edges[-1]) & (later > before)
        inside &= before >= self.start_us - LOOKBACK_US
        if inside.any():
            steps = np.searchsorted(self.edges, later[inside], side="right") - 1
            seconds = (later - before)[inside] / SECOND
            self._pieces.append(_summed(series[inside], steps, increases[inside], seconds))

    def answer(self, name: str) -> Values:
        """`rate` (per second) or `increase`, as (groups, steps); NaN where nothing is."""
        found = np.full((self.groups, len(self.edges) - 1), np.nan)
        if not self._pieces:
            return found
        series, steps, increases, seconds = _summed(*map(np.concatenate, zip(*self._pieces, strict=True)))
        where = np.asarray(self.place_of)[series], steps
        found[where] = 0.0
        np.add.at(found, where, increases / seconds if name == "rate" else increases)
        return found


def _summed(
    series: _Integers, steps: _Integers, increases: Values, seconds: Values
) -> tuple[_Integers, _Integers, Values, Values]:
    """The sums by series and step."""
    order = np.lexsort((steps, series))
    series, steps = series[order], steps[order]
    starts = np.flatnonzero((np.diff(series, prepend=-1) != 0) | (np.diff(steps, prepend=-1) != 0))
    return (
        series[starts],
        steps[starts],
        np.add.reduceat(increases[order], starts),
        np.add.reduceat(seconds[order], starts),
    )
