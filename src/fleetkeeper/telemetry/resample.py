"""Puts samples on a regular grid. Pure numpy: every tier of storage hands its samples to these functions.

Times are microseconds since 1970 (int64, ascending), values float64 in which NaN counts for nothing.
"""

import math

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]

AGGREGATES = ("avg", "min", "max", "last", "sum", "count", "rate")
# Steps that people read well (seconds).
_NICE_STEPS = (
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
)  # fmt: skip
SECOND = 1_000_000
# An empty step is filled with the value before it when no more than this many sampling intervals have passed: the
# samples of a machine drift against the grid, and that is no gap.
FILL_INTERVALS = 2.5


def nice_step(span_seconds: float, points: int) -> float:
    """The shortest well-readable step (seconds) that divides the span into at most `points`."""
    least = span_seconds / max(points, 1)
    for step in _NICE_STEPS:
        if step >= least:
            return float(step)
    return math.ceil(least / 86_400) * 86_400.0


def sampling_interval(times: Times) -> float:
    """The usual distance between samples (seconds); 0 when there are fewer than two."""
    return float(np.median(np.diff(times))) / SECOND if len(times) > 1 else 0.0


def grid(start_us: int, end_us: int, step_us: int) -> Times:
    """The first moments of the steps that cover [start, end), aligned to multiples of the step."""
    return np.arange(start_us // step_us * step_us, end_us, step_us, dtype=np.int64)


def resample(times: Times, values: Values, steps: Times, step_us: int, aggregate: str) -> Values:
    """One value per step; NaN where there is none. `rate` is per second and wants a counter.

    Raises ValueError for an unknown aggregate.
    """
    if aggregate not in AGGREGATES:
        raise ValueError(f"there is no aggregate {aggregate!r}; there are {', '.join(AGGREGATES)}")
    valid = ~np.isnan(values)
    times, values = times[valid], values[valid]
    if aggregate == "rate":
        return fill_gaps(_rate(times, values, steps, step_us), step_us, sampling_interval(times))
    result = np.full(len(steps), np.nan)
    if len(times) and len(steps):
        place = (times - steps[0]) // step_us
        inside = (place >= 0) & (place < len(steps))
        place, values = place[inside], values[inside]
        if len(place):
            _aggregate(place, values, aggregate, result)
    if aggregate in {"sum", "count"}:
        return result
    return fill_gaps(result, step_us, sampling_interval(times))


def _aggregate(place: Times, values: Values, aggregate: str, result: Values) -> None:
    starts = np.flatnonzero(np.diff(place, prepend=place[0] - 1))
    where = place[starts]
    counts = np.diff(starts, append=len(place))
    if aggregate == "count":
        result[where] = counts
    elif aggregate == "last":
        result[where] = values[starts + counts - 1]
    elif aggregate == "min":
        result[where] = np.minimum.reduceat(values, starts)
    elif aggregate == "max":
        result[where] = np.maximum.reduceat(values, starts)
    else:
        sums = np.add.reduceat(values, starts)
        result[where] = sums if aggregate == "sum" else sums / counts


def _rate(times: Times, values: Values, steps: Times, step_us: int) -> Values:
    """Increase per second in each step.

    An increase counts for the step of the later sample and is divided by the time that it took, so the first sample
    after a gap gives the mean over the gap and no spike. A decrease is a reset or a wrap: how much was counted in
    between is unknown, so that pair of samples gives no rate.
    """
    result = np.full(len(steps), np.nan)
    if len(times) < 2 or not len(steps):
        return result
    differences = np.diff(values)
    seconds = np.diff(times) / SECOND
    place = (times[1:] - steps[0]) // step_us
    inside = (place >= 0) & (place < len(steps)) & (seconds > 0) & (differences >= 0)
    total = np.bincount(place[inside], weights=differences[inside], minlength=len(steps))
    time = np.bincount(place[inside], weights=seconds[inside], minlength=len(steps))
    some = time > 0
    result[some] = total[some] / time[some]
    return result


def fill_gaps(values: Values, step_us: int, interval_seconds: float) -> Values:
    """Repeat a value over the few empty steps that lie within the sampling interval after it."""
    reach = int(interval_seconds * FILL_INTERVALS * SECOND // step_us)
    if reach < 1 or not len(values):
        return values
    known = np.where(np.isnan(values), -1, np.arange(len(values)))
    last = np.maximum.accumulate(known)
    index = np.arange(len(values))
    # Steps after the last sample stay empty: nothing says yet that the machine still reports.
    final = int(known.max())
    fillable = np.isnan(values) & (last >= 0) & (index - last <= reach) & (index <= final)
    result = values.copy()
    result[fillable] = values[last[fillable]]
    return result
