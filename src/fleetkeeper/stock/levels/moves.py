"""What a movement of each kind is made of: how much comes or goes where, and what becomes of its pieces. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.stock.levels.schemas import MoveWrite

NEED_REASON = frozenset({"issue", "adjustment", "scrap"})
COMES = frozenset({"receipt", "return"})
GOES = frozenset({"issue", "scrap", "consumption"})
# What becomes of pieces with serial numbers that go.
STATUS_AFTER = {"issue": "issued", "scrap": "scrapped", "consumption": "fitted"}
_SERIES_TO_SAY = 5


@dataclass(frozen=True)
class Step:
    """So much comes to a location, or goes from it."""

    location_id: UUID
    quantity: Decimal


def steps_of(wanted: MoveWrite, on_hand: Decimal) -> list[Step]:
    """The changes that a movement makes; `on_hand` is what lies at its location, for a count."""
    here = wanted.location_id
    if wanted.kind in COMES:
        return [Step(here, wanted.quantity)]
    if wanted.kind in GOES:
        return [Step(here, -wanted.quantity)]
    if wanted.kind == "transfer" and wanted.to_location_id is not None:
        return [Step(here, -wanted.quantity), Step(wanted.to_location_id, wanted.quantity)]
    difference = wanted.quantity - on_hand if wanted.kind == "count" else wanted.quantity
    return [Step(here, difference)] if difference else []


def problems_of(wanted: MoveWrite, *, is_serialized: bool, has_lots: bool) -> list[FieldError]:
    """What is wrong with a movement as it was entered."""
    return [
        *_quantity_problems(wanted),
        *_place_problems(wanted),
        *_serial_problems(wanted, is_serialized=is_serialized),
        *_lot_problems(wanted, has_lots=has_lots),
    ]


def check(wanted: MoveWrite, *, is_serialized: bool, has_lots: bool) -> None:
    """Raise InvalidInputError with all that is wrong."""
    problems = problems_of(wanted, is_serialized=is_serialized, has_lots=has_lots)
    if problems:
        raise InvalidInputError("Nothing was moved.", fields=problems)


def _quantity_problems(wanted: MoveWrite) -> list[FieldError]:
    if wanted.kind == "adjustment":
        return [] if wanted.quantity else [FieldError("quantity", "Must be the difference, such as 2 or -1")]
    if wanted.kind == "count":
        return [] if wanted.quantity >= 0 else [FieldError("quantity", "Must be at least 0")]
    return [] if wanted.quantity > 0 else [FieldError("quantity", "Must be greater than 0")]


def _place_problems(wanted: MoveWrite) -> list[FieldError]:
    found = []
    if wanted.kind in NEED_REASON and not wanted.reason.strip():
        found.append(FieldError("reason", "Say why"))
    if wanted.kind == "transfer" and wanted.to_location_id is None:
        found.append(FieldError("to_location_id", "Say where it goes"))
    if wanted.kind == "transfer" and wanted.to_location_id == wanted.location_id:
        found.append(FieldError("to_location_id", "Must be another location"))
    if wanted.kind != "transfer" and wanted.to_location_id is not None:
        found.append(FieldError("to_location_id", "Is for transfers only"))
    if wanted.kind == "consumption" and wanted.device_id is None:
        found.append(FieldError("device_id", "Say which device it is fitted to"))
    if wanted.kind not in {"consumption", "return"} and wanted.device_id is not None:
        found.append(FieldError("device_id", "Is for consumption and returns only"))
    if wanted.kind not in GOES | {"transfer"} and wanted.reservation_id is not None:
        found.append(FieldError("reservation_id", "Is for what goes only"))
    if wanted.unit_cost is not None and wanted.currency is None:
        found.append(FieldError("currency", "Say in which currency the cost is"))
    return found


def _serial_problems(wanted: MoveWrite, *, is_serialized: bool) -> list[FieldError]:
    if not is_serialized:
        return [FieldError("serials", "This part has no serial numbers")] if wanted.serials else []
    if wanted.kind == "count":
        problem = "Parts with serial numbers are counted by an adjustment that names the pieces"
        return [FieldError("kind", problem)]
    twice = repeated(wanted.serials)
    if twice:
        return [FieldError("serials", f"Stands there twice: {', '.join(twice[:_SERIES_TO_SAY])}")]
    pieces = abs(wanted.quantity)
    if pieces != len(wanted.serials):
        return [
            FieldError(
                "serials", f"Must be one for each piece: {len(wanted.serials)} are given for {pieces:f}"
            )
        ]
    return []


def _lot_problems(wanted: MoveWrite, *, has_lots: bool) -> list[FieldError]:
    if not has_lots:
        return [FieldError("lot", "This part does not come in lots")] if wanted.lot else []
    if wanted.kind == "receipt" and not wanted.lot:
        return [FieldError("lot", "Say which lot it is")]
    return []


def repeated(texts: Sequence[str]) -> list[str]:
    """Those that stand there more than once."""
    seen: set[str] = set()
    found: dict[str, None] = {}
    for one in texts:
        if one in seen:
            found[one] = None
        seen.add(one)
    return list(found)
