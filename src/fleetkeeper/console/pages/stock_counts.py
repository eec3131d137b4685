"""`/stock-counts`: what lies at a location is counted, part by part."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Row, Table, Tag
from fleetkeeper.console.details import Panels, Refusal
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.lists.declaring import Column, ListPage, status_filter
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, object_pages, show_object
from fleetkeeper.console.panels import at_entries, submit
from fleetkeeper.console.part_names import scanned, variant_named
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.stock.access import StockWrite
from fleetkeeper.stock.amounts import QuantityOrNone, quantity_text
from fleetkeeper.stock.counting.schemas import Counted, CountRead, CountWrite, LineRead
from fleetkeeper.stock.counting.service import count_part, counts, list_lines
from fleetkeeper.stock.counting.status import COUNTS, CountStatus

HOME = "/stock-counts"
declare(
    Place(
        HOME,
        "Stock counts",
        "list-numbers",
        Permission.STOCK_READ,
        group="Supply",
        parent="/inventory",
        order=23,
        words="stocktake stocktaking inventory count variance",
    )
)


class LineEntry(BaseModel):
    """How many of a part were counted, as people enter it."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    counted: QuantityOrNone


FORM = Form(
    LineEntry,
    "line",
    "Count a part",
    "Save",
    {
        "part": Widget("Part", "Scan or type its code", kind="text", suggestions="/suggestions/parts"),
        "counted": Widget("Counted", "How many there are"),
        "variant": Widget("Variant", "Its code; empty: the part", kind="text", is_required=False),
    },
)
PAGE: ListPage[CountRead] = ListPage(
    path=HOME,
    title="Stock counts",
    noun=counts.noun,
    listing=counts.listing,
    search="Name",
    quick=(status_filter(CountStatus, is_chips=True),),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("status", "Status", lambda one: status_cell(COUNTS, one.status), sort="status"),
        Column("created_at", "Begun", lambda one: Cell(kind="time", at=one.created_at), sort="created_at"),
        Column(
            "closed_at",
            "Closed",
            lambda one: Cell(kind="time", at=one.closed_at) if one.closed_at else Cell(""),
        ),
    ),
    titles={"id": "ID", "department_id": "Department ID", "location_id": "Location ID"},
    empty=Empty(
        "No stock counts yet",
        "Begin one for a location, count its parts by phone, then book the differences.",
    ),
    export="/api/v1/stock-counts/export",
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    return {"location_id": (await location_options(session, actor))[1:]}


def _facts(one: CountRead) -> list[tuple[str, Cell]]:
    return [
        ("Location", Cell("See the location", f"/locations/{one.location_id}")),
        ("Begun", Cell(kind="time", at=one.created_at)),
        ("Closed", Cell(kind="time", at=one.closed_at) if one.closed_at else Cell("")),
    ]


async def _lines(session: AsyncSession, actor: Actor, one: CountRead, may_write: bool) -> Panels:
    found = await list_lines(session, actor, one.id, [("limit", "200")])
    rows = tuple(Row(_cells(line)) for line in found.results)
    is_open = may_write and one.status == CountStatus.OPEN
    return [
        FORM.shown(f"{HOME}/{one.id}/lines", is_open=True) if is_open else None,
        Table(
            "lines",
            "Counted",
            ("Part", "Counted", "Expected", "Difference", "By"),
            rows,
            count=found.count,
            empty="Nothing has been counted yet. Scan or type the code of the first part.",
            is_stacked=True,
        ),
    ]


def _cells(line: LineRead) -> tuple[Cell, ...]:
    unit = line.unit_of_measure
    sign = "+" if line.variance > 0 else ""
    tags = (Tag(f"{sign}{quantity_text(line.variance, unit)}", "warning"),) if line.variance else ()
    variant = f" · {line.variant_code}" if line.variant_code else ""
    return (
        Cell(f"{line.part_code}{variant}", f"/parts/{line.part_id}", detail=line.part_name),
        Cell(quantity_text(line.counted, unit)),
        Cell(quantity_text(line.expected, unit)),
        Cell("" if line.variance else "None", tags=tags),
        Cell(line.counted_by_name),
    )


OBJECTS = Objects(
    page=PAGE,
    table="stock_counts",
    read=counts.read,
    write=counts.write,
    service=Service(counts.list, counts.get, counts.create, counts.change, counts.delete, counts.move),
    form=Form(
        CountWrite,
        "count",
        "Stock count",
        "Save",
        {"name": Widget("Name", "Such as November"), "location_id": "Location"},
    ),
    name=lambda one: one.name,
    facts=_facts,
    options=_options,
    machine=COUNTS,
    consequences={
        CountStatus.BOOKED: "Each difference becomes a movement of stock. This cannot be undone.",
        CountStatus.CANCELLED: "Nothing is booked. This cannot be undone.",
    },
    more=_lines,
    deletion="What was counted is deleted with it; what was booked stays. This cannot be undone.",
)
router = APIRouter()


@router.post(f"{HOME}/{{key}}/lines")
async def count_one(
    request: Request, key: UUID, sent: FormLists, actor: StockWrite, session: Session
) -> Response:
    """Say how many of a part there are."""

    async def apply() -> LineRead:
        entry = FORM.read(sent)
        found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
        wanted = Counted(part_id=found.part.id, variant_id=found.variant_id, counted=entry.counted)
        return await count_part(session, actor, key, wanted)

    async def again(error: FleetkeeperError) -> Response:
        told = at_entries(error, {"part_id": "part", "variant_id": "variant"})
        return await show_object(request, session, actor, OBJECTS, key, Refusal(FORM.id, told, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{key}", again)


router.include_router(object_pages(OBJECTS))
