"""What the doors of the Prometheus API answer. Raises PromqlError, in Prometheus' words, for what is expected."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings.promql import PromqlSettings
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.catalogue import described_metrics
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.own_series import UP
from fleetkeeper.telemetry.promql.engine import Engine
from fleetkeeper.telemetry.promql.errors import BadDataError, ExecutionError
from fleetkeeper.telemetry.promql.fleet_source import FleetSource, Sessions, reason_of
from fleetkeeper.telemetry.promql.layout import prettify
from fleetkeeper.telemetry.promql.parameters import EPOCH, Parameters, checked_label_name
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper.telemetry.promql.queries import Limits, Query
from fleetkeeper.telemetry.promql.waiting import Places
from fleetkeeper.telemetry.promql.workers import WorkerLimits, Workers
from fleetkeeper.telemetry.selection import FleetSeries, find_series, with_samples
from fleetkeeper.telemetry.series_labels import label_names, label_values

# Metrics that `metadata` looks at; a catalog of more is no catalog.
MAX_DESCRIBED = 50_000
# Longer texts take tens of milliseconds and more to read: they are read in a thread, so that others go on meanwhile.
MAX_READ_AT_ONCE = 2_000
# The version whose language and API this is; clients choose by it what they ask.
VERSION = "2.42.0"
_Found = TypeVar("_Found")


def limits_of(settings: PromqlSettings) -> Limits:
    """The engine's limits."""
    return Limits(
        max_samples=settings.max_samples,
        max_points=settings.max_points,
        timeout_seconds=settings.timeout_seconds,
        lookback=settings.lookback_seconds * 1_000_000,
        subquery_step=settings.subquery_step_seconds * 1_000_000,
    )


def now_us() -> int:
    """The time now in microseconds, on whole milliseconds."""
    return int((utc_now() - EPOCH).total_seconds() * 1000) * 1000


def user_of(actor: Actor) -> str:
    """Whose queries wait in one line: those of a user's sessions and tokens."""
    return str(actor.user_id or f"{actor.kind} {actor.name}")


@dataclass(frozen=True)
class Rendered:
    """An answer as JSON, and sentences on what could not be read."""

    data: bytes | memoryview
    warnings: tuple[str, ...]


class Promql:
    """The engine of one process with its workers."""

    def __init__(self, settings: PromqlSettings) -> None:
        self.settings = settings
        self.places = Places(
            settings.workers,
            settings.extra_workers,
            waiting=settings.max_waiting,
            waiting_of_one=settings.max_waiting_per_user,
        )
        limits = WorkerLimits(settings.worker_memory_mb, settings.worker_niceness)
        self.workers = Workers(limits, settings.workers + settings.extra_workers)
        self.engine = Engine(limits_of(settings), self.workers, self.places)
        self._long_texts = CapacityLimiter(1)

    async def read(self, text: str, read: Callable[[], _Found]) -> _Found:
        """What `read` makes of a text, without holding up others."""
        if len(text) <= MAX_READ_AT_ONCE:
            return read()
        return await to_thread.run_sync(read, limiter=self._long_texts)

    async def stop(self) -> None:
        """End the workers."""
        await self.workers.stop()


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they ask with."""

    promql: Promql
    sessions: Sessions
    actor: Actor
    parameters: Parameters

    @property
    def source(self) -> FleetSource:
        """The samples that the caller may see."""
        settings = self.promql.settings
        return FleetSource(self.sessions, self.actor, settings.max_series, settings.max_samples)


async def query(caller: Caller) -> Rendered:
    """Evaluate at one moment."""
    parameters = caller.parameters
    moment = parameters.time("time", now_us())
    timeout = parameters.timeout_seconds()
    text = parameters.text("query")
    try:
        read = await caller.promql.read(text, partial(Query.instant, text, moment))
    except BadDataError as error:
        raise BadDataError(f'invalid parameter "query": {error}', error.place) from None
    return await _answer(caller, read, timeout)


async def query_range(caller: Caller) -> Rendered:
    """Evaluate at each step of a range of time."""
    parameters = caller.parameters
    start, end, step = parameters.range()
    timeout = parameters.timeout_seconds()
    text, most = parameters.text("query"), caller.promql.settings.max_points
    read = await caller.promql.read(text, partial(Query.over_range, text, start, end, step, most))
    return await _answer(caller, read, timeout)


async def _answer(caller: Caller, read: Query, timeout_seconds: float | None) -> Rendered:
    source = caller.source
    data = await caller.promql.engine.rendered(read, source, timeout_seconds, user_of(caller.actor))
    return Rendered(data, tuple(dict.fromkeys(source.warnings)))


async def series(caller: Caller) -> list[dict[str, str]]:
    """The label sets of the selected series."""
    parameters = caller.parameters
    between, sets = parameters.between(), await _matcher_sets(caller)
    if not sets:
        raise BadDataError("no match[] parameter provided")

    async def find(session: AsyncSession, actor: Actor, limit: int) -> list[FleetSeries]:
        found = await find_series(session, actor, sets, limit=limit, with_up=True)
        return await with_samples(session, found, between)

    labels = sorted({tuple(sorted(item.labels.items())) for item in await _read(caller, find)})
    return [dict(item) for item in labels[: parameters.limit()]]


async def labels(caller: Caller) -> list[str]:
    """The names of labels, of all series or of the selected ones."""
    parameters = caller.parameters
    between, sets = parameters.between(), await _matcher_sets(caller) or [()]
    found = await _read(caller, partial(label_names, matcher_sets=sets, between=between))
    return found[: parameters.limit()]


async def values(caller: Caller, name: str) -> list[str]:
    """The values of a label, in all series or in the selected ones."""
    parameters = caller.parameters
    name = checked_label_name(name)
    between, sets = parameters.between(), await _matcher_sets(caller) or [()]
    found = await _read(caller, partial(label_values, name=name, matcher_sets=sets, between=between))
    return found[: parameters.limit()]


async def _matcher_sets(caller: Caller) -> list[tuple[Matcher, ...]]:
    texts = caller.parameters.values.get("match[]", ())
    return await caller.promql.read("".join(texts), caller.parameters.matcher_sets)


async def _read(caller: Caller, find: Callable[..., Awaitable[_Found]]) -> _Found:
    try:
        async with caller.sessions() as session:
            return await find(session=session, actor=caller.actor, limit=caller.promql.settings.max_series)
    except InvalidInputError as error:
        raise ExecutionError(reason_of(error)) from None


async def metadata(caller: Caller) -> dict[str, list[dict[str, str]]]:
    """Kind, unit and meaning of the metrics that the product knows, and of those that senders described to it.

    Of the latter only those that devices have which the caller may see.
    """
    wanted, most = caller.parameters.text("metric"), caller.parameters.limit()

    async def find(
        session: AsyncSession, actor: Actor, limit: int
    ) -> tuple[Sequence[Any], Sequence[Any], list[str]]:
        own = (await telemetry.metric_catalogue(session, actor, None)).results
        told = await described_metrics(session, MAX_DESCRIBED)
        return own, told, await label_values(session, actor, NAME, [()], limit=limit)

    own, told, seen = await _read(caller, find)
    known = {item.name: (str(item.kind), item.description, item.unit) for item in own}
    others = {*seen} - known.keys()
    known |= {row.name: (row.kind, row.description, row.unit) for row in told if row.name in others}
    if UP in seen:
        known.setdefault(UP, ("gauge", "1 while the device reports, 0 while it is offline", ""))
    names = [name for name in sorted(known) if not wanted or name == wanted][:most]
    return {name: [dict(zip(("type", "help", "unit"), known[name], strict=True))] for name in names}


async def format_query(caller: Caller) -> str:
    """The query in the usual layout."""
    text = caller.parameters.text("query")
    try:
        return await caller.promql.read(text, partial(prettify, text))
    except BadDataError as error:
        raise BadDataError(f'invalid parameter "query": {error}', error.place) from None


async def exemplars(caller: Caller) -> list[Any]:
    """None are stored; the query is checked all the same."""
    caller.parameters.span()
    text = caller.parameters.text("query")
    await caller.promql.read(text, partial(parse_query, text))
    return []


def build_info() -> dict[str, str]:
    """By what a client chooses the API's features."""
    return {
        "application": "Fleetkeeper",
        "version": VERSION,
        "revision": "",
        "branch": "",
        "buildUser": "",
        "buildDate": "",
        "goVersion": "",
    }
