"""What a rule would have fired, as a part of its form and of its page."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.rules.conditions import Comparison, ThresholdCondition
from fleetkeeper.alerts.rules.preview import PreviewedAlert, RulePreview, preview
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite
from fleetkeeper.console.alert_charts import aggregate_of, spans_json, stamp
from fleetkeeper.console.alert_list import number
from fleetkeeper.console.contexts.alerts import AlertChart, PreviewedRule
from fleetkeeper.console.contexts.panels import Cell, EntryForm, FormPreview, Fragment, Option, Row, Table
from fleetkeeper.console.panels import refused
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.errors import InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.durations import duration_words
from fleetkeeper.kit.services import services_of
from fleetkeeper.telemetry.promql.service import Promql

SPANS = (Option("7", "Last 7 days"), Option("1", "Last 24 hours"))
USUAL_DAYS = 7
_SHOWN = 20
_NEAREST = {
    Comparison.ABOVE: "max",
    Comparison.AT_LEAST: "max",
    Comparison.BELOW: "min",
    Comparison.AT_MOST: "min",
}
# Labels that the device says already.
_OF_DEVICE = frozenset({"instance", "device_id", "device_type", "department", "job"})


def with_preview(form: EntryForm, action: str) -> EntryForm:
    """A rule's form with a button for its preview."""
    return replace(form, preview=FormPreview(action, "Preview", SPANS, "Checking past samples…"))


def days_in(sent: Mapping[str, Sequence[str]]) -> int:
    """How many days a sent form looks back."""
    chosen = next(iter(sent.get("preview_days", ())), "")
    return next((int(one.value) for one in SPANS if one.value == chosen), USUAL_DAYS)


def filled(form: EntryForm, sent: Mapping[str, list[str]], result: Fragment) -> EntryForm:
    """The form as it was sent, with what it would do."""
    shown = refused(form, InvalidInputError(""), sent)
    if shown.preview is None:
        return shown
    days = str(days_in(sent))
    spans = tuple(replace(one, is_chosen=one.value == days) for one in shown.preview.spans)
    return replace(shown, preview=replace(shown.preview, spans=spans, result=result))


async def look_back(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    wanted: AlertRuleWrite,
    days: int,
    rule_id: UUID | None,
) -> Fragment:
    """What a rule would have fired in the last days, with its overrides. Raises InvalidInputError."""
    services = services_of(request)
    database = services.get(Database)
    found = await preview(
        session,
        lambda: database.session(context_of(request)),
        services.get(Promql),
        actor,
        wanted,
        utc_now(),
        days,
        rule_id,
    )
    return _panel(found, wanted)


def _panel(found: RulePreview, wanted: AlertRuleWrite) -> Fragment:
    detail = (
        f"{found.series:,} series, sampled every {duration_words(found.step_seconds)}; the rule may see more."
    )
    table = None
    if found.alerts:
        rows = tuple(_row(one) for one in found.alerts[:_SHOWN])
        more = f"The newest {_SHOWN} of {found.fired:,}." if found.fired > _SHOWN else ""
        columns = ("Device", "Fired", "Resolved", "Value")
        table = Table("previewed", "Alerts it would have fired", columns, rows, text=more, count=found.fired)
    context = PreviewedRule(found.summary, detail if found.series else "", _chart(found, wanted), table)
    return Fragment("alerts/_preview.html", context)


def _row(one: PreviewedAlert) -> Row:
    name = one.labels.get("instance", "") or "No device"
    labels = ", ".join(f"{label}={text}" for label, text in one.labels.items() if label not in _OF_DEVICE)
    href = f"/devices/{one.device_id}" if one.device_id else ""
    return Row(
        (
            Cell(name, href, detail=labels),
            _moment(one.fired_at),
            Cell("Still firing") if one.resolved_at is None else _moment(one.resolved_at),
            Cell(number(one.value)),
        )
    )


def _moment(at: datetime) -> Cell:
    return Cell(at=at, kind="time", style="exact")


def _chart(found: RulePreview, wanted: AlertRuleWrite) -> Fragment | None:
    """The metric of the series that would have fired most often; none where the rule names no metric."""
    condition = wanted.condition
    worst = _worst(found.alerts)
    if not isinstance(condition, ThresholdCondition) or not worst or worst[0].device_id is None:
        return None
    aggregate = aggregate_of(condition.metric)
    if aggregate != "rate":
        # A point stands for many samples: the one nearest to the threshold says why it fired.
        aggregate = _NEAREST.get(condition.op, aggregate)
    # A rate is no number to compare with what the counter itself is.
    is_compared = aggregate != "rate"
    chart = AlertChart(
        device_id=worst[0].device_id,
        metric=condition.metric,
        aggregate=aggregate,
        labels_json=json.dumps(worst[0].labels),
        start=stamp(found.from_at),
        end=stamp(found.to_at),
        spans_json=spans_json([(one.fired_at, one.resolved_at) for one in worst]),
        threshold=str(condition.threshold) if is_compared else "",
        recovery=str(condition.recovery) if is_compared and condition.recovery is not None else "",
        title=f"{condition.metric} on {worst[0].labels.get('instance', 'the device')}",
    )
    return Fragment("alerts/_chart.html", chart)


def _worst(alerts: Sequence[PreviewedAlert]) -> list[PreviewedAlert]:
    """The alerts of the series that fired most often."""
    of_series = Counter(tuple(sorted(one.labels.items())) for one in alerts)
    if not of_series:
        return []
    ((labels, _),) = of_series.most_common(1)
    return [one for one in alerts if tuple(sorted(one.labels.items())) == labels]
