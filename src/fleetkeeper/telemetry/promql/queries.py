"""A query as read, and its answer from samples that are there. Pure: workers do it, and nothing is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import BadDataError, ExecutionError
from fleetkeeper.telemetry.promql.evaluation import Evaluator
from fleetkeeper.telemetry.promql.expressions import Expression, Selector, Subquery, Text, kind_of
from fleetkeeper.telemetry.promql.matrices import Matrix, Steps
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.ranges import Frame, fetches, needed
from fleetkeeper.telemetry.promql.samples import Samples
from fleetkeeper.telemetry.promql.source import Fetch, SourceSeries

ResultKind = Literal["vector", "matrix", "scalar", "string"]


@dataclass(frozen=True)
class Limits:
    """What one query may use, and the defaults that a query does not name (durations in microseconds)."""

    max_samples: int = 50_000_000
    max_points: int = 11_000
    timeout_seconds: float = 120.0
    lookback: int = 300_000_000
    subquery_step: int = 60_000_000


# One series of an answer.
ResultSeries = SourceSeries


@dataclass(frozen=True)
class Answer:
    """What a query gives: series (each of one sample for a vector or scalar), or a text."""

    kind: ResultKind
    series: list[ResultSeries] = field(default_factory=list, repr=False)
    text: str = ""
    time: int = 0
    # What could not be read, in sentences.
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """A query as read, and the moments at which it is asked."""

    text: str
    expression: Expression
    steps: Steps
    is_range: bool
    end: int

    @classmethod
    def instant(cls, text: str, time: int) -> "Query":
        """A query at one moment (microseconds). Raises BadDataError."""
        return cls(text, parse_query(text), Steps(time, 1, 1), is_range=False, end=time)

    @classmethod
    def over_range(cls, text: str, start: int, end: int, step: int, max_points: int) -> "Query":
        """A query at every `step` from `start` to `end`. Raises BadDataError."""
        if (end - start) // step > max_points:
            raise BadDataError(
                f"exceeded maximum resolution of {max_points:,} points per timeseries. "
                "Try decreasing the query resolution (?step=XX)"
            )
        expression = parse_query(text)
        kind = kind_of(expression)
        if kind in {"matrix", "string"}:
            name = {"matrix": "range vector", "string": "string"}[kind]
            raise BadDataError(
                f'invalid expression type "{name}" for range query, must be Scalar or instant Vector'
            )
        return cls(text, expression, Steps(start, step, (end - start) // step + 1), is_range=True, end=end)

    def frame(self, limits: Limits) -> Frame:
        """What holds for all of it."""
        return Frame(self.steps.start, self.end, limits.lookback, limits.subquery_step)

    def selections(self, limits: Limits) -> list[tuple[Fetch, list[Selector]]]:
        """What to ask a source for, each with the selectors that it is for; always in the same order."""
        wanted = fetches(needed(self.expression, self.steps, self.frame(limits)))
        return [(Fetch(matchers, span.start, span.end + 1), who) for (matchers, span), who in wanted.items()]


def samples_by_selector(
    query: Query, limits: Limits, found: list[list[SourceSeries]]
) -> dict[Selector, Samples]:
    """The samples of each selector, from what was found for each selection; takes that apart."""
    samples: dict[Selector, Samples] = {}
    for _, selectors in query.selections(limits):
        # Let go one by one, as joining them copies them.
        samples.update(dict.fromkeys(selectors, Samples.of(found.pop(0))))
    return samples


def evaluate(query: Query, limits: Limits, samples: Mapping[Selector, Samples], deadline: Deadline) -> Answer:
    """The answer from samples that are there. Raises PromqlError."""
    try:
        return _evaluate(query, limits, samples, deadline)
    except RecursionError:
        raise ExecutionError("the query nests too deeply") from None


def _evaluate(
    query: Query, limits: Limits, samples: Mapping[Selector, Samples], deadline: Deadline
) -> Answer:
    evaluator = Evaluator(samples, query.frame(limits), deadline, max_samples=limits.max_samples)
    node, steps = query.expression, query.steps
    if isinstance(node, Text):
        return Answer("string", text=node.value, time=steps.start)
    with np.errstate(all="ignore"):
        if isinstance(node, Selector) and node.range:
            return _raw_samples(evaluator, node, steps)
        if isinstance(node, Subquery):
            found = evaluator.subquery(node, steps)
            return Answer("matrix", _series(found), time=steps.start)
        value = evaluator.evaluate(node, steps)
    times = steps.times
    if not isinstance(value, Matrix):
        kind: ResultKind = "matrix" if query.is_range else "scalar"
        return Answer(kind, [ResultSeries((), times, value)], time=steps.start)
    series = [
        ResultSeries(labels, times, values)
        if flags.all()
        else ResultSeries(labels, times[flags], values[flags])
        for labels, values, flags in zip(value.labels, value.values, value.present, strict=True)
        if flags.any()
    ]
    if query.is_range:
        series.sort(key=lambda item: item.labels)
    return Answer("matrix" if query.is_range else "vector", series, time=steps.start)


def _raw_samples(evaluator: Evaluator, node: Selector, steps: Steps) -> Answer:
    found = evaluator.range_vector(node, steps)
    samples = found.samples
    low, high = samples.windows(found.starts, found.ends)
    series = [
        ResultSeries(labels, samples.times[a:b], samples.values[a:b])
        for labels, a, b in zip(samples.labels, low[:, 0], high[:, 0], strict=True)
        if b > a
    ]
    return Answer("matrix", series, time=steps.start)


def _series(samples: Samples) -> list[ResultSeries]:
    edges = zip(samples.labels, samples.bounds[:-1], samples.bounds[1:], strict=True)
    return [ResultSeries(labels, samples.times[a:b], samples.values[a:b]) for labels, a, b in edges]
