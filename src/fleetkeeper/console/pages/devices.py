"""`/devices` and `/devices/{id}`."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.annotations.fields.service import fields_for
from fleetkeeper.annotations.tags.service import all_tags
from fleetkeeper.console.approval_notes import waiting_notes
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.details import Refusal, show_detail
from fleetkeeper.console.device_bulk import DELETE_WORDS, DeviceBulkForm, as_entered
from fleetkeeper.console.device_form import CLONE_FORM, FORM, NEW_FORM, new_form
from fleetkeeper.console.device_list import HOME, device_list
from fleetkeeper.console.device_page import device_head
from fleetkeeper.console.device_tabs import Shown, device_tabs
from fleetkeeper.console.forms.form import version_in
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.bulk import BulkAct, BulkEdit, bulk_act_page, bulk_page
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, done, refused, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.console.silence_notes import silence_notes
from fleetkeeper.console.tag_panels import shown_tags
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.devices import deleting
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import DevicesCreate, DevicesDelete, DevicesRead, DevicesWrite
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.bulk import change_devices
from fleetkeeper.devices.creating import clone_device, create_device
from fleetkeeper.devices.presence import shown_status
from fleetkeeper.devices.schemas import DeviceRead
from fleetkeeper.errors import FleetkeeperError, InvalidInputError, NotFoundError
from fleetkeeper.identity.access import ReasonGiven, reason_given
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.bulk import BulkResult, Selection
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.access import TelemetryRead

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


@router.get(HOME)
async def list_devices(
    request: Request, actor: DevicesRead, session: Session, settings: AppSettings
) -> Response:
    """Devices with search, filters, ordering and paging, and the form for a new one."""
    return await _devices_page(request, session, actor, settings)


@router.post(HOME)
async def add_device(
    request: Request, sent: FormLists, actor: DevicesCreate, session: Session, settings: AppSettings
) -> Response:
    """Enter a device."""

    async def make() -> DeviceRead:
        return await create_device(session, actor, NEW_FORM.read(sent), utc_now())

    async def again(error: FleetkeeperError) -> Response:
        return await _devices_page(request, session, actor, settings, Refusal(NEW_FORM.id, error, sent))

    return await submit(request, session, make(), lambda made: f"{HOME}/{made.id}", again)


@router.post("/devices/{device_id}/clone")
async def clone(
    request: Request,
    device_id: UUID,
    sent: FormLists,
    actor: DevicesCreate,
    session: Session,
    settings: AppSettings,
) -> Response:
    """Enter a device like another one."""

    async def make() -> DeviceRead:
        return await clone_device(session, actor, device_id, CLONE_FORM.read(sent), utc_now())

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(CLONE_FORM.id, error, sent, "settings")
        return await device_page(request, session, actor, settings, device_id, refusal)

    return await submit(request, session, make(), lambda made: f"{HOME}/{made.id}", again)


async def _devices_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    refusal: Refusal | None = None,
) -> Response:
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
        may_enroll=actor.may(Permission.ENROLLMENT_WRITE),
    )
    fetch = partial(devices.list_devices, session, actor, stale_before=stale_before)
    form = await new_form(session, actor)
    if refusal is not None and form is not None:
        form = refused(form, refusal.error, refusal.sent)
    status = 200 if refusal is None else refusal.error.status
    return await show_list(request, session, actor, page, fetch, before=[form], status=status)


@router.post("/devices/bulk")
async def edit_devices(
    sent: FormLists, actor: DevicesWrite, session: Session, settings: AppSettings
) -> Response:
    """Change many devices: the form, its preview, and what became of each."""
    stale_before = utc_now() - await devices.silence_allowed(session, settings)
    shown = DeviceBulkForm(
        await all_departments(session, actor, Permission.DEVICES_WRITE),
        await all_tags(session),
        await fields_for(session, actor, TABLE),
        with_nobodys=actor.may_everywhere(Permission.DEVICES_WRITE),
    )

    async def apply(selection: Selection, entered: BaseModel, dry_run: bool) -> BulkResult:
        changes = shown.changes(entered)
        try:
            return await change_devices(
                session, actor, selection, changes, dry_run=dry_run, stale_before=stale_before
            )
        except InvalidInputError as error:
            raise as_entered(error) from None

    edit = BulkEdit(HOME, "Edit devices", ("device", "devices"), shown.form, shown.options, apply)
    return await bulk_page(actor, edit, sent)


@router.post("/devices/bulk-delete")
async def delete_devices(
    request: Request, sent: FormLists, actor: DevicesDelete, session: Session, settings: AppSettings
) -> Response:
    """Delete many devices: the preview, and what became of each."""
    stale_before = utc_now() - await devices.silence_allowed(session, settings)

    async def apply(selection: Selection, expected: int | None) -> BulkResult:
        reason = "" if expected is None else await reason_given(request)
        return await deleting.ask_for_deletions(
            session,
            actor,
            selection,
            reason,
            dry_run=expected is None,
            stale_before=stale_before,
            expected=expected,
        )

    act = BulkAct(HOME, "Delete devices", ("device", "devices"), apply, DELETE_WORDS, "bulk-delete")
    return await bulk_act_page(actor, act, sent)


@router.get("/devices/{device_id}")
async def show_device(
    request: Request,
    device_id: UUID,
    actor: TelemetryRead,
    session: Session,
    settings: AppSettings,
) -> Response:
    """One device: the tab of its page that the address names. That of a merged device leads to the one that stayed."""
    try:
        return await device_page(request, session, actor, settings, device_id)
    except NotFoundError:
        kept = await devices.merged_into(session, actor, device_id)
        if kept is None:
            raise
        return RedirectResponse(f"{HOME}/{kept.id}", 303)


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
        refusal = Refusal(FORM.id, outcome, sent, "settings")
        return await device_page(request, session, actor, settings, device_id, refusal)
    return done(request, f"/devices/{device_id}")


@router.post("/devices/{device_id}/delete")
async def delete_device(
    request: Request, device_id: UUID, actor: DevicesDelete, reason: ReasonGiven, session: Session
) -> Response:
    """Delete a device with its keys and its telemetry, perhaps once that is approved."""
    held = await deleting.ask_for_deletion(session, actor, device_id, reason)
    return done(request, HOME if held is None else f"/approvals/{held.id}")


async def device_page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    settings: Settings,
    device_id: UUID,
    refusal: Refusal | None = None,
) -> Response:
    """The page of a device, with what was wrong with a form of its that was sent."""
    device = await devices.get_device(session, actor, device_id)
    stale_before = utc_now() - await devices.silence_allowed(session, settings)
    paths = {one.id: one.path for one in await all_departments(session, actor)}
    head = device_head(
        device,
        shown_status(device.status, device.last_seen, stale_before, device.report_interval_seconds),
        "" if device.department_id is None else paths.get(device.department_id, ""),
        shown_tags(await all_tags(session), device.tags) if device.tags else (),
        may_explore=actor.may(Permission.TELEMETRY_READ),
    )
    return await show_detail(
        request,
        actor,
        HOME,
        device.name,
        device_tabs(Shown(session, actor, settings, device, request.query_params)),
        crumbs=((HOME, "Devices"),),
        notes=(
            *await silence_notes(session, actor, device),
            *await waiting_notes(session, actor, TABLE, device_id),
        ),
        head=Fragment("devices/_head.html", head),
        refusal=refusal,
    )
