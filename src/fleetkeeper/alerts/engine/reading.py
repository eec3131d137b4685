"""Reads what rules look at: newest values, windows, silence, states, and answers of PromQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.observations import (
    Observed,
    Override,
    Subject,
    all_true,
    compared,
    reduced,
)
from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.rules.conditions import (
    NoReportCondition,
    Reduce,
    Silent,
    StateCondition,
    StateOp,
    ThresholdCondition,
)
from fleetkeeper.alerts.rules.scopes import RuleScope, devices_of
from fleetkeeper.config.service import read_config
from fleetkeeper.database.engine import driver_connection
from fleetkeeper.devices.presence import offline_after
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.candidates import NAME
from fleetkeeper.telemetry.matchers import Matcher
from fleetkeeper.telemetry.resample import SECOND, Values
from fleetkeeper.telemetry.selection import FleetSeries, find_series, read_series

MAX_SERIES = 200_000
MAX_SAMPLES = 20_000_000
# As old may a newest value be, or as old as three of its device's own intervals.
LOOKBACK = timedelta(minutes=5)
SELECTION_SECONDS = 60.0
_NEWEST = """
    SELECT k.n, l.values[k.position], (extract(epoch FROM l.ts) * 1000000)::bigint
    FROM unnest(%s::text::int[], %s::text::uuid[], %s::text::int[], %s::text::int[])
         AS k (n, device_id, layout_id, position)
    JOIN latest l ON l.device_id = k.device_id AND l.layout_id = k.layout_id AND l.part IN (0, k.layout_id)
    JOIN device_vitals v ON v.device_id = k.device_id
    WHERE l.ts > %s - greatest(interval '5 minutes', 3 * v.report_interval_seconds * interval '1 second')
    ORDER BY l.ts
"""


@dataclass(frozen=True)
class Selected:
    """The series of a rule, what alerts on them would be about, and where their newest values are.

    The places are kept as arrays that PostgreSQL reads: to write thousands of them anew takes longer than to look.
    """

    series: list[FleetSeries]
    subjects: list[Subject]
    places: tuple[str, str, str, str]

    @classmethod
    def of(cls, series: list[FleetSeries], subjects: list[Subject]) -> "Selected":
        """With the places of the series: number, device, layout, position."""
        places = [
            (number, one.device_id, layout, position)
            for number, one in enumerate(series)
            for layout, position in one.places.items()
        ]
        arrays = zip(*places, strict=True) if places else ((), (), (), ())
        numbers, devices, layouts, positions = ("{" + ",".join(map(str, one)) + "}" for one in arrays)
        return cls(series, subjects, (numbers, devices, layouts, positions))


@dataclass(frozen=True)
class View:
    """What a rule may look at."""

    actor: Actor
    scope: RuleScope
    overrides: Mapping[UUID, Override] = field(default_factory=dict)


@dataclass
class Selections:
    """Which devices and series rules look at, remembered for a minute by rule and version."""

    _known: dict[Any, tuple[float, Any]] = field(default_factory=dict)

    def get(self, key: Any) -> Any:
        """What is remembered; None when nothing is, or no more."""
        until, found = self._known.get(key, (0.0, None))
        return found if until > monotonic() else None

    def put(self, key: Any, found: Any) -> Any:
        """Remember, and forget what is over."""
        now = monotonic()
        for old in [one for one, (until, _) in self._known.items() if until <= now]:
            del self._known[old]
        self._known[key] = (now + SELECTION_SECONDS, found)
        return found


async def observe_threshold(
    session: AsyncSession,
    condition: ThresholdCondition,
    view: View,
    at: datetime,
    selections: Selections,
    key: Any,
) -> Observed:
    """A metric of all devices in scope, compared with the threshold."""
    # A device that begins to use another layout has its values elsewhere: what was remembered would miss them.
    layouts = await session.scalar(text("SELECT max(first_seen) FROM device_layouts"))
    known: Selected | None = selections.get((*key, layouts))
    if known is None:
        known = selections.put((*key, layouts), await select_series(session, condition, view))
    if condition.reduce is Reduce.NEWEST:
        values = await newest_values(session, known, at)
    else:
        values = await window_values(session, condition, known.series, at)
    return compared(condition, known.subjects, values, view.overrides)


async def select_series(session: AsyncSession, condition: ThresholdCondition, view: View) -> Selected:
    """The series of the metric on the devices in scope, and what alerts on them would be about."""
    devices = await devices_of(session, view.actor, view.scope)
    matchers = [
        Matcher(NAME, "=", condition.metric),
        *(Matcher(one.name, one.op, one.value) for one in parse_matchers(condition.matchers)),
    ]
    found = await find_series(session, view.actor, [matchers], limit=MAX_SERIES)
    series = [one for one in found if one.device_id in devices]
    subjects = [
        Subject(
            one.device_id.bytes + one.channel_id.to_bytes(4, "big"),
            {name: value for name, value in one.labels.items() if name != NAME},
            one.device_id,
            condition.metric,
        )
        for one in series
    ]
    return Selected.of(series, subjects)


async def newest_values(session: AsyncSession, selected: Selected, at: datetime) -> Values:
    """The newest value of each series, by one statement; NaN where there is no recent one."""
    series = selected.series
    values = np.full(len(series), np.nan)
    if not series:
        return values
    connection = await driver_connection(session)
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(_NEWEST, (*selected.places, at))
        rows = await cursor.fetchall()
    at_us = round(at.timestamp() * SECOND)
    missing = set()
    for number, value, ts_us in rows:
        if ts_us > at_us + 5 * SECOND:
            missing.add(number)
        elif value is not None:
            values[number] = value
            missing.discard(number)
        elif np.isnan(values[number]):
            # Senders deliver channel by channel: the newest part may lack this one.
            missing.add(number)
    if missing:
        few = sorted(missing)
        start_us = at_us - round(LOOKBACK.total_seconds()) * SECOND
        samples = await read_series(
            session, [series[number] for number in few], start_us, at_us + 1, max_samples=MAX_SAMPLES
        )
        for number, (_, found) in zip(few, samples, strict=True):
            if len(found):
                values[number] = found[-1]
    return values


async def window_values(
    session: AsyncSession, condition: ThresholdCondition, series: Sequence[FleetSeries], at: datetime
) -> Values:
    """What becomes of the values of each series' window."""
    at_us = round(at.timestamp() * SECOND)
    start_us = at_us - condition.window_seconds * SECOND
    samples = await read_series(session, series, start_us, at_us + 1, max_samples=MAX_SAMPLES)
    return reduced(condition, samples, at_us, is_counter=condition.metric.endswith("_total"))


async def observe_silence(
    session: AsyncSession,
    condition: NoReportCondition,
    view: View,
    at: datetime,
    running_since: datetime,
    presence_seconds: float,
) -> Observed:
    """Devices that do not report, agents whose collectors fail, or metrics that no longer come."""
    devices = sorted(await devices_of(session, view.actor, view.scope))
    if condition.what is Silent.COLLECTOR:
        return await _failed_collectors(session, condition, devices)
    if condition.what is Silent.METRIC:
        return await _missing_metrics(session, condition, view, at, set(devices))
    interval = (await read_config(session)).sampling.interval_seconds
    rows = await session.execute(
        text(
            """
            SELECT d.id, d.name, d.device_type, d.last_seen, v.report_interval_seconds AS own,
                   coalesce(p.name, '') AS department
            FROM devices d JOIN device_vitals v ON v.device_id = d.id LEFT JOIN departments p ON p.id = d.department_id
            WHERE d.id = ANY(CAST(:devices AS uuid[])) AND d.last_seen IS NOT NULL
            """
        ),
        {"devices": devices},
    )
    subjects, silences, told, allowed = [], [], [], []
    for row in rows:
        limit = (
            timedelta(seconds=condition.silence_seconds)
            if condition.silence_seconds is not None
            else offline_after(interval, presence_seconds, row.own)
        )
        subjects.append(Subject(row.id.bytes, device_labels(row), row.id))
        silences.append((at - row.last_seen).total_seconds())
        told.append((at - max(row.last_seen, running_since)).total_seconds())
        allowed.append(limit.total_seconds())
    values, limits = np.array(told, float), np.array(allowed, float)
    # What fires already goes on until the device reports, even if nobody looked for a while.
    truth, held = values > limits, np.array(silences, float) > limits
    for flags in (truth, held):
        _silence_overridden(flags, subjects, view.overrides)
    known = np.ones(len(subjects), bool)
    return Observed(subjects, values, truth, held, known, limits, view.overrides)


def _silence_overridden(
    truth: np.ndarray[Any, Any], subjects: Sequence[Subject], overrides: Mapping[UUID, Override]
) -> None:
    for number, subject in enumerate(subjects):
        special = overrides.get(subject.device_id) if subject.device_id else None
        if special is not None and not special.is_enabled:
            truth[number] = False


def device_labels(row: Any) -> dict[str, str]:
    """What labels say of a device: its name, ID, type and department."""
    found = {"instance": row.name, "device_id": str(row.id), "device_type": row.device_type}
    return found | ({"department": row.department} if row.department else {})


async def _failed_collectors(
    session: AsyncSession, condition: NoReportCondition, devices: Sequence[UUID]
) -> Observed:
    rows = await session.execute(
        text(
            """
            SELECT d.id, d.name, d.device_type, coalesce(p.name, '') AS department,
                   c.value ->> 'name' AS collector, c.value ->> 'reason' AS reason
            FROM agents a JOIN devices d ON d.id = a.device_id LEFT JOIN departments p ON p.id = d.department_id
            CROSS JOIN LATERAL jsonb_array_elements(a.collectors) c
            WHERE a.device_id = ANY(CAST(:devices AS uuid[])) AND c.value ->> 'status' = 'failed'
                  AND (:name = '' OR c.value ->> 'name' = :name)
            """
        ),
        {"devices": list(devices), "name": condition.name},
    )
    subjects = [
        Subject(
            row.id.bytes + str(row.collector).encode(),
            device_labels(row) | {"collector": str(row.collector), "reason": str(row.reason or "")[:200]},
            row.id,
        )
        for row in rows
    ]
    return all_true(subjects, np.ones(len(subjects)))


async def _missing_metrics(
    session: AsyncSession, condition: NoReportCondition, view: View, at: datetime, devices: set[UUID]
) -> Observed:
    """Series that were there within a day, on devices that report, and of which nothing came for a while."""
    wanted = ThresholdCondition(metric=condition.name, threshold=0)
    found = await select_series(session, wanted, view)
    kept = [number for number, one in enumerate(found.series) if one.device_id in devices]
    series, subjects = [found.series[number] for number in kept], [found.subjects[number] for number in kept]
    at_us = round(at.timestamp() * SECOND)
    samples = await read_series(session, series, at_us - 86_400 * SECOND, at_us + 1, max_samples=MAX_SAMPLES)
    silence = condition.silence_seconds or round(LOOKBACK.total_seconds())
    ages = np.array([(at_us - times[-1]) / SECOND if len(times) else np.nan for times, _ in samples])
    with np.errstate(invalid="ignore"):
        truth = ages > silence
    _silence_overridden(truth, subjects, view.overrides)
    known = np.ones(len(subjects), bool)
    return Observed(
        subjects, ages, truth, truth, known, np.full(len(subjects), float(silence)), view.overrides
    )


async def observe_state(
    session: AsyncSession, condition: StateCondition, view: View, at: datetime
) -> Observed:
    """Texts and truth values of devices in scope."""
    devices = await devices_of(session, view.actor, view.scope)
    rows = await session.execute(
        text(
            """
            SELECT DISTINCT ON (s.device_id, s.channel_id) s.device_id AS id, d.name, d.device_type,
                   coalesce(p.name, '') AS department, s.channel_id, c.labels, s.value, s.ts,
                   EXISTS (SELECT FROM states o WHERE o.device_id = s.device_id AND o.channel_id = s.channel_id
                           AND o.ts < s.ts) AS has_changed
            FROM metrics m JOIN channels c ON c.metric_id = m.id
            JOIN states s ON s.channel_id = c.id JOIN devices d ON d.id = s.device_id
            LEFT JOIN departments p ON p.id = d.department_id
            WHERE m.name = :metric AND s.device_id = ANY(CAST(:devices AS uuid[])) AND s.ts <= :at
            ORDER BY s.device_id, s.channel_id, s.ts DESC
            """
        ),
        {"metric": condition.metric, "devices": sorted(devices), "at": at},
    )
    matchers = parse_matchers(condition.matchers)
    subjects, ages, truth = [], [], []
    for row in rows:
        labels = device_labels(row) | {name: str(value) for name, value in row.labels.items()}
        if not all(one.matches(labels) for one in matchers):
            continue
        age = (at - row.ts).total_seconds()
        is_true = {
            StateOp.IS: row.value == condition.value,
            StateOp.IS_NOT: row.value != condition.value,
            StateOp.CHANGED: row.has_changed and age <= condition.window_seconds,
        }[condition.op]
        key = row.id.bytes + int(row.channel_id).to_bytes(4, "big")
        subjects.append(Subject(key, labels | {"state": row.value}, row.id, condition.metric))
        ages.append(age)
        truth.append(is_true)
    flags = np.array(truth, bool)
    _silence_overridden(flags, subjects, view.overrides)
    known = np.ones(len(subjects), bool)
    return Observed(subjects, np.array(ages, float), flags, flags, known, None, view.overrides)
