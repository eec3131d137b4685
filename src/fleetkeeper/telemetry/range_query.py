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
from fleetkeeper.telemetry import queries
from fleetkeeper.telemetry.buckets import EXACT, Buckets
from fleetkeeper.telemetry.planner import read_buckets
from fleetkeeper.telemetry.reading import Channel, read_samples, warnings_of
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
from fleetkeeper_protocol.metrics import parse_channel

RAW = "raw"
DEFAULT_POINTS = 600
MAX_DEVICES = 20
MAX_METRICS = 200
MAX_SERIES = 2000
MAX_STEP_SECONDS = 315_360_000


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

    def checked(self, limits: TelemetrySettings) -> "RangeQuery":
        """This query, if it makes sense and stays within the limits."""
        problems = []
        if not 0 < len(self.devices) <= MAX_DEVICES:
            problems.append(FieldError("device", f"give 1 to {MAX_DEVICES} devices"))
        if not 0 < len(self.metrics) <= MAX_METRICS:
            problems.append(FieldError("metric", f"give 1 to {MAX_METRICS} metrics"))
        if self.end <= self.start:
            problems.append(FieldError("to", "lies after `from`"))
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
    for device_id in query.devices:
        await devices.check_permission(session, actor, Permission.TELEMETRY_READ, device_id)
        rows = await queries.channels_of_device(session, device_id, sorted({name for name, _ in wanted}))
        channels = [item for item in map(Channel.from_row, rows) if _is_wanted(item, wanted)]
        if len(channels) * len(query.aggregates) > MAX_SERIES:
            message = f"give more labels: this would be more than {MAX_SERIES} series"
            raise InvalidInputError("The range query is too wide.", fields=[FieldError("metric", message)])
        planned = await _by_hours(session, device_id, channels, query, limits)
        if planned is not None:
            steps_seconds = planned[0]
            series += [
                _series(device_id, channel, aggregate, _pairs(buckets.steps, buckets.aggregate(aggregate)))
                for channel, buckets in zip(channels, planned[1], strict=True)
                for aggregate in query.aggregates
            ]
            plan += planned[2]
            continue
        samples = await read_samples(
            session, device_id, channels, query.start, query.end, max_samples=limits.max_samples_per_query
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
) -> tuple[float, list[Buckets], list[PlanStep]] | None:
    """The step (seconds), the steps' contents and how they were found; None where samples have to be read."""
    span = (query.end - query.start).total_seconds()
    step_seconds = query.step_seconds or nice_step(span, query.points)
    step_us = round(step_seconds * SECOND)
    if not channels or step_us % HOUR or not EXACT.issuperset(query.aggregates):
        return None
    steps = grid(round(query.start.timestamp() * SECOND), round(query.end.timestamp() * SECOND), step_us)
    found = await read_buckets(
        session,
        device_id,
        channels,
        query.start,
        query.end,
        steps,
        step_us,
        max_samples=limits.max_samples_per_query,
    )
    if found is None:
        return None
    told = [
        _step_of_plan(device_id, piece.source, piece.start_us / SECOND, piece.end_us / SECOND)
        for piece in found[1]
    ]
    return step_seconds, found[0], told


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
