"""What a panel shows: its queries, with the variables filled in, asked as whoever looks at it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError, UnavailableError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.moments import moment
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.dashboards.checking import query_problems
from fleetkeeper.telemetry.dashboards.definition import Filter, FleetPart, PromqlPart
from fleetkeeper.telemetry.dashboards.queries import devices_of
from fleetkeeper.telemetry.dashboards.schemas import PanelQuestion
from fleetkeeper.telemetry.dashboards.substitution import Chosen, channels_of, chosen_of, filled, promql_of
from fleetkeeper.telemetry.explore.groups import DEVICE
from fleetkeeper.telemetry.explore.schemas import FleetAnswer, GroupSeries
from fleetkeeper.telemetry.explore.service import FleetQuery, query_fleet
from fleetkeeper.telemetry.explore.steps import automatic_step
from fleetkeeper.telemetry.promql.errors import BadDataError, PromqlError
from fleetkeeper.telemetry.promql.fleet_source import FleetSource
from fleetkeeper.telemetry.promql.labels import NAME, label_text
from fleetkeeper.telemetry.promql.patterns import PatternBudget
from fleetkeeper.telemetry.promql.queries import Answer, Query, ResultSeries
from fleetkeeper.telemetry.promql.service import Promql, user_of
from fleetkeeper.telemetry.resample import SECOND, Times, nice_step
from fleetkeeper.telemetry.service import device_ids
from fleetkeeper_protocol.metrics import describe

MAX_SERIES = 500
MIN_SPAN_SECONDS = 1
# Where devices are put together, a shorter step would hold other devices than the one before.
SHORTEST_TOGETHER = 60.0
# What an instant question looks back at most, as PromQL does; a range that ends within as much is about now.
LOOKBACK_SECONDS = 300.0
# Up to here a step that is not over yet is left out as long as it holds some of the devices only.
LONGEST_CUT = 300.0
# These grow until their step is over.
GROWING = frozenset({"sum", "count", "increase"})
SHORTEST_PROMQL = 15.0
# Steps of an hour and more are answered by rollups alone when the range has whole ones.
WHOLE_FROM = 1800.0
_NOBODYS = {
    "department": "no department",
    "location": "no place",
    "os": "unknown system",
    "domain": "no domain",
}
_AGO = {"1h": "an hour ago", "1d": "a day ago", "1w": "a week ago"}


class PanelSeries(msgspec.Struct):
    """One line: values stand at the moments of its query's `times`."""

    name: str
    unit: str
    labels: dict[str, str]
    device: str | None
    compared: bool
    values: list[float | None]


class QueryAnswer(msgspec.Struct):
    """What one query gave."""

    times: list[float]
    step: str
    total: int
    series: list[PanelSeries]
    text: str
    warnings: list[str]


class PanelAnswer(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """What a panel shows: an answer for each query."""

    start: float
    end: float
    answers: list[QueryAnswer]


@dataclass(frozen=True)
class Asker:
    """Who looks, and what queries are answered with."""

    actor: Actor
    sessions: Callable[[], AbstractAsyncContextManager[AsyncSession]]
    promql: Promql
    limits: TelemetrySettings


@dataclass(frozen=True)
class _Span:
    """The range of a question (epoch seconds), and about how many steps fit."""

    start: float
    end: float
    points: int

    @property
    def seconds(self) -> float:
        return self.end - self.start


async def answer(asker: Asker, question: PanelQuestion) -> PanelAnswer:
    """Answer the queries of a panel, one after the other. Raises InvalidInputError that names the query's field."""
    start, end = moment("from", question.start), moment("to", question.end)
    if (end - start).total_seconds() < MIN_SPAN_SECONDS:
        raise InvalidInputError("The range is wrong.", fields=[FieldError("to", "Must be later than `from`")])
    variables = {item.name: item for item in question.variables}
    patterns = PatternBudget()
    problems = [
        FieldError(f"queries[{number}].{name}", text)
        for number, query in enumerate(question.queries)
        for name, text in query_problems(query, variables, patterns)
    ]
    if problems:
        raise InvalidInputError("The query is wrong.", fields=problems)
    chosen = chosen_of(question.variables, question.values)
    span = _Span(start.timestamp(), end.timestamp(), question.points)
    answers = []
    for number, query in enumerate(question.queries):
        try:
            answers.append(await _ask(asker, query, chosen, span))
        except InvalidInputError as error:
            fields = [
                FieldError(f"queries[{number}].{_field(item.field)}", item.message) for item in error.fields
            ]
            raise InvalidInputError(error.detail, fields=fields) from None
    return PanelAnswer(span.start, span.end, answers)


def _field(name: str) -> str:
    """A query's field by the name that the API of questions has for it."""
    if name in {DEVICE, "department", "device_type"}:
        return f"filter.{name}"
    return "metrics" if name == "metric" else name


def _steps(query: FleetPart, span: _Span) -> tuple[str, float, float, bool]:
    """The step, the range in whole ones, and whether coarse tiers may widen it."""
    if query.instant:
        return f"{LOOKBACK_SECONDS:g}", span.end - LOOKBACK_SECONDS, span.end, False
    together = DEVICE not in query.by
    step = query.step
    if not step:
        seconds = automatic_step(span.seconds, span.points)
        step = f"{max(SHORTEST_TOGETHER, seconds) if together else seconds:g}"
    try:
        seconds = float(step)
    except ValueError:
        return step, span.start, span.end, True
    if not together or seconds > LONGEST_CUT:
        return step, span.start, span.end, seconds > WHOLE_FROM
    first, last = int(span.start // seconds), -int(-span.end // seconds)
    told_after = seconds if query.agg in GROWING else min(seconds, SHORTEST_TOGETHER)
    if (last - 1) * seconds + told_after > utc_now().timestamp():
        last = max(last - 1, first + 1)
    return step, first * seconds, last * seconds, False


def _ids(wanted: Filter, chosen: Chosen) -> list[UUID] | None:
    values = filled(wanted.device, chosen)
    return None if values is None else device_ids(values)


async def _ask(asker: Asker, query: FleetPart | PromqlPart, chosen: Chosen, span: _Span) -> QueryAnswer:
    if isinstance(query, FleetPart):
        return await _ask_fleet(asker, query, chosen, span)
    return await _ask_promql(asker, query, chosen, span)


async def _ask_fleet(asker: Asker, query: FleetPart, chosen: Chosen, span: _Span) -> QueryAnswer:
    step, start, end, whole = _steps(query, span)
    now = utc_now().timestamp()
    metrics = channels_of(query, chosen)
    where = {
        name: values
        for name in ("department", "device_type")
        if (values := filled(getattr(query.filter, name), chosen)) is not None
    }
    if query.instant and abs(now - end) < LOOKBACK_SECONDS:
        where["status"] = ["online"]
    asked = FleetQuery(
        metrics=metrics,
        start=datetime.fromtimestamp(start, UTC),
        end=datetime.fromtimestamp(end, UTC),
        aggregate=query.agg,
        by=query.by,
        across=query.across,
        step=step,
        devices=_ids(query.filter, chosen) or (),
        where=where,
        top=query.top,
        compare=query.compare,
        whole=whole,
        instant=query.instant,
    )
    async with asker.sessions() as session:
        found = await query_fleet(session, asker.actor, asked, asker.limits)
    return _fleet_answer(query, found)


def _fleet_answer(query: FleetPart, found: FleetAnswer) -> QueryAnswer:
    has_many = len({item.metric for item in found.series}) > 1
    series = [
        PanelSeries(
            _fleet_name(query, item, has_many=has_many),
            _fleet_unit(item),
            {"metric": item.metric, **item.group},
            item.group.get(DEVICE),
            item.compared,
            [value for _, value in item.points],
        )
        for item in found.series[:MAX_SERIES]
    ]
    kept = [item for item in series if any(value is not None for value in item.values)]
    times = [time for time, _ in found.series[0].points] if found.series else []
    if query.instant:
        return QueryAnswer([found.end] if times else [], "", found.groups, kept, "", found.warnings)
    return QueryAnswer(times, found.step, found.groups, kept, "", found.warnings)


def _fleet_unit(item: GroupSeries) -> str:
    if item.agg == "count" or item.across == "count":
        return ""
    return f"{item.unit}/s" if item.agg == "rate" else item.unit


def _fleet_name(query: FleetPart, item: GroupSeries, *, has_many: bool) -> str:
    words = [value or _NOBODYS.get(key, f"no {key}") for key, value in item.group.items() if key != DEVICE]
    if query.legend:
        words.insert(0, query.legend)
    elif has_many or not words:
        words.insert(0, item.metric)
    if item.compared and query.compare:
        words.append(_AGO.get(query.compare, f"{query.compare} ago"))
    return " · ".join(words)


async def _ask_promql(asker: Asker, query: PromqlPart, chosen: Chosen, span: _Span) -> QueryAnswer:
    text = promql_of(query.query, chosen)
    settings = asker.promql.settings
    source = FleetSource(
        asker.sessions,
        asker.actor,
        settings.max_series,
        settings.max_samples,
        await _devices(asker, query, chosen),
    )
    step = float(query.step or max(SHORTEST_PROMQL, nice_step(span.seconds, span.points)))
    try:
        if query.instant:
            asked = Query.instant(text, round(span.end * 1000) * 1000)
        else:
            # On whole steps, so that the same moments are asked for as the range moves on.
            first, last = -int(-span.start // step), int(span.end // step)
            start, end = round(first * step * SECOND), round(max(first, last) * step * SECOND)
            asked = Query.over_range(text, start, end, round(step * SECOND), settings.max_points)
        found = await asker.promql.engine.answer(asked, source, user=user_of(asker.actor))
    except BadDataError as error:
        raise InvalidInputError("The query is wrong.", fields=[FieldError("query", str(error))]) from None
    except PromqlError as error:
        if error.status >= 500:
            raise UnavailableError(f"The query was not answered: {error}.", retry_after_seconds=5) from None
        raise InvalidInputError(
            "The query cannot be answered.", fields=[FieldError("query", str(error))]
        ) from None
    return _promql_answer(query, found, asked.steps.times, "" if query.instant else f"{step:g}", text)


async def _devices(asker: Asker, query: PromqlPart, chosen: Chosen) -> list[UUID] | None:
    """The devices that a query's filter leaves; None is all."""
    ids = _ids(query.filter, chosen)
    departments, types = filled(query.filter.department, chosen), filled(query.filter.device_type, chosen)
    if ids is None and departments is None and types is None:
        return None
    async with asker.sessions() as session:
        return await devices_of(session, asker.actor, ids, departments, types)


def _promql_answer(
    query: PromqlPart,
    found: Answer,
    times: Times,
    step: str,
    text: str,
) -> QueryAnswer:
    if found.kind == "string":
        raise InvalidInputError(
            "The query is wrong.", fields=[FieldError("query", "gives a text, and no numbers")]
        )
    moments = [int(time) for time in times]
    places = {time: place for place, time in enumerate(moments)}
    series = [
        PanelSeries(
            _promql_name(query, dict(item.labels), many=len(found.series) > 1),
            describe(name).unit if (name := dict(item.labels).get(NAME, "")) else "",
            dict(item.labels),
            dict(item.labels).get("device_id"),
            compared=False,
            values=_column(item, places, newest_only=query.instant),
        )
        for item in found.series[:MAX_SERIES]
    ]
    seconds = [time / SECOND for time in moments]
    return QueryAnswer(seconds, step, len(found.series), series, text, [])


def _column(item: ResultSeries, places: Mapping[int, int], *, newest_only: bool) -> list[float | None]:
    values: Sequence[float] = item.values.tolist()
    if newest_only:
        return [values[-1] if np.isfinite(values[-1]) else None]
    column: list[float | None] = [None] * len(places)
    for time, value in zip(item.times.tolist(), values, strict=True):
        if np.isfinite(value):
            column[places[time]] = value
    return column


def _promql_name(query: PromqlPart, labels: dict[str, str], *, many: bool) -> str:
    # Whose series it is stands in `instance`; the id beside it says the same again.
    shown = {name: value for name, value in labels.items() if name != "device_id" or "instance" not in labels}
    if not query.legend:
        return label_text(tuple(sorted(shown.items())))
    rest = [value for name, value in sorted(shown.items()) if name != NAME]
    return " · ".join([query.legend, *rest]) if many else query.legend
