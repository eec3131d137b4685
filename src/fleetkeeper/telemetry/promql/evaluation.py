"""Evaluates an expression at all steps at once. Pure: samples are there, nothing is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np

from fleetkeeper.telemetry.promql import aggregation, functions, operators
from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import too_many_samples
from fleetkeeper.telemetry.promql.expressions import (
    Aggregation,
    Binary,
    Call,
    Expression,
    Negation,
    Number,
    Selector,
    Subquery,
    Text,
    children_of,
)
from fleetkeeper.telemetry.promql.labels import without_name
from fleetkeeper.telemetry.promql.matching import SET_OPERATORS, combine, combine_sets
from fleetkeeper.telemetry.promql.matrices import Matrix, Scalars, Steps, unique_series
from fleetkeeper.telemetry.promql.ranges import Frame, subquery_steps
from fleetkeeper.telemetry.promql.samples import Samples
from fleetkeeper.telemetry.promql.source import SourceSeries
from fleetkeeper.telemetry.resample import Times

Value = Matrix | Scalars


@dataclass(frozen=True)
class RangeVector:
    """Samples, and the limits of each step's window over them."""

    samples: Samples
    starts: Times
    ends: Times
    range: int


class Evaluator:
    """One query's evaluation. Raises PromqlError."""

    def __init__(
        self, samples: Mapping[Selector, Samples], frame: Frame, deadline: Deadline, *, max_samples: int
    ) -> None:
        self._samples = samples
        self.frame = frame
        self.deadline = deadline
        self.max_samples = max_samples
        self._fixed: dict[Expression, bool] = {}

    def evaluate(self, node: Expression, steps: Steps) -> Value:
        """A vector's or a scalar's values at each step."""
        self.deadline.check()
        if steps.count > 1 and self._is_fixed(node) and not isinstance(node, Number):
            value = self.evaluate(node, steps.first())
            if isinstance(value, Matrix):
                self.check_size(len(value.labels) * steps.count)
                return value.repeated(steps.count)
            return np.repeat(value, steps.count)
        return self._evaluate(node, steps)

    def _evaluate(self, node: Expression, steps: Steps) -> Value:
        if isinstance(node, Call):
            return functions.call(self, node, steps)
        if isinstance(node, Binary):
            return self._binary(node, steps)
        if isinstance(node, Aggregation):
            return self._aggregate(node, steps)
        if isinstance(node, Selector):
            return self._instant(node, steps)[0]
        if isinstance(node, Negation):
            return self._negate(node, steps)
        # The parser lets texts and subqueries stand only where something else reads them.
        return np.full(steps.count, cast("Number", node).value)

    def vector(self, node: Expression, steps: Steps) -> Matrix:
        """An expression that the parser has found to be a vector."""
        return cast("Matrix", self.evaluate(node, steps))

    def scalar(self, node: Expression, steps: Steps) -> Scalars:
        """An expression that the parser has found to be a number."""
        return cast("Scalars", self.evaluate(node, steps))

    def check_size(self, cells: int) -> None:
        """Raises ExecutionError when a value would hold too many numbers."""
        if cells > self.max_samples:
            raise too_many_samples()

    def newest(self, node: Selector, steps: Steps) -> Matrix:
        """A selector's vector with the samples' own times (seconds) as values."""
        matrix, micros = self._instant(node, steps)
        return Matrix(matrix.labels, micros / 1_000_000, matrix.present)

    def _instant(self, node: Selector, steps: Steps) -> tuple[Matrix, Times]:
        samples = self._samples[node]
        self.check_size(len(samples.labels) * steps.count)
        index, present = samples.newest(self._moments(node, steps), self.frame.lookback)
        if not len(samples.labels):
            return Matrix.empty(steps.count), np.empty((0, steps.count), np.int64)
        alive = np.flatnonzero(present.any(axis=1))
        if len(alive) < len(samples.labels):
            index, present = index[alive], present[alive]
        labels = [samples.labels[row] for row in alive]
        return Matrix(labels, samples.values[index], present), samples.times[index]

    def _moments(self, node: Selector | Subquery, steps: Steps) -> Times:
        at = self.frame.moment(node.at)
        times = steps.times if at is None else np.full(steps.count, at, np.int64)
        moments: Times = np.clip(times - node.offset, -(2**62), 2**62)
        return moments

    def range_vector(self, node: Expression, steps: Steps) -> RangeVector:
        """A selector with a range, or a subquery, as samples and windows."""
        if isinstance(node, Subquery):
            samples = self.subquery(node, steps)
        else:
            node = cast("Selector", node)
            samples = self._samples[node].measured
        self.check_size(len(samples.times))
        ends = self._moments(node, steps)
        return RangeVector(samples, ends - node.range, ends, node.range)

    def subquery(self, node: Subquery, steps: Steps) -> Samples:
        """What a subquery's expression gives at all its moments, as samples."""
        inner = subquery_steps(node, steps, self.frame)
        if not inner.count:
            return Samples.of([])
        self.check_size(inner.count)
        value = self.evaluate(node.expr, inner)
        if not isinstance(value, Matrix):
            value = Matrix([()], value[None, :], np.ones((1, inner.count), np.bool_))
        times = inner.times
        return Samples.of(
            [
                SourceSeries(labels, times[flags], values[flags])
                for labels, values, flags in zip(value.labels, value.values, value.present, strict=True)
            ]
        )

    def _aggregate(self, node: Aggregation, steps: Steps) -> Matrix:
        if isinstance(node.parameter, Text):
            matrix = self.vector(node.expr, steps)
            return aggregation.count_values(
                node.parameter.value, matrix, node.labels, dropped=node.without, max_cells=self.max_samples
            )
        if node.parameter is None:
            matrix = self.vector(node.expr, steps)
            return aggregation.aggregate(node.op, matrix, node.labels, dropped=node.without)
        wanted = self.scalar(node.parameter, steps)
        matrix = self.vector(node.expr, steps)
        if node.op == "quantile":
            return aggregation.quantile(wanted, matrix, node.labels, dropped=node.without)
        return aggregation.ranked(node.op, wanted, matrix, node.labels, dropped=node.without)

    def _binary(self, node: Binary, steps: Steps) -> Value:
        left, right = self.evaluate(node.left, steps), self.evaluate(node.right, steps)
        if not isinstance(left, Matrix):
            if not isinstance(right, Matrix):
                return operators.between_scalars(node.op, left, right)
            return operators.with_scalar(node.op, right, left, swapped=True, return_bool=node.return_bool)
        if not isinstance(right, Matrix):
            return operators.with_scalar(node.op, left, right, swapped=False, return_bool=node.return_bool)
        if node.op in SET_OPERATORS:
            return combine_sets(node.op, left, right, node.matching)
        return combine(
            node.op, left, right, node.matching, return_bool=node.return_bool, max_cells=self.max_samples
        )

    def _negate(self, node: Negation, steps: Steps) -> Value:
        value = self.evaluate(node.expr, steps)
        if not isinstance(value, Matrix):
            return -value
        labels = [without_name(item) for item in value.labels]
        return unique_series(Matrix(labels, -value.values, value.present), strict=True)

    def _is_fixed(self, node: Expression) -> bool:
        """Whether an expression gives the same at each step, so that one step is enough."""
        known = self._fixed.get(node)
        if known is None:
            if isinstance(node, Selector | Subquery):
                known = node.at is not None
            elif isinstance(node, Call) and node.function in functions.DEPEND_ON_STEP:
                known = False
            elif isinstance(node, Aggregation):
                # Prometheus does not look at the parameter either.
                known = self._is_fixed(node.expr)
            else:
                known = all(self._is_fixed(child) for child in children_of(node))
            self._fixed[node] = known
        return known
