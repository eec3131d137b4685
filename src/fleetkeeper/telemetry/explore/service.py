"""Answers questions over the whole fleet: selects series, reads the tiers that answer, groups, ranks, compares."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.turns import aside
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.across import (
    COUNT,
    PERCENTILE,
    across_devices,
    problem_of_across,
    without_devices,
)
from fleetkeeper.telemetry.explore.cells import NEEDS
from fleetkeeper.telemetry.explore.groups import ATTRIBUTES, DEVICE, Grouping, grouped, problem_of
from fleetkeeper.telemetry.explore.rates import RATES
from fleetkeeper.telemetry.explore.reading import Question, fill
from fleetkeeper.telemetry.explore.schemas import FleetAnswer, GroupSeries, PlanPart
from fleetkeeper.telemetry.explore.steps import Steps, parse_step, steps_of
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.reading import warnings_of
from fleetkeeper.telemetry.resample import SECOND, Values
from fleetkeeper.telemetry.selection import FleetSeries, find_series
from fleetkeeper_protocol.metrics import describe, parse_channel

MAX_METRICS = 50
MAX_AGGREGATES = 8
MAX_GROUPS = 2000
# What is counted up on the way to an answer takes a small part of the room of its points.
CELLS_OF_A_POINT = 20
MAX_TOP = 500
# So many are told in ten microseconds.
_VALUES = 100
AGGREGATES = (*NEEDS, *sorted(RATES))
_AGO = re.compile(r"(\d{1,4})([hdw])")
_HOURS = {"h": 1, "d": 24, "w": 168}


@dataclass(frozen=True)
class FleetQuery:
    """A question: of which devices, which metrics, aggregated how, by what, over which time."""

    metrics: Sequence[str]
    start: datetime
    end: datetime
    aggregate: str = "avg"
    # More aggregates of the same series, which cost little beside the first; ranking is by that.
    also: Sequence[str] = ()
    by: Sequence[str] = (DEVICE,)
    # How one value of each device, by `aggregate`, becomes one of the group; all samples do alike without.
    across: str | None = None
    step: str | None = None
    points: int = 300
    devices: Sequence[UUID] = ()
    # Attributes that devices must have: each with the values that will do.
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    top: int | None = None
    compare: str | None = None
    # Widen the range to whole steps: coarse tiers answer those alone.
    whole: bool = False
    # The whole range is one step, wherever it lies.
    instant: bool = False
    explain: bool = False

    @property
    def aggregates(self) -> tuple[str, ...]:
        """What is asked of the series, once each."""
        return tuple(dict.fromkeys((self.aggregate, *self.also)))


async def query_fleet(
    session: AsyncSession, actor: Actor, query: FleetQuery, limits: TelemetrySettings
) -> FleetAnswer:
    """Answer a question about devices that the actor may see. Raises InvalidInputError."""
    step = _check(query)
    series, measured = await _select(session, actor, query, limits)
    grouping = without_devices(measured) if query.across else measured
    if query.top is None and (many := len(grouping.groups)) > MAX_GROUPS:
        raise _wrong("by", f"gives {many} groups; ask for the `top`, or for at most {MAX_GROUPS}")
    _check_size(query, step, len(measured.groups), len(grouping.groups), limits)
    answers, steps, parts = await _ask(session, query, step, series, measured, limits)
    order = _ranked(answers[0], query.top)
    values = len(order) * len(answers) * len(steps)
    found = await aside(values // _VALUES, lambda: _told(query, grouping, answers, steps, order))
    if query.compare:
        earlier = replace(query, start=query.start - _ago(query.compare), end=query.end - _ago(query.compare))
        before, _, more = await _ask(session, earlier, step, series, measured, limits)
        # Months differ in length; what has no counterpart is left out.
        wide = [_as_wide(item, len(steps)) for item in before]
        found += await aside(
            values // _VALUES, lambda: _told(query, grouping, wide, steps, order, compared=True)
        )
        parts += more
    return FleetAnswer(
        query.start.timestamp(),
        query.end.timestamp(),
        step.name.lower() if hasattr(step, "name") else f"{step:g}",
        len(grouping.groups),
        found,
        warnings_of(session),
        parts if query.explain else msgspec.UNSET,
    )


def _check_size(query: FleetQuery, step: Any, measured: int, groups: int, limits: TelemetrySettings) -> None:
    """Refuse what would take too much memory, before anything is read. Raises InvalidInputError."""
    steps = 1 if query.instant else len(steps_of(step, *_range(query)))
    each = steps * len(query.aggregates)
    points = min(groups, query.top or groups) * each * (2 if query.compare else 1)
    if points > limits.max_points_per_answer:
        message = f"Gives {points:,} points in all; make it longer, or ask for fewer series"
        raise _wrong("step", f"{message} (at most {limits.max_points_per_answer:,})")
    if measured * each > limits.max_points_per_answer * CELLS_OF_A_POINT:
        raise _wrong("step", f"Is too short for {measured:,} series; make it longer, or ask for fewer series")


def problem_of_aggregate(text: str) -> str | None:
    """What is wrong with the name of an aggregate; None when nothing is."""
    if text in AGGREGATES or PERCENTILE.fullmatch(text):
        return None
    return f"one of {', '.join(AGGREGATES)}, or a percentile such as p95"


def problem_of_compare(text: str) -> str | None:
    """What is wrong with the time that is compared with; None when nothing is."""
    return None if _AGO.fullmatch(text) else "is a time such as 1h, 1d or 1w"


def _check(query: FleetQuery) -> Any:
    """The step that is meant. Raises InvalidInputError for a question that makes no sense."""
    problems = []
    if not 0 < len(query.metrics) <= MAX_METRICS:
        problems.append(FieldError("metric", f"give 1 to {MAX_METRICS} metrics"))
    if query.end <= query.start:
        problems.append(FieldError("to", "Must be later than `from`"))
    if problem := _problem_of_aggregates(query.aggregates):
        problems.append(FieldError("agg", problem))
    if problem := problem_of(query.by):
        problems.append(FieldError("by", problem))
    if query.across is not None and (problem := problem_of_across(query.across, query.by)):
        problems.append(FieldError("across", problem))
    if query.top is not None and not 0 < query.top <= MAX_TOP:
        problems.append(FieldError("top", f"lies between 1 and {MAX_TOP}"))
    if query.compare is not None and (problem := problem_of_compare(query.compare)):
        problems.append(FieldError("compare", problem))
    problems += [
        FieldError(name, f"is one of {', '.join(ATTRIBUTES)}")
        for name in query.where
        if name not in ATTRIBUTES
    ]
    if problems:
        raise InvalidInputError("The query is wrong.", fields=problems)
    try:
        span = round((query.end - query.start).total_seconds() * SECOND)
        step = parse_step(query.step, span, query.points)
        steps_of(step, *_range(query))
    except ValueError as error:
        raise _wrong("step", str(error)) from None
    return step


def _problem_of_aggregates(names: Sequence[str]) -> str | None:
    if len(names) > MAX_AGGREGATES:
        return f"give at most {MAX_AGGREGATES}"
    return next(filter(None, map(problem_of_aggregate, names)), None)


def _wrong(name: str, message: str) -> InvalidInputError:
    return InvalidInputError("The query is wrong.", fields=[FieldError(name, message)])


def _range(query: FleetQuery) -> tuple[int, int]:
    return round(query.start.timestamp() * SECOND), round(query.end.timestamp() * SECOND)


def _ago(text: str) -> timedelta:
    number, unit = text[:-1], text[-1]
    return timedelta(hours=int(number) * _HOURS[unit])


async def _select(
    session: AsyncSession, actor: Actor, query: FleetQuery, limits: TelemetrySettings
) -> tuple[list[FleetSeries], Grouping]:
    sets = []
    for text in query.metrics:
        try:
            name, labels = parse_channel(text)
        except ValueError as error:
            raise _wrong("metric", str(error)) from None
        sets.append([Matcher(NAME, "=", name), *(Matcher(key, "=", value) for key, value in labels.items())])
    series = await find_series(
        session, actor, sets, limit=limits.max_series_per_query, devices=query.devices or None
    )
    by = (DEVICE, *query.by) if query.across else query.by
    if not query.where and not {DEVICE, *ATTRIBUTES}.intersection(by):
        return series, grouped(series, {}, by)
    attributes = await queries.attributes_of(session, sorted({item.device_id for item in series}))
    for name, allowed in query.where.items():
        series = [item for item in series if attributes[item.device_id][name] in allowed]
    return series, grouped(series, attributes, by)


async def _ask(
    session: AsyncSession,
    query: FleetQuery,
    step: Any,
    series: Sequence[FleetSeries],
    grouping: Grouping,
    limits: TelemetrySettings,
) -> tuple[list[Values], Steps, list[PlanPart]]:
    start_us, end_us = _range(query)
    whole = Steps(np.array([start_us, end_us], np.int64), ())
    steps = whole if query.instant else steps_of(step, start_us, end_us)
    if query.whole:
        start_us, end_us = int(steps.edges[0]), int(steps.edges[-1])
    question = Question(
        aggregates=query.aggregates,
        quantile=None,
        steps=steps,
        start_us=start_us,
        end_us=end_us,
        max_samples=limits.max_samples_per_query,
    )
    answers, parts = await fill(session, question, series, grouping)
    if query.across:
        together = without_devices(grouping)
        answers = [across_devices(values, together, query.across) for values in answers]
    return answers, steps, parts


def _as_wide(values: Values, width: int) -> Values:
    shown = np.full((len(values), width), np.nan)
    shown[:, : values.shape[1]] = values[:, :width]
    return shown


def _ranked(values: Values, top: int | None) -> list[int]:
    """The groups in their order, or the `top` by their mean, largest first."""
    if top is None:
        return list(range(len(values)))
    some = ~np.isnan(values)
    counts = some.sum(axis=1)
    means = np.divide(
        np.where(some, values, 0).sum(axis=1), counts, out=np.full(len(values), -np.inf), where=counts > 0
    )
    return [place for place in np.argsort(-means, kind="stable")[:top].tolist() if counts[place]]


def _told(
    query: FleetQuery,
    grouping: Grouping,
    answers: Sequence[Values],
    steps: Steps,
    order: Sequence[int],
    *,
    compared: bool = False,
) -> list[GroupSeries]:
    """Group after group, its aggregates in the order of the question."""
    times = (steps.edges[:-1] / SECOND).tolist()
    told = []
    units = {metric: describe(metric).unit for metric in {group.metric for group in grouping.groups}}
    named = list(zip(query.aggregates, answers, map(_gappy, answers), strict=True))
    for place in order:
        group = grouping.groups[place]
        for aggregate, values, gappy in named:
            numbers: list[Any] = values[place].tolist()
            if place in gappy:
                for gap in np.flatnonzero(np.isnan(values[place])).tolist():
                    numbers[gap] = None
            points = list(zip(times, numbers, strict=True))
            unit = "" if query.across == COUNT else units[group.metric]
            about = group.metric, unit, aggregate, query.across, dict(group.common)
            told.append(GroupSeries(*about, compared, points))
    return told


def _gappy(values: Values) -> set[int]:
    """The rows in which something is missing."""
    return set(np.flatnonzero(np.isnan(values).any(axis=1)).tolist())
