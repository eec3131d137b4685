"""`/orders`: drafted, approved, ordered, received."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell, Option, Row, RowAction, Table
from fleetkeeper.console.details import Panels, Refusal
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, departments, object_pages, show_object
from fleetkeeper.console.order_list import HOME, PAGE, TYPES
from fleetkeeper.console.panels import at_entries, done, submit
from fleetkeeper.console.part_names import scanned, variant_named
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.orders.access import OrdersWrite
from fleetkeeper.orders.items import add_item, list_items, remove_item
from fleetkeeper.orders.receiving import receive
from fleetkeeper.orders.schemas import (
    ItemRead,
    ItemWrite,
    OrderRead,
    OrderWrite,
    Percent,
    ReceiptLine,
    ReceiptWrite,
)
from fleetkeeper.orders.service import list_events, orders
from fleetkeeper.orders.status import CHANGEABLE, ORDERS, RECEIVABLE, OrderStatus
from fleetkeeper.stock.amounts import Money, Quantity, QuantityOrNone, money_text, plain, quantity_text
from fleetkeeper.stock.suppliers.service import suppliers

declare(
    Place(
        HOME,
        "Orders",
        "copy-plus",
        Permission.ORDERS_READ,
        group="Supply",
        order=30,
        words="purchase po transfer return receive delivery buy",
    )
)
MOST_SUPPLIERS = 1000


class LineEntry(BaseModel):
    """A line as people enter it."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    quantity_ordered: Quantity
    unit_price: Money | None = None
    tax_percent: Percent = Decimal(0)


class ReceiptEntry(BaseModel):
    """What came of one line, as people enter it."""

    model_config = ConfigDict(extra="forbid")

    item_id: UUID
    quantity: Quantity
    damaged: QuantityOrNone = Decimal(0)
    serials: str = Field(default="", max_length=20_000)
    lot: str = Field(default="", max_length=100)
    more_than_ordered: bool = False
    note: str = Field(default="", max_length=500)


LINE_FORM = Form(
    LineEntry,
    "line",
    "Add a line",
    "Add",
    {
        "part": Widget("Part", "Scan or type its code", kind="text", suggestions="/suggestions/parts"),
        "quantity_ordered": "Quantity",
        "unit_price": Widget(
            "Price per unit", "Empty: the best price that the supplier has for this quantity"
        ),
        "tax_percent": Widget("Tax", "Percent"),
        "variant": Widget("Variant", "Its code; empty: the part", kind="text", is_required=False),
    },
)
RECEIPT_FORM = Form(
    ReceiptEntry,
    "receipt",
    "Receive",
    "Receive",
    {
        "item_id": Widget("Line", kind="select"),
        "quantity": Widget("Came", "All pieces, damaged ones included"),
        "damaged": Widget("Damaged", "Of these; they are scrapped"),
        "serials": Widget(
            "Serial numbers", "With commas, one for each piece", kind="text", is_required=False
        ),
        "lot": Widget("Lot", kind="text", is_required=False),
        "more_than_ordered": Widget("Take more than ordered"),
        "note": Widget("Note", kind="text", is_required=False),
    },
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    places = await location_options(session, actor)
    asked = [("is_active", "true"), ("limit", str(MOST_SUPPLIERS))]
    known = (await suppliers.list(session, actor, asked, is_counted=False)).results
    return {
        **await departments(Permission.ORDERS_WRITE)(session, actor),
        "order_type": [Option(one, label) for one, label in TYPES.items()],
        "supplier_id": [Option("", "None"), *(Option(str(one.id), one.name) for one in known)],
        "deliver_to_id": places,
        "from_location_id": places,
    }


def _facts(one: OrderRead) -> list[tuple[str, Cell]]:
    supplier = Cell(one.supplier_name, f"/suppliers/{one.supplier_id}") if one.supplier_id else Cell("")
    deliver_to = (
        Cell("See the location", f"/locations/{one.deliver_to_id}") if one.deliver_to_id else Cell("")
    )
    origin = (
        Cell("See the location", f"/locations/{one.from_location_id}") if one.from_location_id else Cell("")
    )
    request = Cell("See the request", f"/device-requests/{one.request_id}") if one.request_id else Cell("")
    facts = [
        ("Kind", Cell(TYPES[one.order_type])),
        ("Supplier", supplier),
        ("Delivered to", deliver_to),
        ("Taken from", origin),
        ("For the request", request),
        ("Total with tax", Cell(money_text(one.total_price, one.currency))),
        ("Expected", Cell(str(one.expected_delivery_date or ""))),
        ("Created", Cell(kind="time", at=one.created_at, detail=one.created_by_name)),
        ("Notes", Cell(one.notes)),
    ]
    times = (("Approved", one.approved_at), ("Ordered", one.ordered_at), ("Received", one.received_at))
    facts += [(title, Cell(kind="time", at=at)) for title, at in times if at is not None]
    return facts


async def _more(session: AsyncSession, actor: Actor, one: OrderRead, may_write: bool) -> Panels:
    items = (await list_items(session, actor, one.id)).results
    may_change = may_write and one.status in CHANGEABLE
    rows = tuple(_row(one, item, may_change=may_change) for item in items)
    text = ""
    if may_change and one.status not in {OrderStatus.DRAFT, OrderStatus.REJECTED}:
        text = "Whoever changes a line makes the order a draft again: it has to be approved anew."
    return [
        Table(
            "lines",
            "Lines",
            ("Part", "Ordered", "Received", "Price", "Total"),
            rows,
            text=text,
            empty="No lines yet. Add the first one below.",
            count=len(rows),
            is_stacked=True,
        ),
        LINE_FORM.shown(f"{HOME}/{one.id}/lines", is_open=not items) if may_change else None,
        _receipt_form(one, items) if may_write and one.status in RECEIVABLE else None,
        await _story(session, actor, one),
    ]


def _row(one: OrderRead, item: ItemRead, *, may_change: bool) -> Row:
    unit = item.unit_of_measure
    variant = f" · {item.variant_code}" if item.variant_code else ""
    received = quantity_text(item.quantity_received, unit)
    damaged = f"{plain(item.quantity_damaged)} damaged" if item.quantity_damaged else ""
    remove = RowAction(
        "Remove", f"{HOME}/{one.id}/lines/{item.id}/delete", f"Remove {item.part_code} from this order?"
    )
    return Row(
        (
            Cell(f"{item.part_code}{variant}", f"/parts/{item.part_id}", detail=item.part_name),
            Cell(quantity_text(item.quantity_ordered, unit)),
            Cell(received, detail=damaged),
            Cell(money_text(item.unit_price, one.currency)),
            Cell(money_text(item.total_price, one.currency)),
        ),
        (remove,) if may_change else (),
    )


def _receipt_form(one: OrderRead, items: list[ItemRead]) -> Any:
    missing = [item for item in items if item.quantity_received < item.quantity_ordered] or items
    lines = [
        Option(
            str(item.id),
            f"{item.part_code}, {plain(max(item.quantity_ordered - item.quantity_received, Decimal(0)))} missing",
        )
        for item in missing
    ]
    return RECEIPT_FORM.shown(f"{HOME}/{one.id}/receipts", options={"item_id": lines}, is_open=True)


async def _story(session: AsyncSession, actor: Actor, one: OrderRead) -> Table:
    found = await list_events(session, actor, one.id, [("ordering", "-created_at"), ("limit", "100")])
    rows = tuple(
        Row(
            (
                Cell(kind="time", at=event.created_at),
                Cell(event.event_description or words_of(event.event_type)),
                Cell(event.user_name or "Fleetkeeper", is_soft=not event.user_name),
            )
        )
        for event in found.results
    )
    return Table("story", "What happened", ("When", "What", "Who"), rows, is_stacked=True)


OBJECTS: Objects[OrderRead, OrderWrite] = Objects(
    page=PAGE,
    table="orders",
    read=orders.read,
    write=orders.write,
    service=Service(orders.list, orders.get, orders.create, orders.change, orders.delete, orders.move),
    form=Form(
        OrderWrite,
        "order",
        "Order",
        "Save",
        {
            "order_type": Widget("Kind", kind="select"),
            "supplier_id": Widget("Supplier", only_if="order_type=purchase order_type=return"),
            "from_location_id": Widget(
                "Taken from", only_if="order_type=internal_transfer order_type=return"
            ),
            "deliver_to_id": Widget(
                "Delivered to", only_if="order_type=purchase order_type=internal_transfer"
            ),
            "currency": Widget("Currency", "Three letters, such as EUR"),
            "exchange_rate": Widget(
                "Exchange rate", "What one unit is worth in the currency of approval rules"
            ),
            "expected_delivery_date": "Expected",
            "notes": "Notes",
            "department_id": Widget("Department", "Who sees it"),
            "request_id": Widget("", kind="hidden"),
        },
    ),
    name=lambda one: one.number,
    facts=_facts,
    options=_options,
    machine=ORDERS,
    consequences={
        OrderStatus.PENDING: "It waits for its approvers, or is approved at once where no rule asks for more.",
        OrderStatus.ORDERED: "From now on what comes can be received; the order can no longer be changed.",
        OrderStatus.RECEIVED: "What is still missing is not waited for. This cannot be undone.",
        OrderStatus.CANCELLED: "What was kept for it is free again. This cannot be undone.",
        OrderStatus.DRAFT: "It has to be approved anew.",
    },
    acts={
        OrderStatus.PENDING: "Submit for approval",
        OrderStatus.DRAFT: "Make it a draft again",
        OrderStatus.CANCELLED: "Cancel the order",
        # Approvers and receipts do that.
        OrderStatus.APPROVED: "",
        OrderStatus.REJECTED: "",
        OrderStatus.PARTLY: "",
    },
    more=_more,
    deletion="Only drafts are deleted. This cannot be undone.",
    links=(("/api/v1/deliveries.ics", "Calendar file"),),
)
router = APIRouter()


@router.post(f"{HOME}/{{key}}/lines")
async def add_line(
    request: Request, key: UUID, sent: FormLists, actor: OrdersWrite, session: Session
) -> Response:
    """Add a line."""

    async def apply() -> ItemRead:
        entry = LINE_FORM.read(sent)
        found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
        told = entry.model_dump(exclude={"part", "variant"})
        wanted = ItemWrite(part_id=found.part.id, variant_id=found.variant_id, **told)
        return await add_item(session, actor, key, wanted)

    async def again(error: FleetkeeperError) -> Response:
        told = at_entries(error, {"part_id": "part", "variant_id": "variant"})
        return await show_object(request, session, actor, OBJECTS, key, Refusal(LINE_FORM.id, told, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{key}", again)


@router.post(f"{HOME}/{{key}}/lines/{{item_id}}/delete")
async def remove_line(
    request: Request, key: UUID, item_id: UUID, actor: OrdersWrite, session: Session
) -> Response:
    """Remove a line."""
    await remove_item(session, actor, item_id)
    return done(request, f"{HOME}/{key}")


@router.post(f"{HOME}/{{key}}/receipts")
async def receive_line(
    request: Request, key: UUID, sent: FormLists, actor: OrdersWrite, session: Session
) -> Response:
    """Book what came of a line."""

    async def apply() -> OrderRead:
        entry = RECEIPT_FORM.read(sent)
        serials = [one.strip() for one in entry.serials.replace("\n", ",").split(",") if one.strip()]
        try:
            line = ReceiptLine(
                item_id=entry.item_id,
                quantity=entry.quantity,
                damaged=entry.damaged,
                serials=serials,
                lot=entry.lot or None,
            )
        except ValueError:
            wrong = FieldError(
                "serials", "Must be serial numbers without semicolons, each of at most 100 characters"
            )
            raise InvalidInputError("Correct the marked fields.", fields=[wrong]) from None
        receipt = ReceiptWrite(lines=[line], more_than_ordered=entry.more_than_ordered, note=entry.note)
        return await receive(session, actor, key, receipt)

    async def again(error: FleetkeeperError) -> Response:
        names = ("item_id", "quantity", "damaged", "serials", "lot")
        told = at_entries(error, {f"lines.0.{name}": name for name in names})
        return await show_object(request, session, actor, OBJECTS, key, Refusal(RECEIPT_FORM.id, told, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{key}", again)


router.include_router(object_pages(OBJECTS))
