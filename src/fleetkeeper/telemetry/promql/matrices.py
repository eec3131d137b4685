"""What the evaluation works on: values of many series at all steps at once, with a flag for each that is there."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.promql.errors import ExecutionError
from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.promql.samples import Flags, Indices
from fleetkeeper.telemetry.resample import Times, Values

Scalars = NDArray[np.float64]

SAME_LABELS = "vector cannot contain metrics with the same labelset"


@dataclass(frozen=True)
class Steps:
    """The moments of an evaluation: `count` of them from `start`, `interval` apart (microseconds)."""

    start: int
    interval: int
    count: int

    @property
    def times(self) -> Times:
        """All moments."""
        return self.start + self.interval * np.arange(self.count, dtype=np.int64)

    @property
    def end(self) -> int:
        """The last moment."""
        return self.start + self.interval * (self.count - 1)

    def first(self) -> "Steps":
        """The first moment alone."""
        return Steps(self.start, self.interval, 1)


@dataclass(frozen=True)
class Matrix:
    """An instant vector at every step: values and flags have one row per series and one column per step."""

    labels: list[Labels]
    values: Values
    present: Flags

    @classmethod
    def empty(cls, steps: int) -> "Matrix":
        """No series at all."""
        return cls([], np.empty((0, steps)), np.empty((0, steps), np.bool_))

    @property
    def steps(self) -> int:
        """How many columns."""
        return int(self.values.shape[1])

    def take(self, rows: Indices | list[int]) -> "Matrix":
        """Some of the series, in that order."""
        index = np.asarray(rows, np.int64)
        return Matrix([self.labels[row] for row in index], self.values[index], self.present[index])

    def packed(self) -> "Matrix":
        """Without series that are never there."""
        alive = self.present.any(axis=1)
        return self if alive.all() else self.take(np.flatnonzero(alive))

    def repeated(self, count: int) -> "Matrix":
        """One step's vector at `count` steps."""
        shape = (len(self.labels), count)
        return Matrix(
            self.labels,
            np.broadcast_to(self.values, shape).copy(),
            np.broadcast_to(self.present, shape).copy(),
        )


def unique_series(matrix: Matrix, *, strict: bool = False) -> Matrix:
    """Join series that have the same labels now.

    Raises ExecutionError where two of them are there at one step; when `strict`, wherever there are two.
    """
    if len(set(matrix.labels)) == len(matrix.labels):
        return matrix.packed()
    matrix = matrix.packed()
    rows_by_labels: dict[Labels, list[int]] = {}
    for row, labels in enumerate(matrix.labels):
        rows_by_labels.setdefault(labels, []).append(row)
    if len(rows_by_labels) == len(matrix.labels):
        return matrix
    if strict:
        raise ExecutionError(SAME_LABELS)
    values = np.zeros((len(rows_by_labels), matrix.steps))
    present = np.zeros((len(rows_by_labels), matrix.steps), np.bool_)
    for target, rows in enumerate(rows_by_labels.values()):
        for row in rows:
            here = matrix.present[row]
            if (present[target] & here).any():
                raise ExecutionError(SAME_LABELS)
            values[target, here] = matrix.values[row, here]
            present[target] |= here
    return Matrix(list(rows_by_labels), values, present)
