"""Answers queries from a source of samples: waits for a place, fetches, and has a worker process evaluate."""

import asyncio

from fleetkeeper.telemetry.promql.deadline import Deadline
from fleetkeeper.telemetry.promql.errors import QueryTimeoutError, too_many_samples
from fleetkeeper.telemetry.promql.queries import (
    Answer,
    Limits,
    Query,
    evaluate,
    samples_by_selector,
)
from fleetkeeper.telemetry.promql.source import SampleSource, SourceSeries
from fleetkeeper.telemetry.promql.waiting import Places
from fleetkeeper.telemetry.promql.wire import Job, Reply, unpacked
from fleetkeeper.telemetry.promql.workers import Workers, raised

Found = list[list[SourceSeries]]


class Engine:
    """Answers queries. Without workers, as in a command, it evaluates in a thread of its own process."""

    def __init__(self, limits: Limits, workers: Workers | None = None, places: Places | None = None) -> None:
        self.limits = limits
        self._workers = workers
        self._places = places or Places(1)

    async def answer(
        self, query: Query, source: SampleSource, timeout_seconds: float | None = None, user: str = ""
    ) -> Answer:
        """The answer. Raises PromqlError; stops soon after the caller is cancelled."""
        deadline = self._deadline(timeout_seconds)
        async with self._places.place(user, deadline.remaining_seconds):
            found = await self._fetch(query, source, deadline)
            if self._workers is None:
                return await self._in_thread(query, found, deadline)
            reply, payload = await self._by_worker(self._workers, query, found, deadline, rendered=False)
        series, _ = unpacked(payload, 0, reply.labels, reply.counts)
        return Answer(reply.kind, series, reply.text, reply.time)

    async def rendered(
        self, query: Query, source: SampleSource, timeout_seconds: float | None = None, user: str = ""
    ) -> bytes | memoryview:
        """The same as the API's JSON, written by the worker."""
        deadline = self._deadline(timeout_seconds)
        workers = self._workers
        if workers is None:
            raise RuntimeError("only workers write answers")
        async with self._places.place(user, deadline.remaining_seconds):
            found = await self._fetch(query, source, deadline)
            return (await self._by_worker(workers, query, found, deadline, rendered=True))[1]

    def _deadline(self, timeout_seconds: float | None) -> Deadline:
        seconds = self.limits.timeout_seconds
        return Deadline(min(seconds, timeout_seconds) if timeout_seconds is not None else seconds)

    async def _fetch(self, query: Query, source: SampleSource, deadline: Deadline) -> Found:
        asked = [wanted for wanted, _ in query.selections(self.limits)]
        if not asked:
            return []
        try:
            found = await asyncio.wait_for(source.select(asked), deadline.remaining_seconds)
        except TimeoutError:
            raise QueryTimeoutError("query timed out in query preparation") from None
        if sum(len(item.times) for series in found for item in series) > self.limits.max_samples:
            raise too_many_samples()
        return found

    async def _in_thread(self, query: Query, found: Found, deadline: Deadline) -> Answer:
        def work() -> Answer:
            samples = samples_by_selector(query, self.limits, found)
            return evaluate(query, self.limits, samples, deadline)

        try:
            return await asyncio.to_thread(work)
        except asyncio.CancelledError:
            deadline.cancel()
            raise

    async def _by_worker(
        self, workers: Workers, query: Query, found: Found, deadline: Deadline, *, rendered: bool
    ) -> tuple[Reply, memoryview]:
        limits, steps = self.limits, query.steps
        job = Job(
            query.text,
            steps.start,
            steps.interval,
            steps.count,
            query.end,
            query.is_range,
            deadline.remaining_seconds,
            limits.max_samples,
            limits.lookback,
            limits.subquery_step,
            rendered,
        )
        reply, payload = await workers.work(job, found, deadline)
        if reply.outcome in {"error", "failure"}:
            raise raised(reply)
        return reply, payload
