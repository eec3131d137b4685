"""`/work-orders`: parts that are to be fitted, done by phone at the machine."""

from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, NaiveDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Option
from fleetkeeper.console.details import Panels, Refusal
from fleetkeeper.console.device_names import device_named
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.days import zone_of
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, object_pages, show_object
from fleetkeeper.console.panels import at_entries, submit
from fleetkeeper.console.part_names import scanned, variant_named
from fleetkeeper.console.people_options import people
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.texts import Description, LongName
from fleetkeeper.orders.access import OrdersWrite
from fleetkeeper.orders.work.schemas import WorkDone, WorkRead, WorkWrite
from fleetkeeper.orders.work.service import finish, work_orders
from fleetkeeper.orders.work.status import WORK, WorkStatus
from fleetkeeper.stock.amounts import Quantity, plain

HOME = "/work-orders"
declare(
    Place(
        HOME,
        "Work orders",
        "settings",
        Permission.ORDERS_READ,
        group="Supply",
        order=35,
        words="fit install repair maintenance technician job",
    )
)


class WorkEntry(BaseModel):
    """Work as people enter it; times are on their own clock."""

    model_config = ConfigDict(extra="forbid")

    title: LongName
    device: str = Field(min_length=1, max_length=300)
    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    quantity: Quantity = Decimal(1)
    location_id: UUID
    assigned_to: UUID | None = None
    starts_at: NaiveDatetime | None = None
    ends_at: NaiveDatetime | None = None
    instructions: Description = ""


class DoneEntry(BaseModel):
    """What was fitted, as people enter it."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=300)
    serials: str = Field(default="", max_length=20_000)
    fits_anyway: bool = False
    note: str = Field(default="", max_length=400)


FORM = Form(
    WorkEntry,
    "work",
    "Work order",
    "Save",
    {
        "title": Widget("Title", "Such as Add memory"),
        "device": Widget(
            "Device", "Type a part of its name", kind="text", suggestions="/suggestions/devices"
        ),
        "part": Widget("Part", "Type a part of its code", kind="text", suggestions="/suggestions/parts"),
        "variant": Widget("Variant", "Its code; empty: the part", kind="text", is_required=False),
        "quantity": "Quantity",
        "location_id": Widget("Taken from", "Where the part lies"),
        "assigned_to": Widget("Assignee", "Who does it", kind="select", is_required=False),
        "starts_at": Widget("Window starts", "On your clock", kind="datetime-local", is_required=False),
        "ends_at": Widget("Window ends", kind="datetime-local", is_required=False),
        "instructions": "Instructions",
    },
)
DONE_FORM = Form(
    DoneEntry,
    "done",
    "Fit the part",
    "Done",
    {
        "code": Widget("Part at the machine", "Scan its label, or type its code or serial number"),
        "serials": Widget(
            "Serial numbers", "With commas, where several pieces are fitted", kind="text", is_required=False
        ),
        "fits_anyway": Widget("Fit it anyway", "Although it is not meant for this device"),
        "note": Widget("Note", kind="text", is_required=False),
    },
)
PAGE: ListPage[WorkRead] = ListPage(
    path=HOME,
    title="Work orders",
    noun=work_orders.noun,
    listing=work_orders.listing,
    search="Number, title, device or part",
    quick=(status_filter(WorkStatus, is_chips=True),),
    columns=(
        Column(
            "number",
            "Number",
            lambda one: Cell(one.number, f"{HOME}/{one.id}", detail=one.title),
            sort="number",
        ),
        Column("status", "Status", lambda one: status_cell(WORK, one.status), sort="status"),
        Column("device_name", "Device", lambda one: Cell(one.device_name, f"/devices/{one.device_id}")),
        Column(
            "part_code",
            "Part",
            lambda one: Cell(one.part_code, f"/parts/{one.part_id}", detail=one.part_name),
        ),
        Column("location_name", "Taken from", lambda one: Cell(one.location_name), css="is-minor"),
        Column(
            "starts_at",
            "Window",
            lambda one: (
                Cell(kind="time", at=one.starts_at) if one.starts_at else Cell("Any time", is_soft=True)
            ),
            sort="starts_at",
        ),
    ),
    titles={
        "id": "ID",
        "department_id": "Department ID",
        "device_id": "Device ID",
        "part_id": "Part ID",
        "location_id": "Location ID",
        "order_id": "Order ID",
        "assigned_to": "Assigned to (ID)",
    },
    empty=Empty(
        "No work orders yet", "A work order says which part is to be fitted to which device, and when."
    ),
    export="/api/v1/work-orders/export",
)


# What is entered as it is stored.
_SAME = {"title", "quantity", "location_id", "assigned_to", "instructions"}


async def _options(session: AsyncSession, actor: Actor) -> Options:
    able = await people(session, actor, Permission.ORDERS_WRITE, is_anywhere=True)
    # Anybody may do what is nobody's.
    return {
        "location_id": (await location_options(session, actor))[1:],
        "assigned_to": [Option("", "Anybody"), *(one for one in able if one.value)],
    }


async def _wanted(session: AsyncSession, actor: Actor, entry: WorkEntry) -> WorkWrite:
    found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
    device = await device_named(session, actor, entry.device)
    zone = zone_of(actor.time_zone)
    times: dict[str, Any] = {
        name: at.replace(tzinfo=zone).astimezone(UTC)
        for name, at in (("starts_at", entry.starts_at), ("ends_at", entry.ends_at))
        if at is not None
    }
    told = entry.model_dump(include=_SAME)
    variant = found.variant_id if entry.variant else None
    return WorkWrite(device_id=device.id, part_id=found.part.id, variant_id=variant, **told, **times)


async def _create(session: AsyncSession, actor: Actor, entry: WorkEntry) -> WorkRead:
    return await work_orders.create(session, actor, await _wanted(session, actor, entry))


async def _change(
    session: AsyncSession, actor: Actor, key: UUID, entry: WorkEntry, version: int | None
) -> WorkRead:
    present = await work_orders.get(session, actor, key)
    wanted = await _wanted(session, actor, entry)
    kept = wanted.model_copy(update={"order_id": present.order_id})
    return await work_orders.change(session, actor, key, kept, version)


def _entered(actor: Actor, one: WorkRead) -> WorkEntry:
    zone = zone_of(actor.time_zone)
    known = one.model_dump(include=_SAME)
    return WorkEntry.model_construct(
        **known,
        device=one.device_name,
        part=one.part_code,
        variant=one.variant_code,
        starts_at=one.starts_at.astimezone(zone).replace(tzinfo=None) if one.starts_at else None,
        ends_at=one.ends_at.astimezone(zone).replace(tzinfo=None) if one.ends_at else None,
    )


def _facts(one: WorkRead) -> list[tuple[str, Cell]]:
    facts = [
        ("Title", Cell(one.title)),
        ("Device", Cell(one.device_name, f"/devices/{one.device_id}")),
        ("Part", Cell(one.part_code, f"/parts/{one.part_id}", detail=one.part_name)),
        ("Quantity", Cell(plain(one.quantity))),
        ("Taken from", Cell(one.location_name, f"/locations/{one.location_id}")),
        ("Assignee", Cell(one.assigned_to_name or "Anybody", is_soft=not one.assigned_to_name)),
        ("Instructions", Cell(one.instructions)),
    ]
    window = (("Window starts", one.starts_at), ("Window ends", one.ends_at))
    facts += [(title, Cell(kind="time", at=at, style="exact")) for title, at in window if at is not None]
    if one.done_at is not None:
        facts.append(("Done", Cell(kind="time", at=one.done_at, detail=one.done_by_name)))
    return facts


async def _more(session: AsyncSession, actor: Actor, one: WorkRead, may_write: bool) -> Panels:
    del session, actor
    is_open = may_write and one.status == WorkStatus.PLANNED
    return [DONE_FORM.shown(f"{HOME}/{one.id}/done", is_open=True) if is_open else None]


OBJECTS: Objects[WorkRead, WorkEntry] = Objects(
    page=PAGE,
    table="work_orders",
    read=work_orders.read,
    write=work_orders.write,
    service=Service(
        work_orders.list, work_orders.get, _create, _change, work_orders.delete, work_orders.move
    ),
    form=FORM,
    name=lambda one: one.number,
    facts=_facts,
    options=_options,
    entered=_entered,
    machine=WORK,
    consequences={
        WorkStatus.CANCELLED: "Nothing is fitted. This cannot be undone.",
    },
    # It is done by fitting the part.
    acts={WorkStatus.DONE: "", WorkStatus.CANCELLED: "Cancel the work"},
    more=_more,
)
router = APIRouter()


@router.post(f"{HOME}/{{key}}/done")
async def fit_part(
    request: Request, key: UUID, sent: FormLists, actor: OrdersWrite, session: Session
) -> Response:
    """Fit the part."""

    async def apply() -> WorkRead:
        entry = DONE_FORM.read(sent)
        serials = [one.strip() for one in entry.serials.replace("\n", ",").split(",") if one.strip()]
        wanted = WorkDone(code=entry.code, serials=serials, fits_anyway=entry.fits_anyway, note=entry.note)
        return await finish(session, actor, key, wanted)

    async def again(error: FleetkeeperError) -> Response:
        told = at_entries(error, {"device_id": "fits_anyway", "quantity": "code", "location_id": "code"})
        return await show_object(request, session, actor, OBJECTS, key, Refusal(DONE_FORM.id, told, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{key}", again)


router.include_router(object_pages(OBJECTS))
