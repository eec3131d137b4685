"""`/inventory`, `/stock-movements`, `/stock-serials`: what lies where, and what moved."""

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Cell, Option
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_names import device_named
from fleetkeeper.console.forecast_panels import forecast_panels
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Objects, Options, Service, object_pages
from fleetkeeper.console.panels import at_entries
from fleetkeeper.console.part_names import scanned, variant_named
from fleetkeeper.console.stock_lists import LEVELS, MOVEMENTS, MOVES, PIECES, SERIALS, STOCK, cost_text
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.stock.access import StockRead
from fleetkeeper.stock.amounts import Currency, Money, Quantity, QuantityOrNone, plain, quantity_text
from fleetkeeper.stock.levels.schemas import LevelRead, LevelWrite, MovementKind, MovementRead, MoveWrite
from fleetkeeper.stock.levels.service import book, get_movement, levels, list_movements, list_serials

declare(
    Place(
        STOCK,
        "Stock",
        "building-warehouse",
        Permission.STOCK_READ,
        group="Supply",
        order=20,
        words="inventory available low reorder levels quantities",
    )
)
declare(
    Place(
        MOVEMENTS,
        "Movements",
        "history",
        Permission.STOCK_READ,
        group="Supply",
        parent=STOCK,
        order=21,
        words="receive issue transfer adjust scrap return fit consume",
    )
)
declare(
    Place(
        SERIALS,
        "Serial numbers",
        "fingerprint",
        Permission.STOCK_READ,
        group="Supply",
        parent=STOCK,
        order=22,
        words="pieces lots where",
    )
)


class LevelEntry(BaseModel):
    """When a part is reordered at a location, as people enter it."""

    model_config = ConfigDict(extra="forbid")

    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    location_id: UUID
    reorder_point: QuantityOrNone | None = None
    reorder_quantity: Quantity | None = None


class MoveEntry(BaseModel):
    """A movement as people enter it."""

    model_config = ConfigDict(extra="forbid")

    kind: MovementKind = "receipt"
    part: str = Field(min_length=1, max_length=300)
    variant: str = Field(default="", max_length=50)
    location_id: UUID
    to_location_id: UUID | None = None
    quantity: Annotated[Decimal, Field(max_digits=14, decimal_places=3)]
    device: str = Field(default="", max_length=300)
    serials: str = Field(default="", max_length=20_000)
    lot: str = Field(default="", max_length=100)
    expires_on: date | None = None
    unit_cost: Money | None = None
    currency: Currency | None = None
    fits_anyway: bool = False
    reason: str = Field(default="", max_length=500)


LEVEL_FORM = Form(
    LevelEntry,
    "level",
    "Reorder point",
    "Save",
    {
        "part": Widget("Part", "Type a part of its code", kind="text", suggestions="/suggestions/parts"),
        "variant": Widget("Variant", "Its code; empty: the part", kind="text", is_required=False),
        "location_id": "Location",
        "reorder_point": Widget("Reorder point", "You are told once as much or less is available"),
        "reorder_quantity": Widget("Reorder quantity", "How many are ordered then"),
    },
    text="Quantities follow from movements: receive, issue or count parts under Movements.",
)
MOVE_FORM = Form(
    MoveEntry,
    "move",
    "Move stock",
    "Book",
    {
        "kind": Widget("What happens", kind="select"),
        "part": Widget(
            "Part", "Scan or type its code, or a serial number", kind="text", suggestions="/suggestions/parts"
        ),
        "quantity": Widget("Quantity", "Of an adjustment the difference, of a count how many there are"),
        "location_id": Widget("Location", "Where it comes to, goes from, or lies"),
        "to_location_id": Widget("To", only_if="kind=transfer"),
        "device": Widget(
            "Device",
            "Type a part of its name",
            kind="text",
            is_required=False,
            suggestions="/suggestions/devices",
            only_if="kind=consumption kind=return",
        ),
        "fits_anyway": Widget(
            "Fit it anyway", "Although it is not meant for this device", only_if="kind=consumption"
        ),
        "variant": Widget("Variant", "Its code; empty: the part", kind="text", is_required=False),
        "serials": Widget(
            "Serial numbers", "With commas, one for each piece", kind="text", is_required=False
        ),
        "lot": Widget("Lot", kind="text", is_required=False, only_if="kind=receipt kind=return"),
        "expires_on": Widget("Expires on", only_if="kind=receipt kind=return"),
        "unit_cost": Widget("Cost per unit", only_if="kind=receipt"),
        "currency": Widget(
            "Currency", "Three letters, such as EUR", kind="text", only_if="kind=receipt", is_required=False
        ),
        "reason": Widget("Reason", "Needed to issue, adjust and scrap", kind="text", is_required=False),
    },
)
_KINDS = {"consumption": "Fit to a device", "count": "Count", "receipt": "Receive", "return": "Take back"}
_ENTRIES = {"part_id": "part", "variant_id": "variant", "device_id": "device"}


async def _places(session: AsyncSession, actor: Actor) -> Options:
    return {"location_id": (await location_options(session, actor))[1:]}


async def _move_options(session: AsyncSession, actor: Actor) -> Options:
    places = await location_options(session, actor)
    kinds = [Option(one, _KINDS.get(one, words_of(one))) for one in get_args(MovementKind)]
    return {"location_id": places[1:], "to_location_id": places, "kind": kinds}


async def _move(session: AsyncSession, actor: Actor, entry: MoveEntry) -> MovementRead:
    found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
    device = await device_named(session, actor, entry.device) if entry.device else None
    # What was entered for another kind of movement is out of sight.
    serials = [one.strip() for one in entry.serials.replace("\n", ",").split(",") if one.strip()]
    receives = entry.kind in {"receipt", "return"}
    try:
        wanted = MoveWrite(
            kind=entry.kind,
            part_id=found.part.id,
            variant_id=found.variant_id,
            location_id=entry.location_id,
            to_location_id=entry.to_location_id if entry.kind == "transfer" else None,
            quantity=entry.quantity,
            serials=serials or ([found.serial] if found.serial else []),
            lot=(entry.lot or None) if receives else None,
            expires_on=entry.expires_on if receives else None,
            unit_cost=entry.unit_cost if entry.kind == "receipt" else None,
            currency=entry.currency if entry.kind == "receipt" else None,
            device_id=device.id if device is not None and entry.kind in {"consumption", "return"} else None,
            fits_anyway=entry.fits_anyway,
            reason=entry.reason,
        )
    except ValueError as error:
        wrong = FieldError(
            "serials", "Must be serial numbers without semicolons, each of at most 100 characters"
        )
        raise InvalidInputError("Correct the marked fields.", fields=[wrong]) from error
    try:
        moved = await book(session, actor, wanted)
    except InvalidInputError as error:
        raise at_entries(error, _ENTRIES) from None
    if not moved.movements:
        wrong = FieldError("quantity", "That is what is on hand: there is no difference to book")
        raise InvalidInputError("Nothing was moved.", fields=[wrong])
    return moved.movements[0]


async def _level(session: AsyncSession, actor: Actor, entry: LevelEntry) -> LevelWrite:
    found = await variant_named(session, actor, await scanned(session, actor, entry.part), entry.variant)
    told = entry.model_dump(exclude={"part", "variant"})
    return LevelWrite(part_id=found.part.id, variant_id=found.variant_id, **told)


async def _create_level(session: AsyncSession, actor: Actor, entry: LevelEntry) -> LevelRead:
    return await levels.create(session, actor, await _level(session, actor, entry))


async def _change_level(
    session: AsyncSession, actor: Actor, key: UUID, entry: LevelEntry, version: int | None
) -> LevelRead:
    return await levels.change(session, actor, key, await _level(session, actor, entry), version)


def _entered_level(actor: Actor, one: LevelRead) -> LevelEntry:
    del actor
    known: dict[str, Any] = one.model_dump(include={"location_id", "reorder_point", "reorder_quantity"})
    return LevelEntry.model_construct(**known, part=one.part_code, variant=one.variant_code)


def _level_facts(one: LevelRead) -> list[tuple[str, Cell]]:
    unit = one.unit_of_measure
    return [
        ("Part", Cell(one.part_code, f"/parts/{one.part_id}", detail=one.part_name)),
        ("Variant", Cell(one.variant_code)),
        ("Location", Cell(one.location_name, f"/locations/{one.location_id}")),
        ("Available", Cell(quantity_text(one.quantity_available, unit))),
        ("On hand", Cell(quantity_text(one.quantity_on_hand, unit))),
        ("Reserved", Cell(quantity_text(one.quantity_reserved, unit))),
        ("Reorder point", Cell(quantity_text(one.reorder_point, unit) or "None: low stock is not told")),
        ("Reorder quantity", Cell(quantity_text(one.reorder_quantity, unit))),
        ("Counted", Cell(kind="time", at=one.last_counted_at) if one.last_counted_at else Cell("Never")),
    ]


async def _of_level(session: AsyncSession, actor: Actor, one: LevelRead, may_write: bool) -> Panels:
    asked = [("part_id", str(one.part_id)), ("location_id", str(one.location_id)), ("limit", "20")]
    moved = await list_movements(session, actor, asked)
    entered = MoveEntry.model_construct(
        part=one.part_code, variant=one.variant_code, location_id=one.location_id
    )
    options = await _move_options(session, actor)
    form = MOVE_FORM.shown(MOVEMENTS, entered, options=options) if may_write else None
    every = f"{MOVEMENTS}?part_id={one.part_id}&location_id={one.location_id}"
    return [
        *await forecast_panels(session, actor, one, may_write=may_write),
        form,
        related_panel(MOVES, moved, "Newest movements", all_href=every),
    ]


def _move_facts(one: MovementRead) -> list[tuple[str, Cell]]:
    device = Cell(one.device_name, f"/devices/{one.device_id}") if one.device_id else Cell(one.device_name)
    return [
        ("Kind", Cell(words_of(one.kind))),
        ("Part", Cell(one.part_code, f"/parts/{one.part_id}", detail=one.part_name)),
        ("Variant", Cell(one.variant_code)),
        ("Location", Cell(one.location_name, f"/locations/{one.location_id}")),
        ("Quantity", Cell(f"{plain(one.quantity)} {one.unit_of_measure}")),
        ("Serial numbers", Cell(", ".join(one.serials))),
        ("Lot", Cell(one.lot or "")),
        ("Expires on", Cell(str(one.expires_on or ""))),
        ("Cost per unit", Cell(cost_text(one))),
        ("Device", device),
        ("Reason", Cell(one.reason)),
        ("By", Cell(one.moved_by_name)),
        ("When", Cell(kind="time", at=one.moved_at)),
    ]


router = APIRouter()


@router.get(SERIALS)
async def show_pieces(request: Request, actor: StockRead, session: Session) -> Response:
    """Pieces with serial numbers."""
    return await show_list(request, session, actor, PIECES, partial(list_serials, session, actor))


router.include_router(
    object_pages(
        Objects(
            page=LEVELS,
            table="inventory",
            read=levels.read,
            write=levels.write,
            service=Service(levels.list, levels.get, _create_level, _change_level),
            form=LEVEL_FORM,
            name=lambda one: f"{one.part_code} at {one.location_name}",
            facts=_level_facts,
            options=_places,
            entered=_entered_level,
            more=_of_level,
        )
    )
)
router.include_router(
    object_pages(
        Objects(
            page=MOVES,
            table="stock_movements",
            read=Permission.STOCK_READ,
            write=Permission.STOCK_WRITE,
            service=Service(list_movements, get_movement, _move),
            form=MOVE_FORM,
            name=lambda one: f"{words_of(one.kind)} of {one.part_code}",
            facts=_move_facts,
            options=_move_options,
        )
    )
)
