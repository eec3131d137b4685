"""`/alerts/silences`: when alerts are not told."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.access import AlertsRespond
from fleetkeeper.alerts.log.schemas import AlertPage
from fleetkeeper.alerts.log.service import silenced_by
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead, SilenceState, state_of
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.console.alert_list import alert_list
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.details import Panels
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Service, object_pages
from fleetkeeper.console.panels import act_form, done, show_page
from fleetkeeper.console.silence_form import (
    FORM,
    SilenceEntry,
    entered,
    new_entry,
    options,
    problems_of,
    wanted_of,
)
from fleetkeeper.console.silence_list import HOME, PAGE, ShownSilence, facts, get_silence, list_silences
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.schemas import time_zones
from fleetkeeper.kit.clock import utc_now

declare(
    Place(
        HOME,
        "Silences",
        "moon",
        Permission.ALERTS_READ,
        order=13,
        parent="/alerts",
        words="maintenance mute quiet",
    )
)
router = APIRouter()


async def _create(session: AsyncSession, actor: Actor, entry: SilenceEntry) -> ShownSilence:
    made = await silences.create(session, actor, await wanted_of(session, actor, entry))
    return await get_silence(session, actor, made.id)


async def _change(
    session: AsyncSession, actor: Actor, key: UUID, entry: SilenceEntry, version: int | None
) -> ShownSilence:
    await silences.change(session, actor, key, await wanted_of(session, actor, entry), version)
    return await get_silence(session, actor, key)


async def _more(session: AsyncSession, actor: Actor, one: AlertSilenceRead, may_end: bool) -> Panels:
    """A button that ends it, and what it has quieted."""
    is_over = state_of(one, utc_now()) is SilenceState.EXPIRED
    end = act_form(
        "expire",
        "End silence",
        f"{HOME}/{one.id}/expire",
        "Notifications of the alerts that it silences start again now. It stays in the list as expired.",
        asks_why=False,
    )
    found = await silenced_by(session, actor, one.id)
    page = AlertPage(count=len(found), next=None, previous=None, results=found)
    empty = Empty("No alerts", "This silence has not matched an alert yet.")
    listed = replace(alert_list(actor), empty=empty)
    return [None if is_over or not may_end else end, related_panel(listed, page, "Silenced alerts")]


_OBJECTS: Objects[ShownSilence, SilenceEntry] = Objects(
    page=PAGE,
    table=silences.table,
    read=silences.read,
    write=silences.write,
    service=Service(list_silences, get_silence, _create, _change, silences.delete),
    form=FORM,
    name=lambda one: one.name,
    facts=facts,
    options=options,
    blank=new_entry,
    entered=entered,
    check=problems_of,
    deletion="Alerts that it silences are told again. To keep it in the list, let it end instead.",
    more=_more,
)


@router.get(f"{HOME}/new")
async def new_silence(
    actor: AlertsRespond,
    session: Session,
    day: Annotated[str, Query(max_length=10)] = "",
    zone: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """The form for a silence that starts on a day."""
    try:
        start = datetime.fromisoformat(day) if day else None
    except ValueError:
        start = None
    known = zone if zone in time_zones() else ""
    form = _OBJECTS.new_form.shown(
        HOME, new_entry(actor, start, known), options=await options(session, actor), is_open=True
    )
    return show_page(actor, HOME, "Create silence", [form], crumbs=((HOME, PAGE.title),))


router.include_router(object_pages(_OBJECTS))


@router.post(f"{HOME}/{{key}}/expire")
async def expire_silence(
    request: Request, key: UUID, actor: AlertsRespond, session: Session, device_id: UUID | None = None
) -> Response:
    """End a silence now, perhaps from the page of a device."""
    await silences.expire(session, actor, key)
    return done(request, f"{HOME}/{key}" if device_id is None else f"/devices/{device_id}?tab=alerts")
