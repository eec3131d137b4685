"""What the API says of stock, its movements, reservations and serial numbers."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.stock.amounts import Currency, Money, Quantity, QuantityOrNone

MovementKind = Literal[
    "receipt", "issue", "transfer", "adjustment", "count", "return", "scrap", "consumption"
]
SerialStatus = Literal["in_stock", "fitted", "issued", "scrapped"]
_SERIAL = shaped(r"^[^\s\x00-\x1f\x7f,;][^\x00-\x1f\x7f,;]*$", "be a serial number without commas")
Serial = Annotated[str, Field(min_length=1, max_length=100, pattern=_SERIAL)]
Lot = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Reason = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
MOST_SERIALS = 1000


class LevelWrite(BaseModel):
    """What is entered of the stock of a part at a location; its quantities follow from movements."""

    model_config = ConfigDict(extra="forbid")

    part_id: UUID
    variant_id: UUID | None = None
    location_id: UUID
    reorder_point: QuantityOrNone | None = Field(
        default=None, description="Low stock is told once as much or less is available; null: never"
    )
    reorder_quantity: Quantity | None = Field(default=None, description="How many are ordered then")


class LevelRead(LevelWrite):
    """The stock of a part, or a variant of it, at a location."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    part_code: str = ""
    part_name: str = ""
    unit_of_measure: str = "unit"
    variant_code: str = ""
    location_name: str = ""
    quantity_on_hand: Decimal
    quantity_reserved: Decimal
    quantity_available: Decimal
    last_counted_at: datetime | None
    last_updated_at: datetime
    department_id: UUID | None = Field(description="That of the location")
    version: int

    @property
    def is_low(self) -> bool:
        """Whether it is time to order."""
        return self.reorder_point is not None and self.quantity_available <= self.reorder_point


class LevelPage(PageOf[LevelRead]):
    """One page of stock."""


class MoveWrite(BaseModel):
    """A movement of stock, as it is entered."""

    model_config = ConfigDict(extra="forbid")

    kind: MovementKind
    part_id: UUID
    variant_id: UUID | None = None
    location_id: UUID = Field(description="Where it comes to, goes from, or lies")
    to_location_id: UUID | None = Field(default=None, description="Of a transfer: where it goes")
    quantity: Decimal = Field(
        max_digits=14,
        decimal_places=3,
        description="How many; of an adjustment the difference, perhaps less than 0; of a count how many there are",
    )
    serials: list[Serial] = Field(
        default=[], max_length=MOST_SERIALS, description="Of parts with serial numbers: one for each piece"
    )
    lot: Lot | None = None
    expires_on: date | None = None
    unit_cost: Money | None = None
    currency: Currency | None = None
    device_id: UUID | None = Field(default=None, description="Of a consumption: the device it is fitted to")
    fits_anyway: bool = Field(
        default=False, description="Fit it although the part is not meant for this type or model of device"
    )
    reservation_id: UUID | None = Field(default=None, description="Take it from what is reserved by this")
    reason: Reason = Field(default="", description="Needed to issue, adjust and scrap")


class MovementRead(BaseModel):
    """A movement of stock. Never changed: a mistake is put right by another one."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: MovementKind
    part_id: UUID
    part_code: str = ""
    part_name: str = ""
    unit_of_measure: str = "unit"
    variant_id: UUID | None
    variant_code: str = ""
    location_id: UUID
    location_name: str = ""
    quantity: Decimal = Field(description="More than 0 what came, less what went")
    serials: list[str]
    lot: str | None
    expires_on: date | None
    unit_cost: Decimal | None
    currency: str | None
    transfer_id: UUID | None = Field(description="Joins the two halves of a transfer")
    device_id: UUID | None
    device_name: str
    purpose_type: str
    purpose_id: UUID | None
    reason: str
    moved_by: UUID | None
    moved_by_name: str
    moved_at: datetime
    department_id: UUID | None


class MovementPage(PageOf[MovementRead]):
    """One page of movements."""


class Moved(BaseModel):
    """The movements that were booked: two of a transfer, else one; none where a count found no difference."""

    movements: list[MovementRead]


class ReservationWrite(BaseModel):
    """What is entered of a reservation."""

    model_config = ConfigDict(extra="forbid")

    inventory_id: UUID
    quantity: Quantity
    purpose: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ReservationRead(BaseModel):
    """A part of what is on hand that is kept for a purpose."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    inventory_id: UUID
    quantity: Decimal
    purpose: str
    purpose_type: str
    purpose_id: UUID | None
    reserved_by_name: str
    created_at: datetime
    department_id: UUID | None


class ReservationPage(PageOf[ReservationRead]):
    """One page of reservations."""


class SerialRead(BaseModel):
    """A piece with a serial number, and where it is now."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    part_id: UUID
    part_code: str = ""
    part_name: str = ""
    variant_id: UUID | None
    variant_code: str = ""
    serial: str
    status: SerialStatus
    location_id: UUID | None
    location_name: str = ""
    device_id: UUID | None
    lot: str | None
    expires_on: date | None
    department_id: UUID | None
    updated_at: datetime


class SerialPage(PageOf[SerialRead]):
    """One page of pieces."""
