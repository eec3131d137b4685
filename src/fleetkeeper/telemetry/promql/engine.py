"""Answers a query: reads the text, fetches the samples of all its selectors, evaluates in a thread of its own."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np

from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import (
    BadDataError,
    ExecutionError,
    QueryTimeoutError,
    too_many_samples,
)
from fleetkeeper.telemetry.promql.evaluation import Evaluator
from fleetkeeper.telemetry.promql.expressions import Expression, Selector, Subquery, Text, kind_of
from fleetkeeper.telemetry.promql.labels import Labels
from fleetkeeper.telemetry.promql.matrices import Matrix, Steps
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.ranges import Frame, fetches, needed
from fleetkeeper.telemetry.promql.samples import Samples
from fleetkeeper.telemetry.promql.source import Fetch, SampleSource
from fleetkeeper.telemetry.resample import Times, Values

ResultKind = Literal["vector", "matrix", "scalar", "string"]


@dataclass(frozen=True)
class Limits:
    """What one query may use, and the defaults that a query does not name (durations in microseconds)."""

    max_samples: int = 50_000_000
    max_points: int = 11_000
    timeout_seconds: float = 120.0
    lookback: int = 300_000_000
    subquery_step: int = 60_000_000


@dataclass(frozen=True)
class ResultSeries:
    """One series of an answer: times in microseconds, and values."""

    labels: Labels
    times: Times
    values: Values


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

    expression: Expression
    steps: Steps
    is_range: bool
    end: int

    @classmethod
    def instant(cls, text: str, time: int) -> "Query":
        """A query at one moment (microseconds). Raises BadDataError."""
        return cls(parse_query(text), Steps(time, 1, 1), is_range=False, end=time)

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
        return cls(expression, Steps(start, step, (end - start) // step + 1), is_range=True, end=end)


class Engine:
    """Answers queries from one source. Threads do the evaluation, so that the event loop goes on."""

    def __init__(
        self, limits: Limits, threads: ThreadPoolExecutor | None = None, *, queries_at_once: int = 16
    ) -> None:
        self.limits = limits
        self._threads = threads
        # Each query holds its samples, so those that wait have not read any yet.
        self._places = asyncio.Semaphore(queries_at_once)

    async def answer(
        self, query: Query, source: SampleSource, timeout_seconds: float | None = None
    ) -> Answer:
        """The answer. Raises PromqlError; stops soon after the caller is cancelled."""
        seconds = self.limits.timeout_seconds
        deadline = Deadline(min(seconds, timeout_seconds) if timeout_seconds is not None else seconds)
        try:
            await asyncio.wait_for(self._places.acquire(), deadline.remaining_seconds)
        except TimeoutError:
            raise QueryTimeoutError("query timed out in query queue") from None
        try:
            return await self._answer(query, source, deadline)
        finally:
            self._places.release()

    async def _answer(self, query: Query, source: SampleSource, deadline: Deadline) -> Answer:
        try:
            samples = await asyncio.wait_for(self._fetch(query, source), deadline.remaining_seconds)
        except TimeoutError:
            raise QueryTimeoutError("query timed out in query preparation") from None
        running = asyncio.get_running_loop().run_in_executor(
            self._threads, partial(self.evaluate, query, samples, deadline)
        )
        try:
            return await running
        except asyncio.CancelledError:
            deadline.cancel()
            raise

    async def _fetch(self, query: Query, source: SampleSource) -> dict[Selector, Samples]:
        found: dict[Selector, Samples] = {}
        wanted = fetches(needed(query.expression, query.steps, self._frame(query)))
        asked = [Fetch(matchers, span.start, span.end + 1) for matchers, span in wanted]
        answers = await source.select(asked) if asked else []
        if sum(len(item.times) for series in answers for item in series) > self.limits.max_samples:
            raise too_many_samples()
        for selectors in wanted.values():
            # Let go one by one, as joining them copies them.
            found.update(dict.fromkeys(selectors, Samples.of(answers.pop(0))))
        return found

    def _frame(self, query: Query) -> Frame:
        return Frame(query.steps.start, query.end, self.limits.lookback, self.limits.subquery_step)

    def evaluate(self, query: Query, samples: Mapping[Selector, Samples], deadline: Deadline) -> Answer:
        """The answer from samples that are there. Pure. Raises PromqlError."""
        try:
            return self._evaluate(query, samples, deadline)
        except RecursionError:
            raise ExecutionError("the query nests too deeply") from None

    def _evaluate(self, query: Query, samples: Mapping[Selector, Samples], deadline: Deadline) -> Answer:
        frame = self._frame(query)
        evaluator = Evaluator(samples, frame, deadline, max_samples=self.limits.max_samples)
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
