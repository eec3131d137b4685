"""What the API says of orders, their lines, receipts and history."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.orders.status import OrderStatus
from fleetkeeper.stock.amounts import Currency, Money, Quantity, QuantityOrNone
from fleetkeeper.stock.levels.schemas import MOST_SERIALS, Lot, Serial

OrderType = Literal["purchase", "internal_transfer", "return"]
Percent = Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]
Rate = Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=8)]
MOST_LINES = 500


class OrderWrite(BaseModel):
    """What is entered of an order."""

    model_config = ConfigDict(extra="forbid")

    order_type: OrderType = "purchase"
    supplier_id: UUID | None = Field(default=None, description="Of a purchase or a return")
    deliver_to_id: UUID | None = Field(default=None, description="The location that it comes to")
    from_location_id: UUID | None = Field(
        default=None, description="Of a transfer or a return: the location that it comes from"
    )
    currency: Currency = "EUR"
    exchange_rate: Rate = Field(
        default=Decimal(1), description="What one unit of the currency is worth in that of approval rules"
    )
    expected_delivery_date: date | None = None
    notes: Description = ""
    request_id: UUID | None = Field(default=None, description="The request of a device that it serves")
    department_id: UUID | None = Field(default=None, description="Who sees it")


class OrderRead(OrderWrite):
    """An order."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    number: str
    status: OrderStatus
    supplier_name: str = ""
    total_price: Decimal = Field(description="With taxes, in the order's currency")
    created_by: UUID | None
    created_by_name: str
    approved_by: UUID | None = Field(description="Who approved it last")
    approved_at: datetime | None
    ordered_at: datetime | None
    received_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class OrderPage(PageOf[OrderRead]):
    """One page of orders."""


class ItemWrite(BaseModel):
    """What is entered of a line."""

    model_config = ConfigDict(extra="forbid")

    part_id: UUID
    variant_id: UUID | None = None
    quantity_ordered: Quantity
    unit_price: Money | None = Field(
        default=None, description="Null: the best price that the order's supplier has for this quantity"
    )
    tax_percent: Percent = Decimal(0)
    expected_delivery_date: date | None = None


class ItemRead(BaseModel):
    """A line of an order."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    order_id: UUID
    part_id: UUID
    part_code: str = ""
    part_name: str = ""
    unit_of_measure: str = "unit"
    variant_id: UUID | None
    variant_code: str = ""
    supplier_id: UUID | None
    quantity_ordered: Decimal
    quantity_received: Decimal
    quantity_damaged: Decimal = Field(description="Of what was received")
    unit_price: Decimal
    tax_percent: Decimal
    total_price: Decimal = Field(description="Without tax")
    expected_delivery_date: date | None


class ItemList(BaseModel):
    """All lines of an order."""

    results: list[ItemRead]


class ReceiptLine(BaseModel):
    """What came of a line."""

    model_config = ConfigDict(extra="forbid")

    item_id: UUID
    quantity: Quantity = Field(description="All that came, damaged pieces included")
    damaged: QuantityOrNone = Field(
        default=Decimal(0), description="How many of these are damaged: they are scrapped"
    )
    serials: list[Serial] = Field(default=[], max_length=MOST_SERIALS)
    lot: Lot | None = None
    expires_on: date | None = None


class ReceiptWrite(BaseModel):
    """A delivery, as it is entered: whole or in part."""

    model_config = ConfigDict(extra="forbid")

    lines: list[ReceiptLine] = Field(min_length=1, max_length=MOST_LINES)
    more_than_ordered: bool = Field(default=False, description="Take more than was ordered")
    note: Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")] = ""


class OrderEventRead(BaseModel):
    """Something that happened to an order."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    event_type: str
    event_description: str
    user_id: UUID | None
    user_name: str
    details: dict[str, Any]
    created_at: datetime


class OrderEventPage(PageOf[OrderEventRead]):
    """One page of an order's history."""
