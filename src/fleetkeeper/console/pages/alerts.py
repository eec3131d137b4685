"""`/alerts`: what fires, and what people do about it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRead, AlertsRespond
from fleetkeeper.alerts.engine.texts import ALERTNAME
from fleetkeeper.alerts.explaining.queries import silences_named
from fleetkeeper.alerts.explaining.service import explain_alert
from fleetkeeper.alerts.log import service
from fleetkeeper.alerts.log.schemas import AlertAct, AlertActResult, AlertDetail
from fleetkeeper.alerts.matchers import LabelMatcher
from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.silences.schemas import AlertSilenceWrite
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.alerts.status import AlertStatus
from fleetkeeper.console import alert_page as page
from fleetkeeper.console.alert_assigning import ASSIGN, assign_form
from fleetkeeper.console.alert_charts import BEFORE, alert_chart
from fleetkeeper.console.alert_list import HOME, alert_list, severity_cell, status_tags
from fleetkeeper.console.alert_reasons import reason_panels
from fleetkeeper.console.alert_rule_overrides import deciding_override
from fleetkeeper.console.contexts.alerts import FiringCount
from fleetkeeper.console.contexts.panels import Cell, Entry, EntryForm, Row, Table, Tag
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.history import history_panel
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import model_of, refused, show_page, submit
from fleetkeeper.console.people_options import people
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.service import get_device
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

router = APIRouter()
declare(
    Place(
        HOME,
        "Alerts",
        "alert-triangle",
        Permission.ALERTS_READ,
        order=11,
        key="q",
        words="problems incidents firing",
    )
)
AlertNumber = Annotated[int, Path(ge=1, le=2**63 - 1)]
_FORMS: dict[str, Form[Any]] = {
    one.id: one for one in (page.ACKNOWLEDGE, ASSIGN, page.SNOOZE, page.SILENCE, page.RESOLVE, page.COMMENT)
}


@router.get(HOME)
async def list_alerts(request: Request, actor: AlertsRead, session: Session) -> Response:
    """What fires, the newest first."""
    return await show_list(
        request, session, actor, alert_list(actor), partial(service.list_alerts, session, actor)
    )


@router.post(f"{HOME}/bulk")
async def respond_to_many(
    request: Request, sent: FormLists, actor: AlertsRespond, session: Session
) -> Response:
    """Respond to several: the form first, then what became of each."""
    del request
    selection = _selected(sent)
    options = {
        "act": page.ACTS,
        "acknowledged_minutes": page.limits(),
        "assignee_id": await people(session, actor, Permission.ALERTS_READ, is_anywhere=True),
        "minutes": page.durations(),
    }
    form = page.RESPOND.shown(f"{HOME}/bulk", options=options, is_open=True)
    chosen = [Entry(name, "", value, kind="hidden") for name, value in selection.items()]
    what = "all that match" if "matching" in selection else f"{len(selection['ids'].split(','))} selected"
    shown = EntryForm(
        form.id, f"Respond ({what})", form.action, form.submit, (*form.entries, *chosen), is_open=True
    )
    crumbs = ((HOME, "Alerts"),)
    if "act" not in sent:
        return show_page(actor, HOME, "Respond to alerts", [shown], crumbs=crumbs)
    try:
        result = await service.act(session, actor, _many(page.RESPOND.read(sent), selection))
    except FleetkeeperError as error:
        again = refused(shown, error, sent)
        return show_page(actor, HOME, "Respond to alerts", [again], crumbs=crumbs, status=error.status)
    return show_page(actor, HOME, "Respond to alerts", [_results(result)], crumbs=crumbs)


@router.get(f"{HOME}/firing")
async def show_firing(actor: AlertsRead, session: Session) -> Response:
    """The number in the header."""
    counts = await service.counts(session, actor)
    return render("alerts/_firing.html", FiringCount(counts.get(AlertStatus.FIRING, 0)))


@router.get(f"{HOME}/{{alert_id}}")
async def show_alert(
    request: Request, alert_id: AlertNumber, actor: AlertsRead, session: Session
) -> Response:
    """One alert."""
    return await _page(request, session, actor, alert_id)


@router.post(f"{HOME}/{{alert_id}}/{{act}}")
async def respond(
    request: Request,
    alert_id: AlertNumber,
    act: str,
    sent: FormLists,
    actor: AlertsRespond,
    session: Session,
) -> Response:
    """Do something about one."""

    async def apply() -> object:
        form = _FORMS.get(act)
        if form is None:
            raise InvalidInputError("There is no such act.")
        values = form.read(sent)
        if act == "silence":
            return await _silence(session, actor, alert_id, values)
        wanted: dict[str, Any] = {"act": act, "alert_ids": [alert_id], "note": values.note}
        if act == "assign":
            wanted["assignee_id"] = values.assignee_id
        if act in {"acknowledge", "snooze"} and values.minutes is not None:
            wanted["until"] = utc_now() + timedelta(minutes=values.minutes)
        result = await service.act(session, actor, model_of(AlertAct, wanted))
        problem = next((one.detail for one in result.results if one.outcome == "refused"), "")
        if problem:
            raise InvalidInputError(problem)
        return result

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, alert_id, Refusal(act, error, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{alert_id}", again)


@router.post("/devices/{device_id}/silence")
async def silence_device(
    request: Request, device_id: UUID, sent: FormLists, actor: AlertsRespond, session: Session
) -> Response:
    """Silence a device for a while."""
    device = await get_device(session, actor, device_id)
    home = f"/devices/{device_id}?tab=alerts"

    async def apply() -> object:
        values, now = page.SILENCE_DEVICE.read(sent), utc_now()
        wanted = AlertSilenceWrite(
            name=device.name[:100],
            comment=values.note,
            device_id=device_id,
            department_id=device.department_id,
            starts_at=now,
            ends_at=now + timedelta(minutes=values.minutes),
        )
        return await silences.create(session, actor, wanted)

    async def again(error: FleetkeeperError) -> Response:
        form = page.SILENCE_DEVICE.shown(
            f"/devices/{device_id}/silence", options={"minutes": page.durations()}
        )
        crumbs = (("/devices", "Devices"), (home, device.name))
        refusal = refused(form, error, sent)
        return show_page(actor, "/devices", "Silence", [refusal], crumbs=crumbs, status=error.status)

    return await submit(request, session, apply(), lambda _: home, again)


async def _silence(session: AsyncSession, actor: Actor, alert_id: int, values: page.Snooze) -> object:
    alert = await service.find(session, actor, alert_id)
    now = utc_now()
    # What came by the API may have no name, or one that no silence can have.
    of = {ALERTNAME: alert.labels[ALERTNAME]} if alert.labels.get(ALERTNAME) else alert.labels
    name = f"{alert.name} on {alert.device_name}" if alert.device_name else alert.name
    given = {
        "name": " ".join("".join(mark if mark.isprintable() else " " for mark in name).split())[:100].strip()
        or "Silence",
        "comment": values.note,
        "matchers": ", ".join(str(LabelMatcher(label, "=", text)) for label, text in of.items()),
        "device_id": alert.system_id,
        "department_id": alert.department_id,
        "starts_at": now,
        "ends_at": now + timedelta(minutes=values.minutes),
    }
    wanted = model_of(AlertSilenceWrite, given)
    return await silences.create(session, actor, wanted)


async def _page(
    request: Request, session: AsyncSession, actor: Actor, alert_id: int, refusal: Refusal | None = None
) -> Response:
    alert = await service.get_alert(session, actor, alert_id)
    may_respond = actor.may_in(Permission.ALERTS_RESPOND, alert.department_id)

    async def overview() -> Panels:
        acts = page.act_forms(alert) if may_respond else []
        assign = await assign_form(session, actor, alert) if may_respond else None
        return [
            *acts[:1],
            await _facts(session, actor, alert),
            await alert_chart(session, actor, alert, utc_now()),
            page.story(alert.events, await _assignees(session, alert)),
            assign,
            *acts[1:],
            page.labels_of(alert),
        ]

    async def before() -> Panels:
        start = alert.triggered_at - BEFORE
        filters = {
            "device_id": str(alert.system_id),
            "timestamp__gte": start.isoformat(),
            "timestamp__lte": alert.triggered_at.isoformat(),
        }
        return [await history_panel(session, actor, filters)]

    async def reasons() -> Panels:
        return [*reason_panels(await explain_alert(session, actor, alert_id))]

    has_history = alert.system_id is not None and actor.may(Permission.AUDIT_READ)
    return await show_detail(
        request,
        actor,
        HOME,
        alert.name,
        [
            Tab("overview", "Overview", overview),
            Tab("why", "Why notified", reasons),
            Tab("before", "Changes in the hour before", before) if has_history else None,
        ],
        crumbs=((HOME, "Alerts"),),
        tags=(*severity_cell(alert).tags, *status_tags(alert)),
        links=page.chart_links(alert),
        refusal=refusal,
    )


async def _facts(session: AsyncSession, actor: Actor, alert: AlertDetail) -> Any:
    statement = select(AlertRule.name, AlertRule.kind).where(AlertRule.id == alert.rule_id)
    rule, kind = (await session.execute(statement)).one_or_none() or ("", "")
    departments = {one.id: one.path for one in await all_departments(session, actor, Permission.ALERTS_READ)}
    people: list[UUID] = [alert.assignee_id] if alert.assignee_id else []
    names = await service.names_of(session, people)
    department = departments.get(alert.department_id, "") if alert.department_id else ""
    override = await deciding_override(session, actor, alert.system_id, alert.rule_id)
    shown = page.facts(alert, rule, kind, department, ", ".join(names.values()), override)
    quiet = await _suppressed_by(session, actor, alert)
    return replace(shown, facts=(*shown.facts, *(("Suppressed by", one) for one in quiet)))


async def _assignees(session: AsyncSession, alert: AlertDetail) -> Mapping[UUID, str]:
    """The names of the people to whom it was ever assigned."""
    keys = {str(one.details["assignee"]) for one in alert.events if one.details.get("assignee")}
    return await service.names_of(session, [UUID(one) for one in sorted(keys)]) if keys else {}


async def _suppressed_by(session: AsyncSession, actor: Actor, alert: AlertDetail) -> list[Cell]:
    """The silences and the alert that quiet it; those that the reader may not see have no name."""
    quiet = alert.suppressed_by or {}
    silenced = quiet.get("silences", ())
    names = await silences_named(session, actor, silenced) if silenced else {}
    found = [
        Cell(names[key], f"{HOME}/silences/{key}") if key in names else Cell("A silence that you may not see")
        for key in silenced
    ]
    if quiet.get("alert"):
        found.append(Cell(f"Alert {quiet['alert']}: its device is down", f"{HOME}/{quiet['alert']}"))
    return found


def _selected(sent: Mapping[str, list[str]]) -> dict[str, str]:
    """What was ticked, or all that match the list's filters. Raises InvalidInputError."""
    if matching := next(iter(sent.get("matching", ())), ""):
        return {"matching": matching}
    ids = [
        text
        for value in sent.get("ids", ())
        for text in value.split(",")
        if text.isascii() and text.isdigit()
    ]
    if not ids:
        raise InvalidInputError(
            "Nothing is selected.", fields=[FieldError("ids", "Select at least one alert")]
        )
    return {"ids": ",".join(ids)}


def _many(wanted: page.Response, selection: dict[str, str]) -> AlertAct:
    values: dict[str, Any] = {"act": wanted.act, "note": wanted.note, "matching": selection.get("matching")}
    if "ids" in selection:
        values["alert_ids"] = selection["ids"].split(",")
    if wanted.act == "assign":
        values["assignee_id"] = wanted.assignee_id
    if wanted.act == "snooze":
        values["until"] = utc_now() + timedelta(minutes=wanted.minutes or 60)
    if wanted.act == "acknowledge" and wanted.acknowledged_minutes is not None:
        values["until"] = utc_now() + timedelta(minutes=wanted.acknowledged_minutes)
    return model_of(AlertAct, values)


def _results(result: AlertActResult) -> Table:
    tones = {"changed": "good", "unchanged": "", "refused": "bad"}
    words = {"changed": "Done", "unchanged": "No change needed", "refused": "Not done"}
    items = sorted(result.results, key=lambda one: one.outcome != "refused")[:200]
    rows = tuple(
        Row(
            (
                Cell(f"Alert {one.alert_id}", f"{HOME}/{one.alert_id}"),
                Cell(tags=(Tag(words[one.outcome], tones[one.outcome]),)),
                Cell(one.detail, is_soft=True),
            )
        )
        for one in items
    )
    return Table("results", "Results", ("Alert", "Result", "Details"), rows, count=len(result.results))
