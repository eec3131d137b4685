"""What a rule would have fired in the past: its condition and the same states, over the samples that are stored."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.observations import Subject, compared, reduced
from fleetkeeper.alerts.engine.queries import overrides_of
from fleetkeeper.alerts.engine.reading import LOOKBACK, View, select_series
from fleetkeeper.alerts.engine.states import Change, Seen, State, Timing, step
from fleetkeeper.alerts.recording.placing import device_of
from fleetkeeper.alerts.rules.conditions import (
    PromqlCondition,
    Reduce,
    StateCondition,
    ThresholdCondition,
)
from fleetkeeper.alerts.rules.past import (
    MOST_SAMPLES,
    PastSeries,
    Patience,
    check_number,
    past_silence,
    past_states,
)
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.telemetry.promql.errors import PromqlError
from fleetkeeper.telemetry.promql.fleet_source import FleetSource, Sessions
from fleetkeeper.telemetry.promql.queries import Query
from fleetkeeper.telemetry.promql.service import Promql
from fleetkeeper.telemetry.resample import SECOND, Times, Values
from fleetkeeper.telemetry.selection import read_series

MOST_STEPS = 2_000
MOST_SHOWN = 100


class PreviewedAlert(BaseModel):
    """An alert that the rule would have fired."""

    device_id: UUID | None
    labels: dict[str, str]
    fired_at: datetime
    resolved_at: datetime | None = Field(description="null: it would fire still")
    value: float | None = Field(description="Value as it would have fired")


class RulePreview(BaseModel):
    """What a rule would have fired."""

    from_at: datetime
    to_at: datetime
    step_seconds: int = Field(description="Distance of the instants that were looked at")
    series: int = Field(description="Series that the rule looks at")
    fired: int
    devices: int
    alerts: list[PreviewedAlert] = Field(description="The newest, at most 100")
    summary: str


async def preview(
    session: AsyncSession,
    sessions: Sessions,
    promql: Promql,
    actor: Actor,
    wanted: AlertRuleWrite,
    now: datetime,
    days: int,
    rule_id: UUID | None = None,
) -> RulePreview:
    """What a rule would have fired in the last days on devices that the actor sees. Raises InvalidInputError.

    `rule_id` is that of a rule that is there: its overrides count.
    """
    span = timedelta(days=days)
    seconds = max(wanted.interval_seconds, -(-int(span.total_seconds()) // MOST_STEPS))
    end_us = int(now.timestamp()) // seconds * seconds * SECOND
    count = int(span.total_seconds()) // seconds
    moments = end_us - np.arange(count - 1, -1, -1, dtype=np.int64) * seconds * SECOND
    patience = Patience()
    overrides = await overrides_of(session, rule_id) if rule_id else {}
    view = View(actor, wanted.scope, overrides)
    if isinstance(wanted.condition, ThresholdCondition):
        found = await _of_threshold(session, wanted.condition, view, moments, patience)
    elif isinstance(wanted.condition, PromqlCondition):
        source = FleetSource(sessions, actor, promql.settings.max_series, MOST_SAMPLES)
        found = await _of_promql(promql, source, wanted.condition, moments, seconds)
    elif isinstance(wanted.condition, StateCondition):
        found = await past_states(session, wanted.condition, view, moments, patience)
    else:
        found = await past_silence(session, wanted.condition, view, moments, patience)
    alerts: list[PreviewedAlert] = []
    for one in found:
        await patience.give_way()
        alerts += _played(one, moments, _timing(wanted, one.for_seconds))
    alerts.sort(key=lambda one: one.fired_at, reverse=True)
    devices = len({one.device_id or tuple(sorted(one.labels.items())) for one in alerts})
    return RulePreview(
        from_at=_moment(int(moments[0])),
        to_at=_moment(end_us),
        step_seconds=seconds,
        series=len(found),
        fired=len(alerts),
        devices=devices,
        alerts=alerts[:MOST_SHOWN],
        summary=_summary(len(alerts), devices, len(found), days),
    )


def _timing(wanted: AlertRuleWrite, own: int | None) -> Timing:
    """How long a rule waits; `own` is what an override says."""
    return Timing(
        timedelta(seconds=wanted.for_seconds if own is None else own),
        timedelta(seconds=wanted.keep_firing_seconds),
        wanted.detects_flapping,
    )


def _summary(fired: int, devices: int, series: int, days: int) -> str:
    when = "24 hours" if days == 1 else f"{days} days"
    if not series:
        return "No device you can see has reported this."
    if not fired:
        return f"This rule would not have fired in the last {when}."
    times = "once" if fired == 1 else f"{fired} times"
    where = "1 device" if devices == 1 else f"{devices} devices"
    return f"In the last {when} this rule would have fired {times} on {where}."


async def _of_threshold(
    session: AsyncSession, condition: ThresholdCondition, view: View, moments: Times, patience: Patience
) -> list[PastSeries]:
    selected = await select_series(session, condition, view)
    series, subjects = selected.series, selected.subjects
    check_number(len(series))
    before = condition.window_seconds * SECOND
    if condition.reduce is Reduce.NEWEST:
        before = round(LOOKBACK.total_seconds()) * SECOND
    samples = await read_series(
        session, series, int(moments[0]) - before, int(moments[-1]) + 1, max_samples=MOST_SAMPLES
    )
    found = []
    is_counter = condition.metric.endswith("_total")
    for subject, (times, values) in zip(subjects, samples, strict=True):
        await patience.give_way()
        at = (
            _newest(times, values, moments, before)
            if condition.reduce is Reduce.NEWEST
            else await _windows(condition, times, values, moments, patience, is_counter=is_counter)
        )
        seen = compared(condition, [subject] * len(moments), at, view.overrides)
        own = seen.override_of(0).for_seconds
        found.append(PastSeries(subject, at, seen.truth.tolist(), seen.held.tolist(), own))
    return found


def _newest(times: Times, values: Values, moments: Times, before: int) -> Values:
    """The newest value at each moment, none where it is too old."""
    if not len(times):
        return np.full(len(moments), np.nan)
    place = np.searchsorted(times, moments, side="right") - 1
    found = values[np.maximum(place, 0)].astype(float)
    found[(place < 0) | (moments - times[np.maximum(place, 0)] > before)] = np.nan
    return found


async def _windows(
    condition: ThresholdCondition,
    times: Times,
    values: Values,
    moments: Times,
    patience: Patience,
    *,
    is_counter: bool,
) -> Values:
    """What becomes of the window before each moment."""
    low = np.searchsorted(times, moments - condition.window_seconds * SECOND, side="right")
    high = np.searchsorted(times, moments, side="right")
    found = np.full(len(moments), np.nan)
    for number in np.flatnonzero(high > low):
        await patience.give_way()
        part = slice(low[number], high[number])
        one = [(times[part], values[part])]
        found[number] = reduced(condition, one, int(moments[number]), is_counter=is_counter)[0]
    return found


async def _of_promql(
    promql: Promql, source: FleetSource, condition: PromqlCondition, moments: Times, seconds: int
) -> list[PastSeries]:
    try:
        query = Query.over_range(
            condition.expr, int(moments[0]), int(moments[-1]), seconds * SECOND, MOST_STEPS + 1
        )
        answer = await promql.engine.answer(query, source, user="alerts")
    except PromqlError as error:
        raise InvalidInputError(
            "The preview failed.", fields=[FieldError("condition.expr", str(error))]
        ) from None
    found = []
    for one in answer.series:
        labels = {name: value for name, value in one.labels if name != "__name__"}
        values = np.full(len(moments), np.nan)
        values[np.searchsorted(moments, one.times)] = one.values
        truth = np.zeros(len(moments), bool)
        truth[np.searchsorted(moments, one.times)] = True
        told = truth.tolist()
        found.append(PastSeries(Subject(b"", labels, device_of(labels)), values, told, told))
    return found


def _played(found: PastSeries, moments: Times, timing: Timing) -> list[PreviewedAlert]:
    """The alerts of one series, oldest first."""
    alerts: list[PreviewedAlert] = []
    state: State | None = None
    for number, at_us in enumerate(moments.tolist()):
        fires = state is not None and state.seen is Seen.FIRING
        truth = found.held[number] if fires else found.truth[number]
        if state is None and not truth:
            continue
        at = _moment(at_us)
        state, change = step(state, truth, at, timing)
        if change is Change.FIRED:
            value = float(found.values[number])
            alerts.append(
                PreviewedAlert(
                    device_id=found.subject.device_id,
                    labels=dict(found.subject.labels),
                    fired_at=at,
                    resolved_at=None,
                    value=value if np.isfinite(value) else None,
                )
            )
        elif change is Change.RESOLVED:
            alerts[-1].resolved_at = at
    return alerts


def _moment(at_us: int) -> datetime:
    return datetime.fromtimestamp(at_us / SECOND, UTC)
