"""What the API says of suppliers and their prices."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.identity.texts import Description, FullName, LongName, MailAddress
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.stock.amounts import Currency, Money, Quantity

Days = Annotated[int, Field(ge=0, le=3650, description="Days")]
Website = Annotated[
    str,
    Field(
        max_length=255,
        pattern=shaped(r"^https?://[^\s\x00-\x1f\"'<>]+$", "be an address such as https://example.com"),
    ),
]
Phone = Annotated[
    str,
    Field(
        max_length=20,
        pattern=shaped(r"^[0-9+() ./-]+$", "be a telephone number such as +49 30 1234567"),
    ),
]
Sku = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
MOST_BREAKS = 20


class SupplierWrite(BaseModel):
    """What is entered of a supplier."""

    model_config = ConfigDict(extra="forbid")

    name: LongName
    contact_name: FullName = ""
    contact_email: MailAddress | None = None
    contact_phone: Phone | None = None
    website: Website | None = None
    address: Description = ""
    notes: Description = ""
    lead_time_days: Days | None = Field(
        default=None, description="What it promises; days from order to delivery"
    )
    currency: Currency = "EUR"
    minimum_order_value: Money | None = None
    is_preferred: bool = False
    is_active: bool = True
    department_id: UUID | None = Field(default=None, description="Who sees it; null: everybody")


class SupplierRead(SupplierWrite):
    """A supplier."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    measured_lead_time_days: Decimal | None = Field(
        description="The median of its deliveries; null: none yet"
    )
    version: int
    created_at: datetime
    updated_at: datetime


class SupplierPage(PageOf[SupplierRead]):
    """One page of suppliers."""


class PriceBreak(BaseModel):
    """The price from a quantity on."""

    model_config = ConfigDict(extra="forbid")

    quantity: Quantity
    price: Money


class OfferWrite(BaseModel):
    """What is entered of a supplier's price of a part."""

    model_config = ConfigDict(extra="forbid")

    part_id: UUID
    variant_id: UUID | None = Field(default=None, description="Of this variant only; null: of the part")
    supplier_id: UUID
    sku: Sku | None = Field(default=None, description="The supplier's own number of it")
    supplier_cost: Money | None = Field(default=None, description="Per unit; null: on request")
    currency: Currency = "EUR"
    price_breaks: list[PriceBreak] = Field(default=[], max_length=MOST_BREAKS)
    pack_size: Quantity = Decimal(1)
    lead_time_days: Days | None = Field(default=None, description="Null: what the supplier promises for all")
    minimum_order_qty: Quantity = Decimal(1)
    is_preferred: bool = False
    department_id: UUID | None = Field(default=None, description="Who sees it; null: everybody")

    @field_validator("price_breaks")
    @classmethod
    def _check_breaks(cls, value: list[PriceBreak]) -> list[PriceBreak]:
        quantities = [one.quantity for one in value]
        if len(set(quantities)) < len(quantities):
            raise ValueError("must have each quantity once")
        return sorted(value, key=lambda one: one.quantity)


class OfferRead(OfferWrite):
    """A supplier's price of a part."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    part_code: str = ""
    part_name: str = ""
    variant_code: str = ""
    supplier_name: str = ""
    version: int
    created_at: datetime
    updated_at: datetime


class OfferPage(PageOf[OfferRead]):
    """One page of suppliers' prices."""


class Choice(BaseModel):
    """How a supplier serves a quantity, and why it stands where it does."""

    offer_id: UUID
    supplier_id: UUID
    supplier_name: str
    sku: str | None
    quantity: Decimal = Field(description="What has to be ordered: whole packs, the least quantity at least")
    unit_price: Decimal
    total_price: Decimal
    currency: str
    lead_time_days: int | None
    lead_time_is_measured: bool
    is_preferred: bool
    reasons: list[str] = Field(description="In plain words")


class Choices(BaseModel):
    """Who can deliver a quantity, the best first; and who cannot be compared."""

    quantity: Decimal
    choices: list[Choice]
    left_out: list[str] = Field(description="Suppliers without a price, or in another currency, and why")
