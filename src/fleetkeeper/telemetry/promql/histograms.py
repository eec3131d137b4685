"""histogram_quantile on classic buckets (`le` labels)."""

from collections.abc import Iterator

import numpy as np

from fleetkeeper.telemetry.promql.labels import BUCKET, NAME, Labels, label_value, without
from fleetkeeper.telemetry.promql.matrices import Matrix, unique_series
from fleetkeeper.telemetry.promql.numbers import parse_number
from fleetkeeper.telemetry.promql.samples import Flags, Indices
from fleetkeeper.telemetry.resample import Values


def histogram_quantile(wanted: Values, matrix: Matrix) -> Matrix:
    """The quantile (one wanted per step) of each histogram among the series. Series without a bound are left out."""
    rows_by_histogram: dict[Labels, list[tuple[float, int]]] = {}
    for row, labels in enumerate(matrix.labels):
        bound = parse_number(label_value(labels, BUCKET))
        if bound is not None:
            rows_by_histogram.setdefault(without(labels, {BUCKET}), []).append((bound, row))
    labels_out = [without(labels, {NAME, BUCKET}) for labels in rows_by_histogram]
    values = np.zeros((len(labels_out), matrix.steps))
    present = np.zeros(values.shape, np.bool_)
    for target, members in enumerate(rows_by_histogram.values()):
        members.sort()
        bounds = np.array([bound for bound, _ in members])
        rows = np.array([row for _, row in members])
        flags = matrix.present[rows]
        for steps, some in _alike(flags):
            counts = matrix.values[np.ix_(rows[some], steps)]
            values[target, steps] = _quantile(wanted[steps], bounds[some], counts)
            present[target, steps] = True
    return unique_series(Matrix(labels_out, values, present))


def _alike(flags: Flags) -> Iterator[tuple[Indices, Flags]]:
    """Steps at which the same buckets are there, and those buckets."""
    if flags.all():
        yield np.arange(flags.shape[1]), np.ones(len(flags), np.bool_)
        return
    patterns, which = np.unique(flags, axis=1, return_inverse=True)
    which = which.ravel()
    for index in range(patterns.shape[1]):
        if patterns[:, index].any():
            yield np.flatnonzero(which == index), patterns[:, index]


def _quantile(wanted: Values, bounds: Values, counts: Values) -> Values:
    """Quantiles of one histogram at many steps; `counts` has a row per bucket, cumulative, by rising bound.

    As `bucketQuantile` of Prometheus 2.42 (promql/quantile.go): linear within a bucket, the lowest begins at zero.
    """
    steps = counts.shape[1]
    result = np.full(steps, np.nan)
    if np.isnan(bounds).any() or bounds[-1] != np.inf:
        return _outside(wanted, result)
    firsts = np.concatenate(([0], np.flatnonzero(np.diff(bounds) != 0) + 1))
    # Buckets of the same bound, written in two ways, are one.
    bounds, counts = bounds[firsts], np.add.reduceat(counts, firsts, axis=0)
    if len(bounds) < 2:
        return _outside(wanted, result)
    highest = counts[0].copy()
    for index in range(1, len(bounds)):
        # Counts that were not read at one moment may fall from bucket to bucket.
        np.copyto(highest, counts[index], where=counts[index] > highest)
        np.copyto(counts[index], highest, where=counts[index] < highest)
    observations = counts[-1]
    rank = wanted * observations
    bucket = _first_reaching(counts, rank)
    column = np.arange(steps)
    start = np.where(bucket > 0, bounds[np.maximum(bucket - 1, 0)], 0.0)
    below = np.where(bucket > 0, counts[np.maximum(bucket - 1, 0), column], 0.0)
    within = (rank - below) / (counts[bucket, column] - below)
    with np.errstate(invalid="ignore"):
        result = start + (bounds[bucket] - start) * within
    result = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], result)
    result = np.where(bucket == len(bounds) - 1, bounds[-2], result)
    return _outside(wanted, np.where(observations == 0, np.nan, result))


def _first_reaching(counts: Values, rank: Values) -> Indices:
    """The first bucket but the last whose count reaches the rank, by bisection, else the last."""
    low = np.zeros(len(rank), np.int64)
    high = np.full(len(rank), len(counts) - 1)
    column = np.arange(len(rank))
    while (low < high).any():
        middle = (low + high) // 2
        reaches = counts[middle, column] >= rank
        active = low < high
        high = np.where(active & reaches, middle, high)
        low = np.where(active & ~reaches, middle + 1, low)
    return low


def _outside(wanted: Values, result: Values) -> Values:
    result = np.where(wanted < 0, -np.inf, np.where(wanted > 1, np.inf, result))
    return np.where(np.isnan(wanted), np.nan, result)
