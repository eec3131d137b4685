"""Range queries: which channels, which step, which aggregate; then read, put on a grid, and answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession
from tsdownsample import MinMaxLTTBDownsampler

from fleetkeeper.devices import service as devices
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.explore.cells import NEEDS, Cells
from fleetkeeper.telemetry.explore.cover import Part
from fleetkeeper.telemetry.explore.reading import Question, fill_cells
from fleetkeeper.telemetry.explore.steps import regular_steps
from fleetkeeper.telemetry.reading import Channel, channels_of, read_samples, warnings_of
from fleetkeeper.telemetry.resample import (
    AGGREGATES,
    SECOND,
    Times,
    Values,
    grid,
    nice_step,
    resample,
    sampling_interval,
)
from fleetkeeper.telemetry.rollups.periods import HOUR
from fleetkeeper.telemetry.schemas import PlanStep, RangeAnswer, Series
from fleetkeeper.telemetry.selection import FleetSeries
from fleetkeeper_protocol.metrics import parse_channel

RAW = "raw"
DEFAULT_POINTS = 600
MAX_DEVICES = 20
MAX_METRICS = 200
MAX_SERIES = 2000
MAX_STEP_SECONDS = 315_360_000
# With fewer samples an hour, the grid repeats values over empty steps, which is decided by the samples' distance.
_FEWEST_PER_HOUR = 3


@dataclass(frozen=True)
class RangeQuery:
    """What a range query asks. Raises InvalidInputError, with the field, from `checked`."""

    devices: Sequence[UUID]
    metrics: Sequence[str]
    start: datetime
    end: datetime
    step_seconds: float | None
    points: int
    aggregates: Sequence[str]
    explain: bool = False

    @property
    def most_points(self) -> int:
        """How many points a channel may give, all aggregates together."""
        span = (self.end - self.start).total_seconds()
        steps = self.points if self.step_seconds is None else int(span / self.step_seconds) + 1
        return sum(max(self.points, 1) if name == RAW else steps for name in self.aggregates)

    def checked(self, limits: TelemetrySettings) -> "RangeQuery":
        """This query, if it makes sense and stays within the limits."""
        problems = []
        if not 0 < len(self.devices) <= MAX_DEVICES:
            problems.append(FieldError("device", f"give 1 to {MAX_DEVICES} devices"))
        if not 0 < len(self.metrics) <= MAX_METRICS:
            problems.append(FieldError("metric", f"give 1 to {MAX_METRICS} metrics"))
        if self.end <= self.start:
            problems.append(FieldError("to", "Must be later than `from`"))
        unknown = [item for item in self.aggregates if item not in {*AGGREGATES, RAW}]
        if unknown or not 0 < len(self.aggregates) <= len(AGGREGATES):
            problems.append(FieldError("agg", f"one or more of {', '.join((*AGGREGATES, RAW))}"))
        span = (self.end - self.start).total_seconds()
        if self.step_seconds is not None and not (
            0.001 <= self.step_seconds <= MAX_STEP_SECONDS
            and span / self.step_seconds <= limits.max_points_per_series
        ):
            problems.append(
                FieldError("step", f"gives at most {limits.max_points_per_series} points; make it longer")
            )
        if problems:
            raise InvalidInputError("The range query is wrong.", fields=problems)
        return self


async def query_range(
    session: AsyncSession, actor: Actor, query: RangeQuery, limits: TelemetrySettings
) -> RangeAnswer:
    """Answer a range query. Raises NotFoundError for a device that the actor may not see."""
    query = query.checked(limits)
    wanted = [_parse_metric(text) for text in query.metrics]
    series: list[Series] = []
    steps_seconds: float | None = None
    plan: list[PlanStep] = []
    room = limits.max_points_per_answer
    for device_id in query.devices:
        await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
        named = await channels_of(session, device_id, sorted({name for name, _ in wanted}))
        channels = [item for item in named if _is_wanted(item, wanted)]
        if len(channels) * len(query.aggregates) > MAX_SERIES:
            message = f"give more labels: this would be more than {MAX_SERIES} series"
            raise InvalidInputError("The range query is too wide.", fields=[FieldError("metric", message)])
        room -= len(channels) * query.most_points
        if room < 0:
            most = f"{limits.max_points_per_answer:,}"
            message = f"Gives more than {most} points in all; ask for fewer series or a longer step"
            raise InvalidInputError("The range query is too wide.", fields=[FieldError("metric", message)])
        planned = await _by_hours(session, device_id, channels, query, limits)
        if planned is not None:
            steps_seconds = planned[0]
            series += [
                _series(device_id, channel, aggregate, _pairs(planned[1], answer[place]))
                for place, channel in enumerate(channels)
                for aggregate, answer in zip(query.aggregates, planned[2], strict=True)
            ]
            plan += planned[3]
            continue
        samples = await read_samples(
            session, channels, query.start, query.end, max_samples=limits.max_samples_per_query
        )
        plan.append(_step_of_plan(device_id, "samples", query.start.timestamp(), query.end.timestamp()))
        if steps_seconds is None and set(query.aggregates) != {RAW}:
            steps_seconds = _step(query, samples)
        for channel, (times, values) in zip(channels, samples, strict=True):
            for aggregate in query.aggregates:
                points = _points(query, times, values, aggregate, steps_seconds)
                series.append(_series(device_id, channel, aggregate, points))
    told = plan if query.explain else msgspec.UNSET
    warnings = warnings_of(session) or msgspec.UNSET
    return RangeAnswer(query.start.timestamp(), query.end.timestamp(), steps_seconds, series, told, warnings)


async def _by_hours(
    session: AsyncSession,
    device_id: UUID,
    channels: Sequence[Channel],
    query: RangeQuery,
    limits: TelemetrySettings,
) -> tuple[float, Times, list[Values], list[PlanStep]] | None:
    """The step (seconds), the steps' first moments, (channels, steps) by aggregate, and how they were found.

    None where samples have to be read.
    """
    span = (query.end - query.start).total_seconds()
    step_seconds = query.step_seconds or nice_step(span, query.points)
    if not channels or round(step_seconds * SECOND) % HOUR or not NEEDS.keys() >= set(query.aggregates):
        return None
    start_us, end_us = round(query.start.timestamp() * SECOND), round(query.end.timestamp() * SECOND)
    steps = regular_steps(round(step_seconds * SECOND), start_us, end_us)
    question = Question(tuple(query.aggregates), None, steps, start_us, end_us, limits.max_samples_per_query)
    cells = Cells(len(channels), steps.edges, question.needs)
    owned = [(one, place) for place, item in enumerate(channels) for one in item.devices]
    owned.sort()
    series = [FleetSeries(one, channels[at].channel_id, {}, channels[at].places) for one, at in owned]
    parts = await fill_cells(session, cells, question, series, [at for _, at in owned])
    if all(part.tier is None for part in parts) or _is_sparse(cells, step_seconds):
        return None
    told = [_part_of_plan(device_id, part) for part in sorted(parts, key=lambda part: part.start_us)]
    return step_seconds, steps.edges[:-1], question.answers(cells), told


def _is_sparse(cells: Cells, step_seconds: float) -> bool:
    """Whether a channel has too few samples for steps to stand for themselves."""
    fewest = _FEWEST_PER_HOUR * step_seconds / 3600
    return any(np.median(counts[counts > 0]) < fewest for counts in cells.counts if counts.any())


def _part_of_plan(device_id: UUID, part: Part) -> PlanStep:
    source = "samples" if part.tier is None else part.tier.name.lower()
    return _step_of_plan(device_id, source, part.start_us / SECOND, part.end_us / SECOND)


def _step_of_plan(device_id: UUID, source: str, start: float, end: float) -> PlanStep:
    return PlanStep(str(device_id), source, start, end)


def _parse_metric(text: str) -> tuple[str, dict[str, str]]:
    try:
        return parse_channel(text)
    except ValueError as error:
        raise InvalidInputError("The metric is wrong.", fields=[FieldError("metric", str(error))]) from None


def _is_wanted(channel: Channel, wanted: Sequence[tuple[str, dict[str, str]]]) -> bool:
    return any(name == channel.metric and labels.items() <= channel.labels.items() for name, labels in wanted)


def _step(query: RangeQuery, samples: Sequence[tuple[Times, Values]]) -> float:
    """The given step, or one that fits the pixels and is no finer than the samples."""
    if query.step_seconds is not None:
        return query.step_seconds
    span = (query.end - query.start).total_seconds()
    intervals = [sampling_interval(times) for times, _ in samples if len(times) > 1]
    finest = min(intervals, default=0.0)
    return max(nice_step(span, query.points), nice_step(round(finest, 1), 1) if finest >= 1 else 0.0)


def _points(
    query: RangeQuery, times: Times, values: Values, aggregate: str, step_seconds: float | None
) -> list[tuple[float, float | None]]:
    if aggregate == RAW:
        times, values = _thin_out(times, values, query.points)
    else:
        step_us = round((step_seconds or 1) * SECOND)
        steps = grid(round(query.start.timestamp() * SECOND), round(query.end.timestamp() * SECOND), step_us)
        values = resample(times, values, steps, step_us, aggregate)
        times = steps
    return _pairs(times, values)


def _pairs(times: Times, values: Values) -> list[tuple[float, float | None]]:
    numbers: list[Any] = np.where(np.isnan(values), None, values).tolist()  # type: ignore[call-overload]
    return list(zip((times / SECOND).tolist(), numbers, strict=True))


def _thin_out(times: Times, values: Values, points: int) -> tuple[Times, Values]:
    """At most `points` samples that keep the line's shape, peaks included."""
    if len(times) <= points:
        return times, values
    chosen = MinMaxLTTBDownsampler().downsample(  # type: ignore[no-untyped-call]
        np.ascontiguousarray(times), np.ascontiguousarray(values), n_out=max(points, 3)
    )
    return times[chosen], values[chosen]


def _series(
    device_id: UUID, channel: Channel, aggregate: str, points: list[tuple[float, float | None]]
) -> Series:
    return Series(
        str(device_id), channel.metric, channel.labels, channel.unit, channel.kind, aggregate, points
    )
