"""What states and missing data were at moments of the past, as far as it is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from time import perf_counter
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.observations import Subject
from fleetkeeper.alerts.engine.reading import LOOKBACK, View, device_labels, select_series
from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.rules.conditions import (
    NoReportCondition,
    Silent,
    StateCondition,
    StateOp,
    ThresholdCondition,
)
from fleetkeeper.alerts.rules.scopes import devices_of
from fleetkeeper.config.service import read_config
from fleetkeeper.devices.presence import offline_after
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry.own_series import ALIVE
from fleetkeeper.telemetry.resample import SECOND, Times, Values
from fleetkeeper.telemetry.selection import read_series

MOST_SAMPLES = 4_000_000
# Of one preview; it holds its reader, and a share of a core.
LONGEST_SECONDS = 15.0
MOST_SERIES = 2_000
_MOST_CHANGES = 200_000
_DAY = timedelta(days=1)
_STATES = text(
    """
    SELECT s.device_id AS id, s.channel_id, s.value, (extract(epoch FROM s.ts) * 1000000)::bigint AS at_us,
           d.name, d.device_type, coalesce(p.name, '') AS department, c.labels
    FROM metrics m JOIN channels c ON c.metric_id = m.id
    JOIN states s ON s.channel_id = c.id JOIN devices d ON d.id = s.device_id
    LEFT JOIN departments p ON p.id = d.department_id
    WHERE m.name = :metric AND s.device_id = ANY(CAST(:devices AS uuid[])) AND s.ts <= to_timestamp(:end)
      AND s.ts >= coalesce((SELECT max(o.ts) FROM states o WHERE o.device_id = s.device_id
                            AND o.channel_id = s.channel_id AND o.ts <= to_timestamp(:start)), '-infinity')
    ORDER BY s.device_id, s.channel_id, s.ts LIMIT :most
    """
)


@dataclass(frozen=True)
class PastSeries:
    """A series at each moment: its value, whether the condition was true, and whether it held what fired."""

    subject: Subject
    values: Values
    truth: Sequence[bool]
    held: Sequence[bool]
    # What an override says of the pending period.
    for_seconds: int | None = None


class Patience:
    """Gives way to others, until a preview has taken too long. Raises InvalidInputError."""

    def __init__(self) -> None:
        self._turns, self._ends = Turns(), perf_counter() + LONGEST_SECONDS

    async def give_way(self) -> None:
        """Let others work now and then."""
        if perf_counter() > self._ends:
            message = (
                f"Takes longer than {LONGEST_SECONDS:.0f} seconds. Choose 1 day, or narrow the scope for it"
            )
            raise InvalidInputError("The preview was stopped.", fields=[FieldError("scope", message)])
        await self._turns.give_way()


def check_number(series: int) -> None:
    """Raise InvalidInputError for more series than a preview looks at."""
    if series > MOST_SERIES:
        message = f"Looks at {series:,} series; a preview at {MOST_SERIES:,} at most. Narrow the scope for it"
        raise InvalidInputError("The preview is too large.", fields=[FieldError("scope", message)])


async def past_states(
    session: AsyncSession, condition: StateCondition, view: View, moments: Times, patience: Patience
) -> list[PastSeries]:
    """A state of the devices in scope at each moment. Raises InvalidInputError."""
    start_us = int(moments[0]) - condition.window_seconds * SECOND
    asked = {
        "metric": condition.metric,
        "devices": sorted(await devices_of(session, view.actor, view.scope)),
        "start": start_us / SECOND,
        "end": int(moments[-1]) / SECOND,
        "most": _MOST_CHANGES + 1,
    }
    rows = (await session.execute(_STATES, asked)).all()
    if len(rows) > _MOST_CHANGES:
        message = f"Changed more than {_MOST_CHANGES:,} times. Choose 1 day, or narrow the scope for it"
        raise InvalidInputError("The preview is too large.", fields=[FieldError("scope", message)])
    matchers = parse_matchers(condition.matchers)
    found = []
    for (_, channel_id), group in groupby(rows, lambda row: (row.id, row.channel_id)):
        await patience.give_way()
        changes = list(group)
        labels = device_labels(changes[0]) | {name: str(one) for name, one in changes[0].labels.items()}
        if all(one.matches(labels) for one in matchers):
            key = changes[0].id.bytes + int(channel_id).to_bytes(4, "big")
            subject = Subject(key, labels, changes[0].id, condition.metric)
            truth, ages = _state_at(condition, changes, moments)
            found.append(_series(subject, ages, truth, view))
    check_number(len(found))
    return found


def _state_at(
    condition: StateCondition, changes: Sequence[Any], moments: Times
) -> tuple[np.ndarray[Any, Any], Values]:
    """Whether the condition was true at each moment, and since how many seconds the state was as it was."""
    times = np.array([one.at_us for one in changes], np.int64)
    place = np.searchsorted(times, moments, side="right") - 1
    ages = (moments - times[np.maximum(place, 0)]) / SECOND
    if condition.op is StateOp.CHANGED:
        # The first that is known is no change.
        return (place > 0) & (ages <= condition.window_seconds), ages
    is_same = np.array([one.value == condition.value for one in changes])[np.maximum(place, 0)]
    return (place >= 0) & (is_same if condition.op is StateOp.IS else ~is_same), ages


async def past_silence(
    session: AsyncSession, condition: NoReportCondition, view: View, moments: Times, patience: Patience
) -> list[PastSeries]:
    """For how long devices with an agent, or a metric, had not reported at each moment. Raises InvalidInputError.

    What had been silent for a day when the span began is not known to have been there.
    """
    if condition.what is Silent.COLLECTOR:
        problem = "Past failures of collectors are not stored, so there is no preview of them"
        raise InvalidInputError("There is no preview.", fields=[FieldError("condition.what", problem)])
    is_device = condition.what is Silent.DEVICE
    metric = ThresholdCondition(metric=ALIVE if is_device else condition.name, threshold=0)
    selected = await select_series(session, metric, view)
    check_number(len(selected.series))
    limits = await _limits(session, condition, [one.device_id for one in selected.series])
    start_us = int(moments[0]) - round(_DAY.total_seconds()) * SECOND
    samples = await read_series(
        session, selected.series, start_us, int(moments[-1]) + 1, max_samples=MOST_SAMPLES
    )
    found = []
    for subject, (times, _) in zip(selected.subjects, samples, strict=True):
        await patience.give_way()
        ages = _ages(times, moments)
        with np.errstate(invalid="ignore"):
            truth = ages > limits[subject.device_id]
        found.append(_series(subject, ages, truth, view))
    return found


async def _limits(
    session: AsyncSession, condition: NoReportCondition, devices: Sequence[UUID]
) -> Mapping[UUID | None, float]:
    """After how many seconds each device counts as silent."""
    if condition.silence_seconds is not None:
        return dict.fromkeys(devices, float(condition.silence_seconds))
    if condition.what is Silent.METRIC:
        return dict.fromkeys(devices, LOOKBACK.total_seconds())
    interval = (await read_config(session)).sampling.interval_seconds
    rows = await session.execute(
        text(
            "SELECT device_id, report_interval_seconds FROM device_vitals "
            "WHERE device_id = ANY(CAST(:devices AS uuid[]))"
        ),
        {"devices": sorted(set(devices))},
    )
    own = {row[0]: row[1] for row in rows}
    return {one: offline_after(interval, 0.0, own.get(one)).total_seconds() for one in devices}


def _ages(times: Times, moments: Times) -> Values:
    """How many seconds the newest sample was old at each moment; NaN before the first."""
    if not len(times):
        return np.full(len(moments), np.nan)
    place = np.searchsorted(times, moments, side="right") - 1
    ages = (moments - times[np.maximum(place, 0)]) / SECOND
    ages[place < 0] = np.nan
    return ages


def _series(subject: Subject, values: Values, truth: np.ndarray[Any, Any], view: View) -> PastSeries:
    special = view.overrides.get(subject.device_id) if subject.device_id else None
    if special is not None and not special.is_enabled:
        truth = np.zeros(len(truth), bool)
    flags = truth.tolist()
    return PastSeries(subject, values, flags, flags, special.for_seconds if special else None)
