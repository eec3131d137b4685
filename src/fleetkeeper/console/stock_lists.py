"""The lists of stock, its movements and pieces, on their own pages and on those of parts, locations and devices."""

from datetime import datetime
from typing import get_args

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Tag
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.stock.amounts import money_text, quantity_text
from fleetkeeper.stock.levels import queries
from fleetkeeper.stock.levels.schemas import LevelRead, MovementKind, MovementRead, SerialRead

STOCK, MOVEMENTS, SERIALS = "/inventory", "/stock-movements", "/stock-serials"
_TITLES = {
    "id": "ID",
    "part_id": "Part ID",
    "variant_id": "Variant ID",
    "location_id": "Location ID",
    "device_id": "Device ID",
    "inventory_id": "Stock ID",
    "purpose_id": "Purpose ID",
    "department_id": "Department ID",
}


def _part(one: LevelRead | MovementRead | SerialRead, href: str) -> Cell:
    variant = f" · {one.variant_code}" if one.variant_code else ""
    return Cell(f"{one.part_code}{variant}", href, detail=one.part_name)


def _available(one: LevelRead) -> Cell:
    tags = (Tag("Low", "warning"),) if one.is_low else ()
    return Cell(quantity_text(one.quantity_available, one.unit_of_measure), tags=tags)


def _time(at: datetime | None, never: str) -> Cell:
    return Cell(kind="time", at=at) if at else Cell(never, is_soft=True)


def _signed(one: MovementRead) -> str:
    sign = "+" if one.quantity > 0 else ""
    return sign + quantity_text(one.quantity, one.unit_of_measure)


def _why(one: MovementRead) -> Cell:
    if one.device_id is not None:
        return Cell(one.device_name, f"/devices/{one.device_id}", detail=one.reason)
    return Cell(one.reason or one.device_name, is_soft=True)


def _where(one: SerialRead) -> Cell:
    if one.location_id is not None:
        return Cell(one.location_name, f"/locations/{one.location_id}")
    return Cell("On a device", f"/devices/{one.device_id}") if one.device_id is not None else Cell("")


LEVELS: ListPage[LevelRead] = ListPage(
    path=STOCK,
    title="Stock",
    noun=("part in stock", "parts in stock"),
    listing=queries.LEVELS,
    search="Part or location",
    quick=(
        QuickFilter(
            "low",
            "Stock",
            (Choice("true", "Low"), Choice("false", "Enough")),
            everything="All",
            is_chips=True,
        ),
    ),
    columns=(
        Column("part_code", "Part", lambda one: _part(one, f"{STOCK}/{one.id}"), sort="part_code"),
        Column(
            "location_name",
            "Location",
            lambda one: Cell(one.location_name, f"/locations/{one.location_id}"),
            sort="location_name",
        ),
        Column("quantity_available", "Available", _available, sort="quantity_available"),
        Column(
            "quantity_on_hand",
            "On hand",
            lambda one: Cell(quantity_text(one.quantity_on_hand, one.unit_of_measure)),
            sort="quantity_on_hand",
        ),
        Column(
            "quantity_reserved",
            "Reserved",
            lambda one: Cell(quantity_text(one.quantity_reserved, one.unit_of_measure)),
            sort="quantity_reserved",
            css="is-minor",
        ),
        Column(
            "reorder_point",
            "Reorder point",
            lambda one: Cell(quantity_text(one.reorder_point, one.unit_of_measure)),
            sort="reorder_point",
            css="is-minor",
        ),
        Column(
            "last_counted_at",
            "Counted",
            lambda one: (
                Cell(kind="time", at=one.last_counted_at)
                if one.last_counted_at
                else Cell("Never", is_soft=True)
            ),
            sort="last_counted_at",
            css="is-minor",
        ),
    ),
    titles=_TITLES | {"part_name": "Part's name", "category": "Category", "last_updated_at": "Last moved"},
    empty=Empty(
        "Nothing is in stock yet",
        "Create a part and a location, then receive what you have under Movements.",
    ),
    export="/api/v1/inventory/export",
)

MOVES: ListPage[MovementRead] = ListPage(
    path=MOVEMENTS,
    title="Movements",
    noun=("movement", "movements"),
    listing=queries.MOVEMENTS,
    search="Part or reason",
    quick=(QuickFilter("kind", "Kind", tuple(Choice(one, words_of(one)) for one in get_args(MovementKind))),),
    columns=(
        Column(
            "moved_at",
            "When",
            lambda one: Cell(kind="time", at=one.moved_at),
            sort="moved_at",
            falls_first=True,
        ),
        Column("kind", "Kind", lambda one: Cell(words_of(one.kind), f"{MOVEMENTS}/{one.id}"), sort="kind"),
        Column("part_code", "Part", lambda one: _part(one, f"/parts/{one.part_id}")),
        Column("quantity", "Quantity", lambda one: Cell(_signed(one)), sort="quantity"),
        Column(
            "location_name", "Location", lambda one: Cell(one.location_name, f"/locations/{one.location_id}")
        ),
        Column("why", "For", _why, field="reason"),
        Column("moved_by_name", "By", lambda one: Cell(one.moved_by_name), css="is-minor"),
    ),
    titles=_TITLES,
    empty=Empty(
        "Nothing has been moved yet", "Receive parts with the form above; each change of stock stands here."
    ),
    export="/api/v1/stock-movements/export",
)


PIECES: ListPage[SerialRead] = ListPage(
    path=SERIALS,
    title="Serial numbers",
    noun=("piece", "pieces"),
    listing=queries.SERIALS,
    search="Serial number or part",
    quick=(
        QuickFilter(
            "status",
            "Status",
            tuple(Choice(one, words_of(one)) for one in ("in_stock", "fitted", "issued", "scrapped")),
            is_chips=True,
        ),
    ),
    columns=(
        Column(
            "serial", "Serial number", lambda one: Cell(one.serial, f"/parts/{one.part_id}"), sort="serial"
        ),
        Column("part_code", "Part", lambda one: _part(one, f"/parts/{one.part_id}")),
        Column("status", "Status", lambda one: Cell(words_of(one.status)), sort="status"),
        Column("where", "Where", _where, field="location_name"),
        Column("lot", "Lot", lambda one: Cell(one.lot or ""), css="is-minor"),
        Column("updated_at", "Moved", lambda one: Cell(kind="time", at=one.updated_at), sort="updated_at"),
    ),
    titles=_TITLES,
    empty=Empty(
        "No pieces with serial numbers yet",
        "Receive a part that has serial numbers; each piece is listed here with where it is.",
    ),
)


def cost_text(one: MovementRead) -> str:
    """What each piece of a movement cost."""
    return money_text(one.unit_cost, one.currency or "")
