"""Operators between two vectors: which series meet, and what the result is called."""

from collections.abc import Sequence

import numpy as np

from fleetkeeper.telemetry.promql.errors import ExecutionError, too_many_samples
from fleetkeeper.telemetry.promql.expressions import Matching
from fleetkeeper.telemetry.promql.grouping import Groups
from fleetkeeper.telemetry.promql.labels import (
    NAME,
    Labels,
    label_text,
    label_value,
    only,
    with_label,
    without,
)
from fleetkeeper.telemetry.promql.mathematics import DROPS_NAME
from fleetkeeper.telemetry.promql.matrices import Matrix, unique_series
from fleetkeeper.telemetry.promql.operators import apply
from fleetkeeper.telemetry.promql.samples import Flags, Indices

SET_OPERATORS = frozenset({"and", "or", "unless"})


def signatures(labels: Sequence[Labels], matching: Matching) -> list[Labels]:
    """The labels by which series meet."""
    if matching.on:
        kept = frozenset(matching.labels)
        return [only(item, kept) for item in labels]
    gone = {*matching.labels, NAME}
    return [without(item, gone) for item in labels]


def combine_sets(op: str, left: Matrix, right: Matrix, matching: Matching) -> Matrix:
    """`and`, `or`, `unless`: series stay what they are."""
    left_keys, right_keys = signatures(left.labels, matching), signatures(right.labels, matching)
    if op == "or":
        joined = Matrix(
            left.labels + right.labels,
            np.concatenate((left.values, right.values)),
            np.concatenate((left.present, right.present & ~_partners(right, right_keys, left, left_keys))),
        )
        return unique_series(joined)
    met = _partners(left, left_keys, right, right_keys)
    return Matrix(left.labels, left.values, left.present & (met if op == "and" else ~met)).packed()


def _partners(matrix: Matrix, keys: Sequence[Labels], other: Matrix, other_keys: Sequence[Labels]) -> Flags:
    """For each series and step whether the other side has one with the same key."""
    met = np.zeros(matrix.present.shape, np.bool_)
    there = _present_by_key(other_keys, other)
    for row, key in enumerate(keys):
        flags = there.get(key)
        if flags is not None:
            met[row] = flags
    return met


def _present_by_key(keys: Sequence[Labels], matrix: Matrix) -> dict[Labels, Flags]:
    groups = Groups.of(keys)
    if not keys:
        return {}
    flags = np.logical_or.reduceat(matrix.present[groups.order], groups.starts[:-1], axis=0)
    return dict(zip(groups.labels, flags, strict=True))


def combine(
    op: str, left: Matrix, right: Matrix, matching: Matching, *, return_bool: bool, max_cells: int
) -> Matrix:
    """Arithmetic and comparisons. Raises ExecutionError where series do not meet as the matching says."""
    many, one = (right, left) if matching.many == "right" else (left, right)
    alive: Flags = np.logical_and(many.present.any(axis=0), one.present.any(axis=0))
    many_keys, one_keys = signatures(many.labels, matching), signatures(one.labels, matching)
    _check_one_side(one, one_keys, alive, matching)
    many_rows, one_rows = _pairs(many_keys, one_keys)
    if len(many_rows) * many.steps > max_cells:
        raise too_many_samples()
    if not len(many_rows):
        return Matrix.empty(left.steps)
    many_values, one_values = many.values[many_rows], one.values[one_rows]
    ends = (one_values, many_values) if matching.many == "right" else (many_values, one_values)
    values, kept = apply(op, *ends, return_bool=return_bool)
    present = many.present[many_rows] & one.present[one_rows]
    if kept is not None:
        present &= kept
    if return_bool:
        # Prometheus 2.42 also gives 0 for what a comparison does not keep.
        values = np.where(present, values, 0.0)
    labels = [
        _result_labels(op, many.labels[a], one.labels[b], matching, return_bool=return_bool)
        for a, b in zip(many_rows, one_rows, strict=True)
    ]
    result = Matrix(labels, values, present)
    _check_many_side(result, [many_keys[row] for row in many_rows], matching)
    return unique_series(result)


def _pairs(many_keys: Sequence[Labels], one_keys: Sequence[Labels]) -> tuple[Indices, Indices]:
    rows_by_key: dict[Labels, list[int]] = {}
    for row, key in enumerate(one_keys):
        rows_by_key.setdefault(key, []).append(row)
    pairs = [(row, other) for row, key in enumerate(many_keys) for other in rows_by_key.get(key, ())]
    joined = np.array(pairs, np.int64).reshape(-1, 2)
    return joined[:, 0], joined[:, 1]


def _check_one_side(one: Matrix, keys: Sequence[Labels], alive: Flags, matching: Matching) -> None:
    groups = Groups.of(keys)
    if len(groups.labels) == len(keys):
        return
    for group, key in enumerate(groups.labels):
        rows = groups.rows(group)
        if len(rows) == 1:
            continue
        flags = one.present[rows] & alive
        clashes = np.flatnonzero(flags.sum(axis=0) > 1)
        if len(clashes):
            first, second = rows[np.flatnonzero(flags[:, clashes[0]])[:2]]
            side = "left" if matching.many == "right" else "right"
            raise ExecutionError(
                f"found duplicate series for the match group {label_text(key)} on the {side} hand-side of the "
                f"operation: [{label_text(one.labels[second])}, {label_text(one.labels[first])}];many-to-many "
                "matching not allowed: matching labels must be unique on one side"
            )


def _check_many_side(result: Matrix, keys: Sequence[Labels], matching: Matching) -> None:
    if matching.many:
        # Two series of one group that would be called the same.
        names = [(*key, ("", ""), *labels) for key, labels in zip(keys, result.labels, strict=True)]
        message = "multiple matches for labels: grouping labels must ensure unique matches"
    else:
        names = list(keys)
        message = (
            "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
        )
    groups = Groups.of(names)
    if len(groups.labels) == len(names):
        return
    counts = np.add.reduceat(result.present[groups.order], groups.starts[:-1], axis=0, dtype=np.int64)
    if (counts > 1).any():
        raise ExecutionError(message)


def _result_labels(op: str, many: Labels, one: Labels, matching: Matching, *, return_bool: bool) -> Labels:
    labels = many
    if op in DROPS_NAME:
        labels = without(labels, {NAME})
    if not matching.many:
        labels = only(labels, matching.labels) if matching.on else without(labels, matching.labels)
    for name in matching.include:
        labels = with_label(labels, name, label_value(one, name))
    return without(labels, {NAME}) if return_bool else labels
