"""Functions on how counters and gauges move within a window: rate, delta, changes, trends.

What they compute, the extrapolation to the window's limits above all, is as Prometheus 2.42 does it
(promql/functions.go there).
"""

import math

import numpy as np

from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.samples import Flags, Samples
from fleetkeeper.telemetry.promql.windows import Arguments, Result, Spans, Windows, add_exactly, seconds
from fleetkeeper.telemetry.resample import Times, Values

# Fewer spans than these are smoothed one by one: numpy's cost for each sample's place would be higher.
FEW_SPANS = 32


def _follows(samples: Samples) -> Flags:
    """Where a sample has one before it in its own series."""
    flags = np.ones(len(samples.values), np.bool_)
    starts = samples.bounds[:-1]
    flags[starts[starts < len(flags)]] = False
    return flags


def _lost_at_resets(samples: Samples) -> Values | None:
    """For each sample below the one before, the value of that one, else 0; None when nothing was ever reset."""
    values = samples.values
    if len(values) < 2:
        return None
    lost = np.zeros(len(values))
    fell = values[1:] < values[:-1]
    lost[1:][fell] = values[:-1][fell]
    lost[~_follows(samples)] = 0.0
    return lost if lost.any() else None


def _extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> Result:
    spans = windows.at_least(2)
    times, values = spans.times, spans.values
    newest = spans.high - 1
    first = values[spans.low]
    change = values[newest] - first
    lost = _lost_at_resets(windows.samples) if counter else None
    if lost is not None:
        inner = Spans(windows, spans.low + 1, spans.high, spans.column, spans.flags)
        change += inner.reduce(np.add, lost)
    first_time, newest_time = times[spans.low], times[newest]
    to_start = seconds(first_time - windows.starts[spans.column])
    to_end = seconds(windows.ends[spans.column] - newest_time)
    sampled = seconds(newest_time - first_time)
    between = sampled / (newest - spans.low)
    if counter:
        # A counter was never below zero, so it is not extended to before the moment when it was zero.
        rises = (change > 0) & (first >= 0)
        to_zero = np.where(rises, sampled * (first / np.where(rises, change, 1.0)), np.inf)
        to_start = np.where(to_zero < to_start, to_zero, to_start)
    threshold = between * 1.1
    covered = sampled + np.where(to_start < threshold, to_start, between / 2)
    covered += np.where(to_end < threshold, to_end, between / 2)
    factor = covered / sampled
    if per_second:
        factor /= windows.range_seconds
    return spans.spread(change * factor)


def rate(windows: Windows, _: Arguments) -> Result:
    """Increase of a counter per second."""
    return _extrapolated(windows, counter=True, per_second=True)


def increase(windows: Windows, _: Arguments) -> Result:
    """Increase of a counter over the window."""
    return _extrapolated(windows, counter=True, per_second=False)


def delta(windows: Windows, _: Arguments) -> Result:
    """Change of a gauge over the window."""
    return _extrapolated(windows, counter=False, per_second=False)


def _last_two(windows: Windows, *, counter: bool) -> Result:
    spans = windows.at_least(2)
    last, before = spans.values[spans.high - 1], spans.values[spans.high - 2]
    change = last - before
    if counter:
        change = np.where(last < before, last, change)
        change /= seconds(spans.times[spans.high - 1] - spans.times[spans.high - 2])
    return spans.spread(change)


def irate(windows: Windows, _: Arguments) -> Result:
    """Increase per second between the last two samples."""
    return _last_two(windows, counter=True)


def idelta(windows: Windows, _: Arguments) -> Result:
    """Change between the last two samples."""
    return _last_two(windows, counter=False)


def _count_pairs(windows: Windows, flags: Flags) -> Result:
    """How many neighbors in each window have a flag; the flag of a pair stands at its second sample."""
    spans = windows.at_least(1)
    counted = np.cumsum(flags & _follows(windows.samples))
    result = counted[spans.high - 1] - counted[spans.low] if len(counted) else np.empty(0)
    return spans.spread(result.astype(np.float64))


def changes(windows: Windows, _: Arguments) -> Result:
    """How often the value changed."""
    values = windows.samples.values
    flags = np.zeros(len(values), np.bool_)
    flags[1:] = (values[1:] != values[:-1]) & ~(np.isnan(values[1:]) & np.isnan(values[:-1]))
    return _count_pairs(windows, flags)


def resets(windows: Windows, _: Arguments) -> Result:
    """How often the value fell."""
    values = windows.samples.values
    flags = np.zeros(len(values), np.bool_)
    flags[1:] = values[1:] < values[:-1]
    return _count_pairs(windows, flags)


def _line(x: Values, y: Values) -> tuple[float, float]:
    """Slope and value at zero of one span."""
    if (y == y[0]).all():
        return (math.nan, math.nan) if math.isinf(y[0]) else (0.0, float(y[0]))
    x_mean, y_first = x.mean(), y[0]
    y_mean = (y - y_first).mean() + y_first
    off = x - x_mean
    slope = (off @ (y - y_mean)) / (off @ off)
    return float(slope), float(y_mean - slope * x_mean)


def _regression(spans: Spans, origin: Times) -> tuple[Values, Values]:
    """Least squares: slope per second, and the line's value at `origin` (microseconds, one per span)."""
    if spans.are_few():
        lines = [
            _line(seconds(times - start), values)
            for (times, values), start in zip(spans.each(), origin.tolist(), strict=True)
        ]
        both = np.array(lines).reshape(-1, 2)
        return both[:, 0], both[:, 1]
    scan = spans.scan()
    size = len(scan)
    sums = np.zeros((8, size))
    x_sum, x_rest, y_sum, y_rest, xy_sum, xy_rest, xx_sum, xx_rest = sums
    start_time, first = origin[scan.order], spans.values[scan.low]
    constant = np.ones(size, np.bool_)
    for _, reach, places in scan:
        x = seconds(spans.times[places] - start_time[:reach])
        y = spans.values[places]
        constant[:reach] &= y == first[:reach]
        add_exactly(x_sum[:reach], x_rest[:reach], x)
        add_exactly(y_sum[:reach], y_rest[:reach], y)
        add_exactly(xy_sum[:reach], xy_rest[:reach], x * y)
        add_exactly(xx_sum[:reach], xx_rest[:reach], x * x)
    x_sum, y_sum, xy_sum, xx_sum = x_sum + x_rest, y_sum + y_rest, xy_sum + xy_rest, xx_sum + xx_rest
    count = scan.counts
    slope = (xy_sum - x_sum * y_sum / count) / (xx_sum - x_sum * x_sum / count)
    intercept = y_sum / count - slope * x_sum / count
    flat = np.where(np.isinf(first), np.nan, first)
    # A first value that is NaN differs from itself, except where it stands alone, which two samples rule out.
    slope = np.where(constant, np.where(np.isinf(first), np.nan, 0.0), slope)
    intercept = np.where(constant, flat, intercept)
    return scan.restore(slope), scan.restore(intercept)


def deriv(windows: Windows, _: Arguments) -> Result:
    """Slope per second by least squares."""
    spans = windows.at_least(2)
    return spans.spread(_regression(spans, spans.times[spans.low])[0])


def predict_linear(windows: Windows, arguments: Arguments) -> Result:
    """Where the line will be so many seconds after the step."""
    spans = windows.at_least(2)
    slope, intercept = _regression(spans, windows.moments[spans.column])
    return spans.spread(slope * arguments[0][spans.column] + intercept)


def _smoothed(values: list[float], smooth: float, factor: float) -> float:
    before, now, trend = 0.0, values[0], values[1] - values[0]
    for position, value in enumerate(values[1:]):
        if position:
            trend = factor * (now - before) + (1 - factor) * trend
        before, now = now, smooth * value + (1 - smooth) * (now + trend)
    return now


def holt_winters(windows: Windows, arguments: Arguments) -> Result:
    """Double exponential smoothing with a factor for the value and one for its trend."""
    used = np.unique(windows.at_least(1).column)
    for name, factors in zip(("smoothing", "trend"), arguments, strict=True):
        for factor in factors[used]:
            if factor <= 0 or factor >= 1:
                raise ExecutionError(f"invalid {name} factor. Expected: 0 < {name[0]}f < 1, got: {factor:f}")
    spans = windows.at_least(2)
    if len(spans.low) < FEW_SPANS:
        factors_of = [arguments[0][spans.column].tolist(), arguments[1][spans.column].tolist()]
        found = [
            _smoothed(values.tolist(), *factors)
            for (_, values), *factors in zip(spans.each(), *factors_of, strict=True)
        ]
        return spans.spread(np.array(found))
    scan = spans.scan()
    column = spans.column[scan.order]
    smooth, trend_factor = arguments[0][column], arguments[1][column]
    before = np.zeros(len(scan))
    now = spans.values[scan.low]
    trend = spans.values[scan.low + 1] - now
    for position, reach, value in scan.values():
        if position == 0:
            continue
        factor = trend_factor[:reach]
        if position > 1:
            trend[:reach] = factor * (now[:reach] - before[:reach]) + (1 - factor) * trend[:reach]
        following = smooth[:reach] * value + (1 - smooth[:reach]) * (now[:reach] + trend[:reach])
        before[:reach] = now[:reach]
        now[:reach] = following
    return spans.spread(scan.restore(now))
