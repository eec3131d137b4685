"""Aggregations over the series of a vector, at all steps at once."""

import numpy as np

from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.formatting import format_number
from fleetkeeper.telemetry.promql.grouping import Groups, group_labels
from fleetkeeper.telemetry.promql.labels import Labels, is_label_name, only, with_label, without
from fleetkeeper.telemetry.promql.matrices import Matrix, Scalars, unique_series
from fleetkeeper.telemetry.promql.over_time import quantiles_of
from fleetkeeper.telemetry.promql.samples import Flags, Indices
from fleetkeeper.telemetry.resample import Values

PLAIN = frozenset({"sum", "avg", "min", "max", "count", "stddev", "stdvar", "group"})


def aggregate(op: str, matrix: Matrix, names: tuple[str, ...], *, dropped: bool) -> Matrix:
    """One number for each group and step: sum, avg, min, max, count, stddev, stdvar or group."""
    groups = Groups.of(group_labels(matrix.labels, names, dropped=dropped))
    if not groups.labels:
        return Matrix.empty(matrix.steps)
    flags = matrix.present[groups.order]
    values = matrix.values[groups.order]
    starts = groups.starts[:-1]
    counts = np.add.reduceat(flags, starts, axis=0, dtype=np.int64)
    present = counts > 0
    if op == "count":
        result = counts.astype(np.float64)
    elif op == "group":
        result = np.ones(counts.shape)
    elif op == "sum":
        result = np.add.reduceat(np.where(flags, values, 0.0), starts, axis=0)
    elif op == "min":
        result = np.fmin.reduceat(np.where(flags, values, np.nan), starts, axis=0)
    elif op == "max":
        result = np.fmax.reduceat(np.where(flags, values, np.nan), starts, axis=0)
    else:
        means, squares = _running(groups, matrix)
        result = means if op == "avg" else squares / np.maximum(counts, 1)
        if op == "stddev":
            result = np.sqrt(result)
    return Matrix(groups.labels, result, present)


def _running(groups: Groups, matrix: Matrix) -> tuple[Values, Values]:
    """Running means, and sums of squared distances by Welford's method; both as Prometheus adds them up."""
    shape = (len(groups.labels), matrix.steps)
    counts, means, plain_means, squares = np.zeros((4, *shape))
    for which, rows in groups.members():
        here, value = matrix.present[rows], matrix.values[rows]
        count = counts[which] + here
        divisor = np.maximum(count, 1)
        mean = means[which]
        moved = mean + (value / divisor - mean / divisor)
        stays = np.isinf(mean) & (np.isfinite(value) | (np.isinf(value) & ((mean > 0) == (value > 0))))
        first = count == 1
        means[which] = np.where(here, np.where(first, value, np.where(stays, mean, moved)), mean)
        plain = plain_means[which]
        off = value - plain
        following = np.where(first, value, plain + off / divisor)
        squares[which] += np.where(here & ~first, off * (value - following), 0.0)
        plain_means[which] = np.where(here, following, plain)
        counts[which] = count
    return means, squares


def ranked(op: str, wanted: Scalars, matrix: Matrix, names: tuple[str, ...], *, dropped: bool) -> Matrix:
    """The largest (topk) or smallest (bottomk) series of each group at each step, with all their labels.

    Raises ExecutionError when a wanted number is none.
    """
    for number in wanted.tolist():
        if not -(2.0**63) <= number < 2.0**63:
            raise ExecutionError(f"Scalar value {_scalar_text(number)} overflows int64")
    limits = np.clip(np.trunc(wanted), 0, max(1, len(matrix.labels))).astype(np.int64)
    groups = Groups.of(group_labels(matrix.labels, names, dropped=dropped))
    chosen = np.zeros(matrix.present.shape, np.bool_)
    order: list[int] = []
    for group in range(len(groups.labels)):
        rows = groups.rows(group)
        place = _places(op, matrix.values[rows], matrix.present[rows])
        chosen[rows] = matrix.present[rows] & (place < limits)
        order.extend(rows[np.argsort(place[:, 0], kind="stable")])
    result = Matrix(matrix.labels, matrix.values, chosen)
    return (result.take(order) if matrix.steps == 1 else result).packed()


def _places(op: str, values: Values, present: Flags) -> Indices:
    """The place of each row at each step: best first, then NaN, then those that are not there."""
    keys = values if op == "bottomk" else -values
    kinds = np.where(present, np.isnan(values), 2)
    order = np.lexsort((np.where(np.isnan(keys), 0.0, keys), kinds), axis=0)
    places: Indices = np.empty(order.shape, np.int64)
    np.put_along_axis(places, order, np.arange(len(values))[:, None], axis=0)
    return places


def _scalar_text(number: float) -> str:
    text = format_number(number)
    return f"{number:g}" if len(text) > 21 else text


def quantile(wanted: Scalars, matrix: Matrix, names: tuple[str, ...], *, dropped: bool) -> Matrix:
    """A quantile over the series of each group."""
    groups = Groups.of(group_labels(matrix.labels, names, dropped=dropped))
    values = np.zeros((len(groups.labels), matrix.steps))
    present = np.zeros(values.shape, np.bool_)
    for group in range(len(groups.labels)):
        rows = groups.rows(group)
        flags = matrix.present[rows]
        counts = flags.sum(axis=0)
        steps = np.flatnonzero(counts)
        block = np.where(flags, matrix.values[rows], np.nan)[:, steps].T
        values[group, steps] = quantiles_of(block, counts[steps], wanted[steps])
        present[group] = counts > 0
    return Matrix(groups.labels, values, present)


def count_values(
    label: str, matrix: Matrix, names: tuple[str, ...], *, dropped: bool, max_cells: int
) -> Matrix:
    """How many series have each value, which becomes a label.

    Raises ExecutionError for a wrong label's name, or when there would be more than `max_cells` counts.
    """
    if not is_label_name(label):
        raise ExecutionError(f'invalid label name "{label}"')
    rows, steps = np.nonzero(matrix.present)
    bits = matrix.values[rows, steps].view(np.uint64)
    pairs = np.stack((rows.astype(np.uint64), bits))
    found, which = np.unique(pairs, axis=1, return_inverse=True)
    if found.shape[1] * matrix.steps > max_cells:
        raise ExecutionError("count_values() would give too many series")
    numbers = found[1].view(np.float64)
    labels: list[Labels] = []
    for row, number in zip(found[0].astype(np.int64), numbers, strict=True):
        labelled = with_label(matrix.labels[row], label, format_number(float(number)))
        labels.append(without(labelled, {*names, "__name__"}) if dropped else only(labelled, {*names, label}))
    groups = Groups.of(labels)
    target = np.empty(len(labels), np.int64)
    for group in range(len(groups.labels)):
        target[groups.rows(group)] = group
    counts = np.zeros((len(groups.labels), matrix.steps))
    np.add.at(counts, (target[which.ravel()], steps), 1.0)
    return unique_series(Matrix(groups.labels, counts, counts > 0))
