"""`/parts`, `/part-variants`: the catalogue."""

from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Fragment, Row, Table
from fleetkeeper.console.contexts.stock import Label
from fleetkeeper.console.details import Panels
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Service, departments, object_pages
from fleetkeeper.console.part_names import scanned
from fleetkeeper.console.stock_lists import LEVELS, MOVES
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.stock.access import StockRead
from fleetkeeper.stock.amounts import Currency, Money, money_text
from fleetkeeper.stock.levels.service import levels, list_movements
from fleetkeeper.stock.parts.labels import label_of
from fleetkeeper.stock.parts.schemas import Code, PartRead, PartWrite, VariantRead, VariantWrite
from fleetkeeper.stock.parts.service import parts, variants
from fleetkeeper.stock.suppliers.service import offers

HOME, VARIANTS = "/parts", "/part-variants"
declare(
    Place(
        HOME,
        "Parts",
        "box",
        Permission.STOCK_READ,
        group="Supply",
        order=10,
        words="spares catalogue articles items sku components",
    )
)
declare(
    Place(
        VARIANTS,
        "Variants",
        "copy",
        Permission.STOCK_READ,
        group="Supply",
        parent=HOME,
        order=11,
        words="sizes colors parts",
    )
)


class PartEntry(PartWrite):
    """A part as people enter it: the part that replaces it by its code."""

    replaced_by: str = Field(default="", max_length=300)


class VariantEntry(BaseModel):
    """A variant as people enter it: its part by a code, its attributes as a text."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(min_length=1, max_length=300)
    variant_code: Code
    variant_name: str = Field(default="", max_length=255)
    attributes: str = Field(default="", max_length=2000)
    cost_per_unit: Money | None = None
    retail_price: Money | None = None
    currency: Currency = "EUR"
    is_available: bool = True


PAGE: ListPage[PartRead] = ListPage(
    path=HOME,
    title="Parts",
    noun=parts.noun,
    listing=parts.listing,
    search="Code, name or category",
    quick=(
        QuickFilter(
            "is_active",
            "Active",
            (Choice("true", "Active"), Choice("false", "Inactive")),
            is_chips=True,
        ),
    ),
    columns=(
        Column("part_code", "Code", lambda one: Cell(one.part_code, f"{HOME}/{one.id}"), sort="part_code"),
        Column("name", "Name", lambda one: Cell(one.name), sort="name"),
        Column("category", "Category", lambda one: Cell(one.category), sort="category"),
        Column("unit_of_measure", "Unit", lambda one: Cell(one.unit_of_measure), css="is-minor"),
        Column(
            "component_kind",
            "Component",
            lambda one: Cell(words_of(one.component_kind) if one.component_kind else ""),
            css="is-minor",
        ),
        Column("is_active", "Active", lambda one: Cell("Yes" if one.is_active else "No"), sort="is_active"),
    ),
    titles={
        "id": "ID",
        "department_id": "Department ID",
        "replaced_by_id": "Replaced by (ID)",
        "is_serialized": "Serial numbers",
    },
    empty=Empty(
        "No parts yet", "A part is something that you keep in stock, such as a memory module or a cable."
    ),
    export="/api/v1/parts/export",
)

FORM = Form(
    PartEntry,
    "part",
    "Part",
    "Save",
    {
        "part_code": Widget("Code", "Your own number of it, such as RAM-DDR4-16"),
        "name": "Name",
        "category": Widget(
            "Category",
            "A path such as Memory/DDR4",
            kind="text",
            is_required=False,
            suggestions="/suggestions/part-categories",
        ),
        "unit_of_measure": Widget("Unit", "What quantities count: unit, m, kg, l"),
        "is_serialized": Widget("Serial numbers", "Each piece has one; cannot change once it was in stock"),
        "has_lots": Widget("Lots", "It comes in lots, which may expire; cannot change once it was in stock"),
        "component_kind": Widget("Component", "What it is in a device once it is fitted"),
        "fits_device_types": Widget(
            "Fits device types", "With commas, such as server, vm; empty: all", kind="text", is_required=False
        ),
        "fits_models": Widget("Fits models", "With commas; empty: all", kind="text", is_required=False),
        "replaced_by": Widget(
            "Replaced by",
            "Type a part of its code",
            kind="text",
            is_required=False,
            suggestions="/suggestions/parts",
        ),
        "description": "Description",
        "is_active": "Active",
        "department_id": Widget("Department", "Who sees it"),
    },
)


async def _wanted(session: AsyncSession, actor: Actor, entry: PartEntry) -> PartWrite:
    replaced_by = (
        (await scanned(session, actor, entry.replaced_by, "replaced_by")).part.id
        if entry.replaced_by
        else None
    )
    told = entry.model_dump(exclude={"replaced_by"}) | {"replaced_by_id": replaced_by}
    return PartWrite(**told)


async def _create(session: AsyncSession, actor: Actor, entry: PartEntry) -> PartRead:
    return await parts.create(session, actor, await _wanted(session, actor, entry))


async def _change(
    session: AsyncSession, actor: Actor, key: UUID, entry: PartEntry, version: int | None
) -> PartRead:
    return await parts.change(session, actor, key, await _wanted(session, actor, entry), version)


def _entered(actor: Actor, one: PartRead) -> PartEntry:
    del actor
    known = one.model_dump(include=set(PartWrite.model_fields))
    return PartEntry.model_construct(
        **known, replaced_by=str(one.replaced_by_id) if one.replaced_by_id else ""
    )


def _facts(one: PartRead) -> list[tuple[str, Cell]]:
    yes = {True: "Yes", False: "No"}
    return [
        ("Code", Cell(one.part_code)),
        ("Category", Cell(one.category, f"{HOME}?category={one.category}" if one.category else "")),
        ("Unit", Cell(one.unit_of_measure)),
        ("Serial numbers", Cell(yes[one.is_serialized])),
        ("Lots", Cell(yes[one.has_lots])),
        ("Component", Cell(words_of(one.component_kind) if one.component_kind else "")),
        ("Fits", Cell(", ".join([*one.fits_device_types, *one.fits_models]) or "All devices")),
        (
            "Replaced by",
            Cell("See the other part", f"{HOME}/{one.replaced_by_id}") if one.replaced_by_id else Cell(""),
        ),
        ("Description", Cell(one.description)),
        ("Active", Cell(yes[one.is_active])),
    ]


async def _more(session: AsyncSession, actor: Actor, one: PartRead, may_write: bool) -> Panels:
    del may_write
    of_part = ("part_id", str(one.id))
    stock = await levels.list(session, actor, [of_part, ("limit", "50")])
    known = await variants.list(session, actor, [of_part, ("limit", "50")])
    prices = await offers.list(session, actor, [of_part, ("ordering", "supplier_cost"), ("limit", "50")])
    moved = await list_movements(session, actor, [of_part, ("limit", "10")])
    sold = tuple(
        Row(
            (
                Cell(price.supplier_name, f"/part-suppliers/{price.id}", detail=price.sku or ""),
                Cell(money_text(price.supplier_cost, price.currency) or "On request"),
                Cell(f"{price.lead_time_days} days" if price.lead_time_days is not None else ""),
                Cell("Yes" if price.is_preferred else ""),
            )
        )
        for price in prices.results
    )
    label = Label(f"{HOME}/{one.id}/label.svg", one.part_code, one.name)
    return [
        related_panel(LEVELS, stock, "Stock by location", all_href=f"/inventory?part_id={one.id}"),
        Table(
            "prices",
            "Suppliers",
            ("Supplier", "Price", "Lead time", "Preferred"),
            sold,
            empty="Nobody sells it yet. Add a price under Supply, Prices.",
            is_stacked=True,
        ),
        related_panel(VARIANT_PAGE, known, "Variants", all_href=f"{VARIANTS}?part_id={one.id}")
        if known.results
        else None,
        related_panel(MOVES, moved, "Newest movements", all_href=f"/stock-movements?part_id={one.id}"),
        Fragment("stock/_label.html", label),
    ]


VARIANT_PAGE: ListPage[VariantRead] = ListPage(
    path=VARIANTS,
    title="Variants",
    noun=variants.noun,
    listing=variants.listing,
    search="Code, name or part",
    columns=(
        Column(
            "variant_code",
            "Variant",
            lambda one: Cell(one.variant_code, f"{VARIANTS}/{one.id}"),
            sort="variant_code",
        ),
        Column(
            "part_code",
            "Part",
            lambda one: Cell(one.part_code, f"{HOME}/{one.part_id}", detail=one.part_name),
            sort="part_code",
        ),
        Column("variant_name", "Name", lambda one: Cell(one.variant_name), sort="variant_name"),
        Column(
            "cost_per_unit",
            "Cost",
            lambda one: Cell(money_text(one.cost_per_unit, one.currency)),
            sort="cost_per_unit",
        ),
        Column(
            "is_available",
            "Available",
            lambda one: Cell("Yes" if one.is_available else "No"),
            sort="is_available",
        ),
    ),
    titles={"id": "ID", "department_id": "Department ID", "part_id": "Part ID"},
    empty=Empty(
        "No variants yet", "A variant is a size, a color or a make of a part that is stocked by itself."
    ),
    export="/api/v1/part-variants/export",
)
VARIANT_FORM = Form(
    VariantEntry,
    "variant",
    "Variant",
    "Save",
    {
        "part": Widget("Part", "Type a part of its code", kind="text", suggestions="/suggestions/parts"),
        "variant_code": Widget("Variant", "Such as RED-M"),
        "variant_name": Widget("Name", kind="text", is_required=False),
        "attributes": Widget(
            "Attributes", "With commas, such as color=red, size=M", kind="text", is_required=False
        ),
        "cost_per_unit": "Cost per unit",
        "retail_price": "Retail price",
        "currency": Widget("Currency", "Three letters, such as EUR"),
        "is_available": "Available",
    },
)


def attributes_in(text: str) -> dict[str, str]:
    """Attributes as they are entered: `color=red, size=M`."""
    pairs = (one.partition("=") for one in text.split(",") if one.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _attributes_text(one: VariantRead) -> str:
    return ", ".join(f"{name}={value}" for name, value in one.attributes.items())


async def _variant(session: AsyncSession, actor: Actor, entry: VariantEntry) -> VariantWrite:
    part = (await scanned(session, actor, entry.part)).part
    told = entry.model_dump(exclude={"part", "attributes"})
    return VariantWrite(part_id=part.id, attributes=attributes_in(entry.attributes), **told)


async def _create_variant(session: AsyncSession, actor: Actor, entry: VariantEntry) -> VariantRead:
    return await variants.create(session, actor, await _variant(session, actor, entry))


async def _change_variant(
    session: AsyncSession, actor: Actor, key: UUID, entry: VariantEntry, version: int | None
) -> VariantRead:
    return await variants.change(session, actor, key, await _variant(session, actor, entry), version)


def _entered_variant(actor: Actor, one: VariantRead) -> VariantEntry:
    del actor
    known = one.model_dump(include=set(VariantEntry.model_fields) - {"attributes"})
    return VariantEntry.model_construct(**known, part=one.part_code, attributes=_attributes_text(one))


def _variant_facts(one: VariantRead) -> list[tuple[str, Cell]]:
    return [
        ("Part", Cell(one.part_code, f"{HOME}/{one.part_id}", detail=one.part_name)),
        ("Name", Cell(one.variant_name)),
        ("Attributes", Cell(_attributes_text(one))),
        ("Cost per unit", Cell(money_text(one.cost_per_unit, one.currency))),
        ("Retail price", Cell(money_text(one.retail_price, one.currency))),
        ("Available", Cell("Yes" if one.is_available else "No")),
    ]


router = APIRouter()


@router.get("/parts/{key}/label.svg")
async def label(request: Request, key: UUID, actor: StockRead, session: Session) -> Response:
    """A part's label."""
    del request
    return Response(label_of((await parts.get(session, actor, key)).id), media_type="image/svg+xml")


router.include_router(
    object_pages(
        Objects(
            page=PAGE,
            table="parts",
            read=parts.read,
            write=parts.write,
            service=Service(parts.list, parts.get, _create, _change, parts.delete),
            form=FORM,
            name=lambda one: one.name,
            facts=_facts,
            options=departments(Permission.PARTS_WRITE, "Everybody"),
            blank=lambda _: PartEntry.model_construct(unit_of_measure="unit", is_active=True),
            entered=_entered,
            more=_more,
            deletion="Only a part that was never in stock can be deleted. This cannot be undone.",
        )
    )
)
router.include_router(
    object_pages(
        Objects(
            page=VARIANT_PAGE,
            table="part_variants",
            read=variants.read,
            write=variants.write,
            service=Service(variants.list, variants.get, _create_variant, _change_variant, variants.delete),
            form=VARIANT_FORM,
            name=lambda one: f"{one.part_code} · {one.variant_code}",
            facts=_variant_facts,
            entered=_entered_variant,
        )
    )
)
