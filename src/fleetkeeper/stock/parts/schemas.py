"""What the API says of parts and variants."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.devices.components.schemas import ComponentKind
from fleetkeeper.identity.texts import Description, FullName, LongName
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.stock.amounts import Currency, Money

_CODE = shaped(
    r"^[A-Za-z0-9][A-Za-z0-9 ._/+#-]*$",
    "begin with a letter or digit and have no other marks than ._/+#- and spaces",
)
Code = Annotated[str, Field(min_length=1, max_length=50, pattern=_CODE)]
Unit = Annotated[
    str,
    Field(
        min_length=1,
        max_length=20,
        pattern=shaped(r"^[A-Za-z0-9²³%]+$", "be a word such as unit, m, kg or l"),
        description="What quantities count: unit, m, kg, l …",
    ),
]
Category = Annotated[
    str,
    Field(
        max_length=100,
        pattern=shaped(
            r"^$|^[^\x00-\x1f\x7f/]+(/[^\x00-\x1f\x7f/]+)*$",
            "be a category such as Memory or a path such as Memory/DDR4",
        ),
        description="A path in the tree of categories, such as Memory/DDR4",
    ),
]
Kinds = Annotated[list[Annotated[str, Field(max_length=30)]], Field(max_length=20)]
Models = Annotated[list[LongName], Field(max_length=100)]
MOST_ATTRIBUTES = 50


class PartWrite(BaseModel):
    """What is entered of a part."""

    model_config = ConfigDict(extra="forbid")

    part_code: Code
    name: LongName
    description: Description = ""
    category: Category = ""
    unit_of_measure: Unit = "unit"
    is_serialized: bool = Field(default=False, description="Each piece has a serial number")
    has_lots: bool = Field(default=False, description="Comes in lots, which may expire")
    component_kind: ComponentKind | None = Field(
        default=None, description="What it is in a device once it is fitted; null: no component"
    )
    fits_device_types: Kinds = Field(default=[], description="Types of devices that it fits; empty: all")
    fits_models: Models = Field(default=[], description="Models of devices that it fits; empty: all")
    replaced_by_id: UUID | None = Field(default=None, description="The part that takes its place")
    is_active: bool = True
    department_id: UUID | None = Field(default=None, description="Who sees it; null: everybody")


class PartRead(PartWrite):
    """A part."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class PartPage(PageOf[PartRead]):
    """One page of parts."""


class VariantWrite(BaseModel):
    """What is entered of a variant."""

    model_config = ConfigDict(extra="forbid")

    part_id: UUID
    variant_code: Code
    variant_name: FullName = ""
    attributes: dict[str, Any] = Field(
        default={}, description="Such as color and size", max_length=MOST_ATTRIBUTES
    )
    cost_per_unit: Money | None = None
    retail_price: Money | None = None
    currency: Currency = "EUR"
    is_available: bool = True

    @field_validator("attributes")
    @classmethod
    def _check_attributes(cls, value: dict[str, Any]) -> dict[str, Any]:
        for key, one in value.items():
            if len(key) > 100 or "\x00" in key or not isinstance(one, str | int | float | bool | None):
                raise ValueError("must have short names, and texts or numbers as values")
            if isinstance(one, str) and (len(one) > 500 or "\x00" in one):
                raise ValueError("must have values of at most 500 characters")
        return value


class VariantRead(VariantWrite):
    """A variant of a part."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    part_code: str = ""
    part_name: str = ""
    department_id: UUID | None = Field(description="That of the part")
    version: int
    created_at: datetime
    updated_at: datetime


class VariantPage(PageOf[VariantRead]):
    """One page of variants."""


class PriceRead(BaseModel):
    """What a price was from when on."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    part_id: UUID
    variant_id: UUID | None
    supplier_id: UUID | None
    kind: str = Field(description="cost, retail or supplier")
    price: Decimal | None
    currency: str
    since: datetime


class PricePage(PageOf[PriceRead]):
    """One page of prices."""


class Scanned(BaseModel):
    """What a code that was scanned or typed means."""

    part: PartRead
    variant_id: UUID | None = None
    serial: str | None = Field(default=None, description="Where the code is a piece's serial number")
    location_id: UUID | None = Field(default=None, description="Where that piece lies")
