"""`/alerts/recording-rules`: expressions of rule files whose results are stored as series."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRead, AlertsWrite
from fleetkeeper.alerts.recording import service
from fleetkeeper.alerts.recording.queries import count_recorded
from fleetkeeper.alerts.recording.schemas import RecordingRuleRead
from fleetkeeper.console.alert_charts import stamp
from fleetkeeper.console.contexts.alerts import AlertChart
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, Fragment, Note, RowAction, Tag
from fleetkeeper.console.details import Panels, Tab, show_detail
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import done
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.durations import duration_words
from fleetkeeper.telemetry.promql.formatting import quoted

HOME = "/alerts/recording-rules"
# A chart of more lines says nothing.
_MOST_DRAWN = 50
_DRAWN_SECONDS = 86_400
declare(
    Place(
        HOME,
        "Recording rules",
        "database",
        Permission.ALERTS_READ,
        order=12,
        parent="/alerts",
        words="prometheus promql record",
    )
)
router = APIRouter()


def _state(one: RecordingRuleRead) -> Tag:
    if not one.enabled:
        return Tag("Disabled")
    if one.problem:
        return Tag("Failing", "bad", one.problem)
    return Tag("OK", "good") if one.evaluated_at else Tag("Not evaluated yet")


def _moment(one: RecordingRuleRead) -> Cell:
    return Cell(at=one.evaluated_at, kind="time") if one.evaluated_at else Cell("Not yet")


PAGE: ListPage[RecordingRuleRead] = ListPage(
    path=HOME,
    title="Recording rules",
    noun=("recording rule", "recording rules"),
    listing=service.LISTING,
    search="Name or expression",
    quick=(
        QuickFilter(
            "enabled", "State", (Choice("true", "Enabled"), Choice("false", "Disabled")), is_chips=True
        ),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("expr", "Expression", lambda one: Cell(one.expr[:200], kind="code"), field=None),
        Column(
            "enabled",
            "Health",
            lambda one: Cell(detail=one.problem[:200], tags=(_state(one),)),
            sort="enabled",
        ),
        Column("evaluated_at", "Last evaluated", _moment, field=None),
        Column(
            "origin_key",
            "File",
            lambda one: Cell(one.file, detail=one.group),
            sort="origin_key",
            css="is-minor",
        ),
    ),
    empty=Empty(
        "No recording rules",
        "A recording rule stores the result of a PromQL expression as a metric. Import a Prometheus rule file "
        "with `fleetkeeper rule import`.",
    ),
    titles={"id": "ID", "interval_seconds": "Evaluation interval", "origin_key": "File, group and position"},
)


@router.get(HOME)
async def list_rules(request: Request, actor: AlertsRead, session: Session) -> Response:
    """All recording rules."""
    return await show_list(
        request, session, actor, PAGE, partial(service.list_recording_rules, session, actor)
    )


@router.get(f"{HOME}/{{key}}")
async def show_rule(request: Request, key: UUID, actor: AlertsRead, session: Session) -> Response:
    """One recording rule, with what it records."""
    rule = await service.get_recording_rule(session, actor, key)

    async def overview() -> Panels:
        series = await count_recorded(session, key)
        chart = _chart(rule, series) if actor.may(Permission.TELEMETRY_READ) else None
        return [_facts(rule, series), chart]

    since = f" since {rule.failing_since:%Y-%m-%d %H:%M} UTC" if rule.failing_since else ""
    return await show_detail(
        request,
        actor,
        HOME,
        rule.name,
        [Tab("overview", "Overview", overview), history_tab(session, actor, "recording_rules", key)],
        crumbs=(("/alerts", "Alerts"), (HOME, PAGE.title)),
        tags=(_state(rule),),
        actions=[_switch(rule)] if actor.may_in(Permission.ALERTS_WRITE, None) else (),
        notes=[Note(f"Failing{since}: {rule.problem}", tone="bad")] if rule.problem else (),
    )


@router.post(f"{HOME}/{{key}}/enable")
async def enable_rule(request: Request, key: UUID, actor: AlertsWrite, session: Session) -> Response:
    """Enable a recording rule."""
    return await _enable(request, session, actor, key, is_enabled=True)


@router.post(f"{HOME}/{{key}}/disable")
async def disable_rule(request: Request, key: UUID, actor: AlertsWrite, session: Session) -> Response:
    """Disable a recording rule."""
    return await _enable(request, session, actor, key, is_enabled=False)


async def _enable(
    request: Request, session: AsyncSession, actor: Actor, key: UUID, *, is_enabled: bool
) -> Response:
    await service.enable_recording_rule(session, actor, key, is_enabled=is_enabled)
    return done(request, f"{HOME}/{key}")


def _switch(rule: RecordingRuleRead) -> RowAction:
    base = f"{HOME}/{rule.id}"
    if rule.enabled:
        question = (
            f"Disable {rule.name}? Its series end; what it recorded stays. An import leaves it disabled."
        )
        return RowAction("Disable", f"{base}/disable", question, is_danger=False)
    return RowAction(
        "Enable", f"{base}/enable", f"Enable {rule.name}? It records from now on.", is_danger=False
    )


def _facts(rule: RecordingRuleRead, series: int) -> Facts:
    labels = ", ".join(f"{name}={text}" for name, text in rule.labels.items())
    pairs = (
        ("Expression", Cell(rule.expr, kind="code")),
        ("Labels", Cell(labels)),
        ("Evaluation interval", Cell(duration_words(rule.interval_seconds))),
        ("Last evaluated", _moment(rule)),
        ("Series", Cell(f"{series:,}")),
        ("File", Cell(rule.file)),
        ("Group", Cell(rule.group)),
    )
    return Facts("rule", "Recording rule", tuple(pair for pair in pairs if pair[1].text or pair[1].at))


def _chart(rule: RecordingRuleRead, series: int) -> Fragment | Facts:
    if series > _MOST_DRAWN:
        text = f"It records {series:,} series; a chart draws {_MOST_DRAWN} at most. Query them in Explore."
        return Facts("chart", "Chart", (("No chart", Cell(text)),))
    matchers = ", ".join(f"{name}={quoted(text)}" for name, text in rule.labels.items())
    now = utc_now()
    chart = AlertChart(
        device_id=None,
        metric="",
        aggregate="avg",
        labels_json="{}",
        start=str(int(stamp(now)) - _DRAWN_SECONDS),
        end=stamp(now),
        spans_json="[]",
        threshold="",
        title=f"{rule.name}, last 24 hours",
        query=f"{rule.name}{{{matchers}}}",
    )
    return Fragment("alerts/_chart.html", chart)
