"""`/devices` and `/devices/{id}`."""

from datetime import timedelta
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.annotations.tags.service import all_tags, set_tags
from fleetkeeper.console.contexts.devices import SessionRow
from fleetkeeper.console.device_form import (
    BULK_FORM,
    DELETE_WORDS,
    FORM,
    bulk_options,
    delete_form,
    device_form,
)
from fleetkeeper.console.device_list import HOME, device_list
from fleetkeeper.console.device_page import SHOWN_CHANGES, device_page
from fleetkeeper.console.field_panels import field_panels, fields_of, values_address
from fleetkeeper.console.file_panels import file_panels
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.bulk import BulkDelete, BulkEdit, bulk_delete_page, bulk_page
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.note_panels import notes_of
from fleetkeeper.console.panels import Sent, attempt, done, refused
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.tag_panels import FORM as TAGS_FORM
from fleetkeeper.console.tag_panels import shown_tags, tags_form
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices import deleting
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import DevicesDelete, DevicesRead, DevicesWrite
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.bulk import change_devices
from fleetkeeper.devices.presence import shown_status
from fleetkeeper.devices.schemas import DeviceBulkChanges
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.fleet import service as fleet
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.bulk import BulkResult, Selection
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.states.service import newest_states

router = APIRouter()
declare(
    Place(
        "/devices",
        "Devices",
        "devices",
        Permission.DEVICES_READ,
        order=20,
        key="d",
        words="hosts machines inventory",
    )
)

SESSION_LIMIT = 50
STATES_SHOWN = timedelta(days=30)


@router.get(HOME)
async def list_devices(
    request: Request, actor: DevicesRead, session: Session, settings: AppSettings
) -> Response:
    """Devices with search, filters, ordering and paging."""
    stale_before = utc_now() - await devices.silence_allowed(session, settings)
    places = await all_departments(session, actor)
    page = device_list(
        stale_before,
        places,
        await all_tags(session),
        await fields_for(session, actor, TABLE),
        with_nobodys=actor.may_everywhere(Permission.DEVICES_READ),
        may_edit=actor.may(Permission.DEVICES_WRITE),
        may_delete=actor.may(Permission.DEVICES_DELETE),
    )
    fetch = partial(devices.list_devices, session, actor, stale_before=stale_before)
    return await show_list(request, actor, page, fetch)


@router.post("/devices/bulk")
async def edit_devices(
    sent: FormLists, actor: DevicesWrite, session: Session, settings: AppSettings
) -> Response:
    """Change many devices: the form, its preview, and what became of each."""
    stale_before = utc_now() - await devices.silence_allowed(session, settings)
    places = await all_departments(session, actor, Permission.DEVICES_WRITE)

    async def apply(selection: Selection, changes: DeviceBulkChanges, dry_run: bool) -> BulkResult:
        return await change_devices(
            session, actor, selection, changes, dry_run=dry_run, stale_before=stale_before
        )

    edit = BulkEdit(
        HOME,
        "Edit devices",
        ("device", "devices"),
        BULK_FORM,
        bulk_options(places, await all_tags(session)),
        apply,
    )
    return await bulk_page(actor, edit, sent)


@router.post("/devices/bulk-delete")
async def delete_devices(
    request: Request, sent: FormLists, actor: DevicesDelete, session: Session, settings: AppSettings
) -> Response:
    """Delete many devices: the preview, and what became of each."""
    stale_before = utc_now() - await devices.silence_allowed(session, settings)
    reason = getattr(request.state, "change_reason", "")

    async def apply(selection: Selection, expected: int | None) -> BulkResult:
        return await deleting.ask_for_deletions(
            session,
            actor,
            selection,
            reason,
            dry_run=expected is None,
            stale_before=stale_before,
            expected=expected,
        )

    return await bulk_delete_page(
        actor, BulkDelete(HOME, "Delete devices", ("device", "devices"), apply, DELETE_WORDS), sent
    )


@router.get("/devices/{device_id}")
async def show_device(
    device_id: UUID,
    actor: TelemetryRead,
    session: Session,
    settings: AppSettings,
) -> Response:
    """One device: what is known of it, and the frame that scripts fill with charts."""
    return await _device_page(session, actor, settings, device_id)


@router.post("/devices/{device_id}")
async def change_device(
    request: Request,
    device_id: UUID,
    sent: FormLists,
    actor: DevicesWrite,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Change a device."""

    async def change() -> object:
        return await devices.update_device(
            session, actor, device_id, FORM.read(sent), expected_version=version_in(sent)
        )

    outcome = await attempt(session, change())
    if isinstance(outcome, FleetkeeperError):
        return await _device_page(session, actor, settings, device_id, outcome, sent)
    return done(request, f"/devices/{device_id}")


@router.post("/devices/{device_id}/tags")
async def change_tags(
    request: Request, device_id: UUID, sent: FormLists, actor: DevicesWrite, session: Session
) -> Response:
    """Say which tags a device has."""
    await set_tags(session, actor, TABLE, device_id, TAGS_FORM.read(sent).tags)
    return done(request, f"/devices/{device_id}")


@router.post("/devices/{device_id}/delete")
async def delete_device(
    request: Request, device_id: UUID, actor: DevicesDelete, reason: ReasonGiven, session: Session
) -> Response:
    """Delete a device with its keys and its telemetry, perhaps once that is approved."""
    held = await deleting.ask_for_deletion(session, actor, device_id, reason)
    return done(request, HOME if held is None else f"/approvals/{held.id}")


async def _device_page(
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    device_id: UUID,
    error: FleetkeeperError | None = None,
    values: Sent | None = None,
) -> Response:
    device = await devices.get_device(session, actor, device_id)
    agent = await fleet.get_agent(session, actor, device_id)
    logins = await telemetry.sessions(session, actor, device_id, SESSION_LIMIT)
    now = utc_now()
    states = await newest_states(session, actor, device_id, now - STATES_SHOWN, now, SHOWN_CHANGES)
    stale_before = now - await devices.silence_allowed(session, settings)
    form = device_form(actor, device, await all_departments(session, actor, Permission.DEVICES_WRITE))
    if form is not None and error is not None:
        form = refused(form, error, values or {})
    paths = {one.id: one.path for one in await all_departments(session, actor)}
    tags = await all_tags(session)
    fields = await fields_of(session, actor, TABLE, device_id)
    page = device_page(
        shell_for(actor, "/devices"),
        device,
        shown_status(device.status, device.last_seen, stale_before, device.report_interval_seconds),
        agent.collectors if agent else (),
        [
            SessionRow(one.username, one.terminal, one.host, one.login_time, one.logout_time)
            for one in logins.results
        ],
        states,
        department="" if device.department_id is None else paths.get(device.department_id, ""),
        edit_form=form,
        fields=[]
        if fields is None
        else field_panels(
            actor, fields, values_address(TABLE, device_id), device.department_id, may_write=form is not None
        ),
        files=await file_panels(
            session, actor, settings.attachments, TABLE, device_id, may_write=form is not None
        ),
        notes=await notes_of(session, actor, f"{TABLE}:{device_id}", may_write=form is not None),
        tags=shown_tags(tags, device.tags),
        tags_form=None if form is None else tags_form(tags, device.tags, f"/devices/{device_id}"),
        delete_form=delete_form(actor, device),
        with_history=actor.may(Permission.AUDIT_READ),
    )
    return render("devices/detail.html", page, status=200 if error is None else error.status)
