"""`/alerts/rules`: what alerts look for."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRead, AlertsWrite
from fleetkeeper.alerts.log import service as alerts
from fleetkeeper.alerts.models import AlertEvaluation
from fleetkeeper.alerts.rules.queries import count_open_of, evaluations_of
from fleetkeeper.alerts.rules.schemas import AlertRuleRead
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.alerts.rules.switching import consequence_of_disabling
from fleetkeeper.alerts.status import SEVERITY_TONES, Severity
from fleetkeeper.alerts.versions.service import list_versions
from fleetkeeper.console.alert_list import alert_list
from fleetkeeper.console.alert_rule_files import file_facts, file_notes
from fleetkeeper.console.alert_rule_forms import (
    FORM,
    KINDS,
    RuleEntry,
    at_fields,
    condition_words,
    entered,
    wanted_of,
)
from fleetkeeper.console.alert_rule_health import ListedRule, health_notes, state_tags, with_health
from fleetkeeper.console.alert_rule_overrides import override_form, overrides_table
from fleetkeeper.console.alert_rule_preview import days_in, filled, look_back, with_preview
from fleetkeeper.console.alert_rule_versions import versions_table
from fleetkeeper.console.contexts.lists import BulkAction, Empty
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Panel, RowAction, Tag
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail, tab_of
from fleetkeeper.console.forms.form import Form, version_in
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options, departments
from fleetkeeper.console.panels import REASON, done, refused, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError, InvalidInputError
from fleetkeeper.identity.access import reason_given
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.durations import duration_words

HOME = "/alerts/rules"
declare(
    Place(
        HOME, "Alert rules", "gauge", Permission.ALERTS_READ, order=12, parent="/alerts", words="thresholds"
    )
)
router = APIRouter()
_NEW = Form(FORM.model, "new-rule", "Create alert rule", "Create alert rule", FORM.widgets)
_SEEN_DAYS = 1
_EDIT = Form(FORM.model, "change", "Edit alert rule", "Save changes", FORM.widgets)


_ORIGINS = {"builtin": "Built-in", "person": "Custom", "file": "File"}


def _severity(one: AlertRuleRead) -> Cell:
    return Cell(tags=(Tag(words_of(one.severity), SEVERITY_TONES[one.severity]),))


PAGE: ListPage[ListedRule] = ListPage(
    path=HOME,
    title="Alert rules",
    noun=rules.noun,
    listing=rules.listing,
    search="Name or description",
    quick=(
        QuickFilter(
            "enabled", "State", (Choice("true", "Enabled"), Choice("false", "Disabled")), is_chips=True
        ),
        QuickFilter(
            "severity",
            "Severity",
            tuple(Choice(one, words_of(one)) for one in Severity),
            everything="All severities",
        ),
        QuickFilter(
            "kind",
            "Condition",
            tuple(Choice(one.value, one.label) for one in KINDS),
            everything="All conditions",
        ),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name", css="is-roomy"),
        Column("severity", "Severity", _severity, sort="severity"),
        Column("condition", "Condition", condition_words, field="condition"),
        Column("for_seconds", "For", lambda one: Cell(duration_words(one.for_seconds)), field="for_seconds"),
        Column("enabled", "State", lambda one: Cell(tags=state_tags(one, one.problem)), sort="enabled"),
        Column("origin", "Origin", lambda one: Cell(_ORIGINS[one.origin]), sort="origin", css="is-minor"),
    ),
    export="/api/v1/alert-rules/export",
    empty=Empty("No alert rules", "Create one, to be told before your users tell you."),
    titles={"kind": "Condition", "department_id": "Department ID", "id": "ID"},
)
BULK = (
    BulkAction("Enable selected", "bulk-enable"),
    BulkAction("Disable selected", "bulk-disable"),
)


@router.get(HOME)
async def list_rules(request: Request, actor: AlertsRead, session: Session) -> Response:
    """All rules."""
    return await _list(request, session, actor)


@router.post(HOME)
async def create_rule(request: Request, sent: FormLists, actor: AlertsWrite, session: Session) -> Response:
    """Make a rule."""

    async def make() -> AlertRuleRead:
        return await rules.create(session, actor, wanted_of(_NEW.read(sent)))

    async def again(error: FleetkeeperError) -> Response:
        return await _list(request, session, actor, error, sent)

    return await submit(request, session, make(), lambda made: f"{HOME}/{made.id}", again)


@router.post(f"{HOME}/preview")
async def preview_new_rule(
    request: Request, sent: FormLists, actor: AlertsWrite, session: Session
) -> Response:
    """What a rule would have fired that is not made yet."""
    shown = await _new_form(session, actor)
    return await _previewed(request, session, actor, sent, _NEW, shown, None)


@router.post(f"{HOME}/{{key}}/preview")
async def preview_changed_rule(
    request: Request, key: UUID, sent: FormLists, actor: AlertsWrite, session: Session
) -> Response:
    """What a rule would have fired with changes that are not made yet."""
    present = await rules.get(session, actor, key)
    shown = await _edit_form(session, actor, present)
    return await _previewed(request, session, actor, sent, _EDIT, shown, present)


@router.get(f"{HOME}/{{key}}")
async def show_rule(request: Request, key: UUID, actor: AlertsRead, session: Session) -> Response:
    """One rule."""
    return await show_rule_page(request, session, actor, key)


@router.post(f"{HOME}/{{key}}")
async def change_rule(
    request: Request, key: UUID, sent: FormLists, actor: AlertsWrite, session: Session
) -> Response:
    """Change a rule."""

    async def apply() -> AlertRuleRead:
        present = await rules.get(session, actor, key)
        wanted = wanted_of(_EDIT.read(sent), present)
        return await rules.change(session, actor, key, wanted, version_in(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await show_rule_page(
            request, session, actor, key, Refusal("change", at_fields(error), sent, "settings")
        )

    return await submit(request, session, apply(), lambda _: f"{HOME}/{key}", again)


@router.post(f"{HOME}/{{key}}/enable")
async def enable_rule(key: UUID, request: Request, actor: AlertsWrite, session: Session) -> Response:
    """Enable a rule."""
    await rules.enable(session, actor, key, is_enabled=True)
    return done(request, f"{HOME}/{key}")


@router.post(f"{HOME}/{{key}}/disable")
async def disable_rule(key: UUID, request: Request, actor: AlertsWrite, session: Session) -> Response:
    """Disable a rule."""
    await rules.enable(session, actor, key, is_enabled=False)
    return done(request, f"{HOME}/{key}")


@router.post(f"{HOME}/{{key}}/delete")
async def delete_rule(
    request: Request, key: UUID, sent: FormLists, actor: AlertsWrite, session: Session
) -> Response:
    """Delete a rule."""

    async def apply() -> None:
        await reason_given(request)
        await rules.delete(session, actor, key)

    async def again(error: FleetkeeperError) -> Response:
        return await show_rule_page(request, session, actor, key, Refusal("delete", error, sent, "settings"))

    return await submit(request, session, apply(), lambda _: HOME, again)


async def _list(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    error: FleetkeeperError | None = None,
    sent: Any = None,
) -> Response:
    form: EntryForm | None = None
    if actor.may(Permission.ALERTS_WRITE):
        form = await _new_form(session, actor)
        form = form if error is None else refused(form, at_fields(error), sent or {})

    async def fetch(parameters: list[tuple[str, str]]) -> Any:
        return await with_health(session, await rules.list(session, actor, parameters))

    bulk = BULK if actor.may(Permission.ALERTS_WRITE) else ()
    status = 200 if error is None else error.status
    return await show_list(
        request, session, actor, replace(PAGE, bulk=bulk), fetch, before=[form], status=status
    )


async def show_rule_page(
    request: Request, session: AsyncSession, actor: Actor, key: UUID, refusal: Refusal | None = None
) -> Response:
    """The page of one rule."""
    rule = await rules.get(session, actor, key)
    may_write = actor.may_in(Permission.ALERTS_WRITE, rule.department_id)
    base = f"{HOME}/{key}"
    last = (await evaluations_of(session, [key])).get(key)

    async def overview() -> Panels:
        return [_facts(rule, last), await _fires(session, actor, key)]

    async def past() -> Panels:
        return [await _past(request, session, actor, rule)]

    async def overrides() -> Panels:
        form = await override_form(session, rule) if may_write and rule.condition.kind != "promql" else None
        return [await overrides_table(session, actor, rule, may_write=may_write), form]

    async def versions() -> Panels:
        found = await list_versions(session, actor, key)
        return [versions_table(rule, found, base, may_write=may_write)]

    async def settings() -> Panels:
        shown = await _edit_form(session, actor, rule)
        text = "Its firing alerts are resolved. Past alerts stay in the log."
        delete = EntryForm(
            "delete", "Delete rule", f"{base}/delete", "Delete rule", (REASON,), text=text, is_danger=True
        )
        return [shown, delete]

    return await show_detail(
        request,
        actor,
        HOME,
        rule.name,
        [
            Tab("overview", "Overview", overview),
            Tab("past", "Preview", past),
            Tab("overrides", "Overrides", overrides),
            Tab("versions", "Versions", versions),
            history_tab(session, actor, "alert_rules", key),
            Tab("settings", "Settings", settings) if may_write else None,
        ],
        crumbs=(("/alerts", "Alerts"), (HOME, "Alert rules")),
        tags=(*_severity(rule).tags, *state_tags(rule, last.error if last else "")),
        links=[(tab_of(base, "past"), "Preview")],
        actions=[await _switch(session, rule)] if may_write else (),
        notes=[*file_notes(rule), *health_notes(rule, last)],
        refusal=refusal,
    )


async def _new_form(session: AsyncSession, actor: Actor) -> EntryForm:
    return with_preview(_NEW.shown(HOME, options=await _options(session, actor)), f"{HOME}/preview")


async def _edit_form(session: AsyncSession, actor: Actor, rule: AlertRuleRead) -> EntryForm:
    base, options = f"{HOME}/{rule.id}", await _options(session, actor)
    shown = _EDIT.shown(base, entered(rule), options=options, version=rule.version, is_open=True)
    return with_preview(shown, f"{base}/preview")


async def _previewed(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    sent: Mapping[str, list[str]],
    form: Form[RuleEntry],
    shown: EntryForm,
    present: AlertRuleRead | None,
) -> Response:
    """The form as it was sent, with what it would have fired or what is wrong with it."""
    crumbs = (("/alerts", "Alerts"), (HOME, "Alert rules"))
    title = present.name if present else _NEW.title
    try:
        wanted = wanted_of(form.read(sent), present)
        result = await look_back(
            request, session, actor, wanted, days_in(sent), present.id if present else None
        )
    except InvalidInputError as error:
        again = refused(shown, at_fields(error), sent)
        return show_page(actor, HOME, title, [again], crumbs=crumbs, status=error.status)
    return show_page(actor, HOME, title, [filled(shown, sent, result)], crumbs=crumbs)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    return {**await departments(Permission.ALERTS_WRITE)(session, actor), "kind": KINDS}


async def _switch(session: AsyncSession, rule: AlertRuleRead) -> RowAction:
    """The button that enables or disables a rule."""
    base = f"{HOME}/{rule.id}"
    if not rule.enabled:
        return RowAction(
            "Enable", f"{base}/enable", f"Enable {rule.name}? It may fire at once.", is_danger=False
        )
    fires = (await count_open_of(session, [rule.id])).get(rule.id, 0)
    question = f"Disable {rule.name}? {consequence_of_disabling(fires)}"
    return RowAction("Disable", f"{base}/disable", question, is_danger=False)


def _facts(rule: AlertRuleRead, last: AlertEvaluation | None) -> Facts:
    pairs: list[tuple[str, Cell]] = [
        ("Description", Cell(rule.description)),
        ("Condition", condition_words(rule)),
        ("Pending period", Cell(duration_words(rule.for_seconds))),
        ("Evaluation interval", Cell(duration_words(rule.interval_seconds))),
        ("Summary", Cell(rule.annotations.get("summary", ""), kind="code")),
        ("Runbook", Cell(rule.runbook_url, rule.runbook_url)),
        ("Labels", Cell(", ".join(f'{name}="{text}"' for name, text in rule.labels.items()), kind="code")),
        *file_facts(rule),
        ("Last evaluated", _moment(last.evaluated_at if last else None)),
    ]
    if last is not None:
        pairs.append(("Series", Cell(f"{last.series:,}")))
        if last.duration_seconds is not None:
            pairs.append(("Duration", Cell(f"{last.duration_seconds * 1000:.0f} ms")))
    shown = [(title, cell) for title, cell in pairs if cell.text or cell.at]
    return Facts("rule", "Rule", tuple(shown))


async def _fires(session: AsyncSession, actor: Actor, key: UUID) -> Panel:
    asked = [("rule_id", str(key)), ("resolved_at__isnull", "true"), ("limit", "20")]
    found = await alerts.list_alerts(session, actor, asked)
    listed = replace(alert_list(actor), empty=Empty("No open alerts", "This rule has no open alerts."))
    return related_panel(listed, found, all_href=f"/alerts?rule_id={key}&status=all")


async def _past(request: Request, session: AsyncSession, actor: Actor, rule: AlertRuleRead) -> Panel:
    try:
        return await look_back(request, session, actor, wanted_of(entered(rule), rule), _SEEN_DAYS, rule.id)
    except InvalidInputError as error:
        why = "; ".join(one.message for one in error.fields) or error.detail
        return Facts("past", "Preview", (("Not possible", Cell(why)),))


def _moment(at: datetime | None) -> Cell:
    return Cell(at=at, kind="time") if at else Cell("Not yet")
