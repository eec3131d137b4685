"""What the charts of alerts, and of previews of rules, are told."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log.schemas import AlertDetail
from fleetkeeper.alerts.rules.conditions import NoReportCondition, PromqlCondition, StateCondition
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.console.contexts.alerts import AlertChart
from fleetkeeper.console.contexts.panels import Cell, Facts, Fragment
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

# Around an alert, in charts and in links to them.
BEFORE = timedelta(hours=1)
AFTER = timedelta(minutes=30)


async def alert_chart(
    session: AsyncSession, actor: Actor, alert: AlertDetail, now: datetime
) -> Fragment | Facts:
    """The metric, or the expression, that an alert is about around the time that it fired; or why there is none.

    The browser asks for the samples, so readers see what they may see of them.
    """
    if not actor.may(Permission.TELEMETRY_READ):
        return _no_chart("You need the permission to read telemetry.")
    has_metric = alert.system_id is not None and bool(alert.metric_name)
    if has_metric and alert.threshold_value is not None:
        return _metric_chart(alert, now)
    rule = await _rule_of(session, actor, alert)
    if has_metric and not (rule and isinstance(rule.condition, StateCondition)):
        return _metric_chart(alert, now)
    if rule is None:
        return _no_chart("This alert has no rule here whose data could be drawn.")
    if isinstance(rule.condition, PromqlCondition):
        # What the rule sets itself is on none of the series.
        labels = {name: text for name, text in alert.labels.items() if name not in rule.labels}
        return Fragment("alerts/_chart.html", _chart(alert, now, query=rule.condition.expr, labels=labels))
    return _no_chart(_REASONS.get(type(rule.condition), "The device of this alert was deleted."))


def _metric_chart(alert: AlertDetail, now: datetime) -> Fragment:
    threshold = "" if alert.threshold_value is None else str(alert.threshold_value)
    return Fragment(
        "alerts/_chart.html", _chart(alert, now, metric=alert.metric_name or "", threshold=threshold)
    )


_REASONS: dict[type, str] = {
    NoReportCondition: "Its rule detects missing data, so there are no values to draw.",
    StateCondition: "Its rule compares texts or true/false values, which are not drawn.",
}


def _no_chart(why: str) -> Facts:
    return Facts("chart", "Chart", (("No chart", Cell(why)),))


async def _rule_of(session: AsyncSession, actor: Actor, alert: AlertDetail) -> AlertRuleRead | None:
    if alert.rule_id is None:
        return None
    try:
        return await rules.get(session, actor, alert.rule_id)
    except NotFoundError:
        return None


def _chart(
    alert: AlertDetail,
    now: datetime,
    *,
    metric: str = "",
    query: str = "",
    threshold: str = "",
    labels: dict[str, str] | None = None,
) -> AlertChart:
    return AlertChart(
        device_id=alert.system_id,
        metric=metric,
        query=query,
        aggregate=aggregate_of(metric),
        labels_json=json.dumps(alert.labels if labels is None else labels),
        start=stamp((alert.pending_since or alert.triggered_at) - BEFORE),
        end=stamp(min(now, (alert.resolved_at or now) + AFTER)),
        spans_json=spans_json([(alert.triggered_at, alert.resolved_at)]),
        threshold=threshold,
        title="" if metric else "Value of the rule's expression",
    )


def stamp(moment: datetime) -> str:
    """A time in seconds since 1970."""
    return str(int(moment.timestamp()))


def spans_json(spans: Sequence[tuple[datetime, datetime | None]]) -> str:
    """When alerts fired; without an end they still fire."""
    return json.dumps(
        [(int(start.timestamp()), int(end.timestamp()) if end else None) for start, end in spans]
    )


def aggregate_of(metric: str) -> str:
    """How a metric is drawn: what only grows is of use by its rate alone."""
    return "rate" if metric.endswith("_total") else "avg"
