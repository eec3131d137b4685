"""The `…_over_time` functions: one number from all samples of a window."""

import math

import numpy as np

from fleetkeeper.telemetry.promql.samples import Indices
from fleetkeeper.telemetry.promql.windows import Arguments, Result, Spans, Windows, add_exactly
from fleetkeeper.telemetry.resample import Values

# Where numbers cancel out by more than this, the order of adding shows; then the compensated sum is taken.
CANCELLATION = 1e4
# Numbers that a block of windows may have laid side by side for sorting.
SORTED_AT_ONCE = 4_000_000


def count(windows: Windows, _: Arguments) -> Result:
    """How many samples."""
    spans = windows.at_least(1)
    return spans.spread((spans.high - spans.low).astype(np.float64))


def present(windows: Windows, _: Arguments) -> Result:
    """1 where there is a sample."""
    spans = windows.at_least(1)
    return spans.spread(np.ones(len(spans.low)))


def last(windows: Windows, _: Arguments) -> Result:
    """The newest sample."""
    spans = windows.at_least(1)
    return spans.spread(spans.values[spans.high - 1])


def smallest(windows: Windows, _: Arguments) -> Result:
    """The smallest number; NaN only where there is nothing else."""
    spans = windows.at_least(1)
    return spans.spread(spans.reduce(np.fmin, spans.values))


def largest(windows: Windows, _: Arguments) -> Result:
    """The largest number; NaN only where there is nothing else."""
    spans = windows.at_least(1)
    return spans.spread(spans.reduce(np.fmax, spans.values))


def _plain_sums(spans: Spans) -> tuple[Values, Indices]:
    """Sums by the fast way, and which of them need the careful one."""
    values = spans.values
    sums = spans.reduce(np.add, values)
    sizes = spans.reduce(np.add, np.abs(values))
    doubtful = ~(sizes <= CANCELLATION * np.abs(sums)) & (sizes != 0)
    finite = np.isfinite(values)
    if not finite.all():
        # With an infinity or NaN among them, no order of adding gives anything else.
        doubtful &= spans.reduce(np.add, (~finite).astype(np.float64)) == 0
    return sums, np.flatnonzero(doubtful).astype(np.int64)


def total(windows: Windows, _: Arguments) -> Result:
    """The sum."""
    spans = windows.at_least(1)
    sums, doubtful = _plain_sums(spans)
    if len(doubtful):
        sums[doubtful] = _careful_sums(_subset(spans, doubtful))
    return spans.spread(sums)


def _careful_sums(spans: Spans) -> Values:
    if spans.are_few():
        return np.array([_exact_sum(values) for _, values in spans.each()])
    scan = spans.scan()
    added, rest = np.zeros((2, len(scan)))
    for _, reach, value in scan.values():
        add_exactly(added[:reach], rest[:reach], value)
    return scan.restore(np.where(np.isinf(added), added, added + rest))


def _exact_sum(values: Values) -> float:
    try:
        return math.fsum(values)
    except OverflowError:
        return float(np.add.accumulate(values)[-1])


def _subset(spans: Spans, chosen: Indices) -> Spans:
    return Spans(spans.windows, spans.low[chosen], spans.high[chosen], spans.column[chosen], spans.flags)


def mean(windows: Windows, _: Arguments) -> Result:
    """The mean."""
    spans = windows.at_least(1)
    sums, doubtful = _plain_sums(spans)
    means = sums / (spans.high - spans.low)
    if len(doubtful):
        means[doubtful] = _careful_means(_subset(spans, doubtful))
    return spans.spread(means)


def _careful_means(spans: Spans) -> Values:
    if spans.are_few():
        # Divided first, numbers near the largest do not add up to infinity.
        return np.array([_exact_sum(values / len(values)) for _, values in spans.each()])
    scan = spans.scan()
    now, rest = np.zeros((2, len(scan)))
    for position, reach, value in scan.values():
        number = position + 1
        add_exactly(now[:reach], rest[:reach], value / number - now[:reach] / number)
    return scan.restore(np.where(np.isinf(now), now, now + rest))


def _variance(windows: Windows) -> tuple[Spans, Values]:
    spans = windows.at_least(1)
    if spans.are_few():
        # Distances from the first value, so that equal values have none.
        return spans, np.array([np.var(values - values[0]) for _, values in spans.each()])
    scan = spans.scan()
    mean_now, mean_rest, squares, squares_rest = np.zeros((4, len(scan)))
    for position, reach, value in scan.values():
        off = value - (mean_now[:reach] + mean_rest[:reach])
        add_exactly(mean_now[:reach], mean_rest[:reach], off / (position + 1))
        add_exactly(
            squares[:reach], squares_rest[:reach], off * (value - (mean_now[:reach] + mean_rest[:reach]))
        )
    return spans, scan.restore((squares + squares_rest) / scan.counts)


def variance(windows: Windows, _: Arguments) -> Result:
    """The population's variance."""
    spans, found = _variance(windows)
    return spans.spread(found)


def deviation(windows: Windows, _: Arguments) -> Result:
    """The population's standard deviation."""
    spans, found = _variance(windows)
    return spans.spread(np.sqrt(found))


def quantile(windows: Windows, arguments: Arguments) -> Result:
    """A quantile, between neighbors by their distance."""
    spans = windows.at_least(1)
    wanted = arguments[0][spans.column]
    counts = spans.high - spans.low
    results = np.empty(len(counts))
    order = np.argsort(counts, kind="stable")
    start = 0
    while start < len(order):
        windows.check()
        # Windows of about the same length side by side, so that little is padding.
        stop = start + max(1, SORTED_AT_ONCE // max(1, int(counts[order[start]])))
        stop = min(stop, len(order))
        while stop > start + 1 and (stop - start) * int(counts[order[stop - 1]]) > 2 * SORTED_AT_ONCE:
            stop = start + (stop - start + 1) // 2
        some = order[start:stop]
        width = int(counts[some[-1]])
        places = spans.low[some][:, None] + np.arange(width)
        inside = np.arange(width) < counts[some][:, None]
        block = np.where(inside, spans.values[np.minimum(places, len(spans.values) - 1)], np.nan)
        results[some] = quantiles_of(block, counts[some], wanted[some])
        start = stop
    return spans.spread(results)


def quantiles_of(rows: Values, counts: Indices, wanted: Values) -> Values:
    """The quantile of each row's `counts` values; the rest of a row is NaN. A NaN that counts is below all numbers."""
    falling = -np.sort(-rows, axis=1)
    rank = np.where(np.isnan(wanted), 0.0, np.clip(wanted, 0.0, 1.0)) * (counts - 1)
    lower = np.floor(rank).astype(np.int64)
    upper = np.minimum(counts - 1, lower + 1)
    weight = rank - lower
    index = np.arange(len(rows))
    below, above = falling[index, counts - 1 - lower], falling[index, counts - 1 - upper]
    result = below * (1 - weight) + above * weight
    result = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, result))
    return np.where(np.isnan(wanted), np.nan, result)
