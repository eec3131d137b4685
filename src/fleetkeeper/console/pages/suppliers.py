"""`/suppliers`, `/part-suppliers`: who sells parts, and at which price."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Row, Table, Tag
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Service, departments, object_pages
from fleetkeeper.console.part_names import scanned, supplier_named, variant_named
from fleetkeeper.console.records import record_pages
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.stock.amounts import Currency, Money, Quantity, money_text, plain
from fleetkeeper.stock.suppliers.schemas import Days, OfferRead, OfferWrite, PriceBreak, SupplierRead
from fleetkeeper.stock.suppliers.service import choose_supplier, offers, suppliers

HOME, PRICES = "/suppliers", "/part-suppliers"
declare(
    Place(
        HOME,
        "Suppliers",
        "ship",
        Permission.STOCK_READ,
        group="Supply",
        order=40,
        words="vendors dealers contacts lead time",
    )
)
declare(
    Place(
        PRICES,
        "Prices",
        "list-numbers",
        Permission.STOCK_READ,
        group="Supply",
        parent=HOME,
        order=41,
        words="cost price breaks sku offers",
    )
)

PAGE: ListPage[SupplierRead] = ListPage(
    path=HOME,
    title="Suppliers",
    noun=suppliers.noun,
    listing=suppliers.listing,
    search="Name or contact",
    columns=(
        Column(
            "name",
            "Name",
            lambda one: Cell(
                one.name, f"{HOME}/{one.id}", tags=(Tag("Preferred", "good"),) if one.is_preferred else ()
            ),
            sort="name",
        ),
        Column("contact_name", "Contact", lambda one: Cell(one.contact_name, detail=one.contact_email or "")),
        Column("contact_phone", "Phone", lambda one: Cell(one.contact_phone or ""), css="is-minor"),
        Column("lead_time_days", "Lead time", lambda one: Cell(lead_time(one)), sort="lead_time_days"),
        Column("currency", "Currency", lambda one: Cell(one.currency), sort="currency", css="is-minor"),
        Column("is_active", "Active", lambda one: Cell("Yes" if one.is_active else "No"), sort="is_active"),
    ),
    titles={
        "id": "ID",
        "department_id": "Department ID",
        "is_preferred": "Preferred",
        "created_at": "Created",
    },
    empty=Empty(
        "No suppliers yet", "A supplier sells parts; its prices and lead times say where to order best."
    ),
    export="/api/v1/suppliers/export",
)


def lead_time(one: SupplierRead) -> str:
    """What a supplier promises, and what it keeps."""
    promised = f"{one.lead_time_days} days" if one.lead_time_days is not None else ""
    if one.measured_lead_time_days is None:
        return promised
    return f"{plain(one.measured_lead_time_days)} days measured" + (
        f", {promised} promised" if promised else ""
    )


async def _sold(session: AsyncSession, actor: Actor, one: SupplierRead, may_write: bool) -> Panels:
    del may_write
    asked = [("supplier_id", str(one.id)), ("ordering", "part_code"), ("limit", "50")]
    found = await offers.list(session, actor, asked)
    return [related_panel(OFFERS, found, "Prices", all_href=f"{PRICES}?supplier_id={one.id}")]


class OfferEntry(BaseModel):
    """A price as people enter it: part, variant and supplier by their names, price breaks as a text."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    supplier: str = Field(min_length=1, max_length=255)
    sku: str = Field(default="", max_length=100)
    supplier_cost: Money | None = None
    currency: Currency = "EUR"
    price_breaks: str = Field(default="", max_length=400)
    pack_size: Quantity = Decimal(1)
    minimum_order_qty: Quantity = Decimal(1)
    lead_time_days: Days | None = None
    is_preferred: bool = False
    department_id: UUID | None = None


OFFERS: ListPage[OfferRead] = ListPage(
    path=PRICES,
    title="Prices",
    noun=("price", "prices"),
    listing=offers.listing,
    search="Part, supplier or the supplier's number",
    columns=(
        Column(
            "part_code",
            "Part",
            lambda one: Cell(_of_part(one), f"{PRICES}/{one.id}", detail=one.part_name),
            sort="part_code",
        ),
        Column(
            "supplier_name",
            "Supplier",
            lambda one: Cell(one.supplier_name, f"{HOME}/{one.supplier_id}"),
            sort="supplier_name",
        ),
        Column("sku", "Their number", lambda one: Cell(one.sku or ""), sort="sku", css="is-minor"),
        Column(
            "supplier_cost",
            "Price",
            lambda one: Cell(
                money_text(one.supplier_cost, one.currency) or "On request", detail=breaks_text(one)
            ),
            sort="supplier_cost",
        ),
        Column("pack_size", "Pack", lambda one: Cell(plain(one.pack_size)), css="is-minor"),
        Column(
            "is_preferred",
            "Preferred",
            lambda one: Cell("Yes" if one.is_preferred else ""),
            sort="is_preferred",
        ),
    ),
    titles={
        "id": "ID",
        "department_id": "Department ID",
        "part_id": "Part ID",
        "variant_id": "Variant ID",
        "supplier_id": "Supplier ID",
        "created_at": "Created",
    },
    empty=Empty(
        "No prices yet", "Enter at which price a supplier sells a part; the best one is found for each order."
    ),
    export="/api/v1/part-suppliers/export",
)
FORM = Form(
    OfferEntry,
    "price",
    "Price",
    "Save",
    {
        "part": Widget("Part", "Type a part of its code", suggestions="/suggestions/parts", kind="text"),
        "variant": Widget("Variant", "Its code; empty: the part", is_required=False, kind="text"),
        "supplier": Widget(
            "Supplier", "Type a part of its name", suggestions="/suggestions/suppliers", kind="text"
        ),
        "sku": Widget("Their number", "What the supplier calls it", is_required=False, kind="text"),
        "supplier_cost": Widget("Price per unit", "Empty: on request"),
        "currency": Widget("Currency", "Three letters, such as EUR"),
        "price_breaks": Widget("Price breaks", "Such as 10: 8.50, 100: 7.90", is_required=False, kind="text"),
        "pack_size": Widget("Pack size", "Sold in packs of so many"),
        "minimum_order_qty": "Least order",
        "lead_time_days": Widget("Lead time", "Days; empty: what the supplier promises for all"),
        "is_preferred": "Preferred",
        "department_id": Widget("Department", "Who sees it"),
    },
)


def _of_part(one: OfferRead) -> str:
    return f"{one.part_code} · {one.variant_code}" if one.variant_code else one.part_code


def breaks_text(one: OfferRead) -> str:
    """Price breaks as they are entered."""
    return ", ".join(f"{plain(step.quantity)}: {plain(step.price)}" for step in one.price_breaks)


def breaks_in(text: str) -> list[PriceBreak]:
    """Price breaks as they are entered: `10: 8.50, 100: 7.90`. Raises InvalidInputError at `price_breaks`."""
    found = []
    for one in (item.strip() for item in text.split(",") if item.strip()):
        quantity, colon, price = one.partition(":")
        told = {"quantity": quantity.strip(), "price": price.strip()} if colon else {}
        try:
            found.append(PriceBreak.model_validate(told))
        except ValueError:
            wrong = FieldError("price_breaks", f"Must be such as 10: 8.50, and {one[:50]} is not")
            raise InvalidInputError("Correct the marked fields.", fields=[wrong]) from None
    return found


async def _wanted(session: AsyncSession, actor: Actor, entry: OfferEntry) -> OfferWrite:
    found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
    supplier = await supplier_named(session, actor, entry.supplier)
    told = entry.model_dump(exclude={"part", "variant", "supplier", "price_breaks", "sku"})
    return OfferWrite(
        part_id=found.part.id,
        variant_id=found.variant_id if entry.variant else None,
        supplier_id=supplier.id,
        sku=entry.sku or None,
        price_breaks=breaks_in(entry.price_breaks),
        **told,
    )


async def _create(session: AsyncSession, actor: Actor, entry: OfferEntry) -> OfferRead:
    return await offers.create(session, actor, await _wanted(session, actor, entry))


async def _change(
    session: AsyncSession, actor: Actor, key: UUID, entry: OfferEntry, version: int | None
) -> OfferRead:
    return await offers.change(session, actor, key, await _wanted(session, actor, entry), version)


def _entered(actor: Actor, one: OfferRead) -> OfferEntry:
    del actor
    known: dict[str, Any] = one.model_dump(include=set(OfferEntry.model_fields) - {"price_breaks"})
    return OfferEntry.model_construct(
        **known,
        part=one.part_code,
        variant=one.variant_code,
        supplier=one.supplier_name,
        price_breaks=breaks_text(one),
    )


def _facts(one: OfferRead) -> list[tuple[str, Cell]]:
    return [
        ("Part", Cell(_of_part(one), f"/parts/{one.part_id}", detail=one.part_name)),
        ("Supplier", Cell(one.supplier_name, f"{HOME}/{one.supplier_id}")),
        ("Their number", Cell(one.sku or "")),
        ("Price per unit", Cell(money_text(one.supplier_cost, one.currency) or "On request")),
        ("Price breaks", Cell(breaks_text(one))),
        ("Pack size", Cell(plain(one.pack_size))),
        ("Least order", Cell(plain(one.minimum_order_qty))),
        ("Lead time", Cell(f"{one.lead_time_days} days" if one.lead_time_days is not None else "")),
        ("Preferred", Cell("Yes" if one.is_preferred else "No")),
    ]


async def _compared(session: AsyncSession, actor: Actor, one: OfferRead, may_write: bool) -> Panels:
    """Who else sells it, for the least order."""
    del may_write
    found = await choose_supplier(session, actor, one.part_id, one.variant_id, one.minimum_order_qty)
    rows = tuple(
        Row(
            (
                Cell(choice.supplier_name, f"{PRICES}/{choice.offer_id}"),
                Cell(money_text(choice.total_price, choice.currency)),
                Cell(f"{choice.lead_time_days} days" if choice.lead_time_days is not None else ""),
                Cell(", ".join(choice.reasons)),
            )
        )
        for choice in found.choices
    )
    title = f"Best supplier for {plain(one.minimum_order_qty)}"
    return [
        Table(
            "compared",
            title,
            ("Supplier", "Total", "Lead time", "Why"),
            rows,
            text="; ".join(found.left_out),
            empty="No supplier has a price for it.",
            is_stacked=True,
        )
    ]


router = APIRouter()
router.include_router(
    record_pages(
        suppliers,
        PAGE,
        {
            "name": "Name",
            "contact_name": Widget("Contact", kind="text", is_required=False),
            "contact_email": "Email",
            "contact_phone": "Phone",
            "website": "Website",
            "address": "Address",
            "lead_time_days": Widget("Promised lead time", "Days from order to delivery"),
            "currency": Widget("Currency", "Three letters, such as EUR"),
            "minimum_order_value": "Minimum order value",
            "is_preferred": "Preferred",
            "is_active": "Active",
            "notes": "Notes",
            "department_id": Widget("Department", "Who sees it"),
        },
        options=departments(Permission.PARTS_WRITE, "Everybody"),
        more=_sold,
        deletion="Its prices are deleted with it. This cannot be undone.",
    )
)
router.include_router(
    object_pages(
        Objects(
            page=OFFERS,
            table="part_suppliers",
            read=offers.read,
            write=offers.write,
            service=Service(offers.list, offers.get, _create, _change, offers.delete),
            form=FORM,
            name=lambda one: f"{_of_part(one)} by {one.supplier_name}",
            facts=_facts,
            options=departments(Permission.PARTS_WRITE, "Everybody"),
            entered=_entered,
            more=_compared,
        )
    )
)
