"""What the API says of stock counts."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.stock.amounts import QuantityOrNone
from fleetkeeper.stock.counting.status import CountStatus


class CountWrite(BaseModel):
    """What is entered of a stock count."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    location_id: UUID


class CountRead(CountWrite):
    """A stock count."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    status: CountStatus
    closed_at: datetime | None
    department_id: UUID | None
    version: int
    created_at: datetime
    updated_at: datetime


class CountPage(PageOf[CountRead]):
    """One page of stock counts."""


class Counted(BaseModel):
    """How many of a part were counted; the last word counts."""

    model_config = ConfigDict(extra="forbid")

    part_id: UUID
    variant_id: UUID | None = None
    counted: QuantityOrNone


class LineRead(BaseModel):
    """What was counted of a part, and how many there should have been."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    count_id: UUID
    part_id: UUID
    part_code: str = ""
    part_name: str = ""
    unit_of_measure: str = "unit"
    variant_id: UUID | None
    variant_code: str = ""
    expected: Decimal
    counted: Decimal
    variance: Decimal
    counted_by_name: str
    counted_at: datetime


class LinePage(PageOf[LineRead]):
    """One page of what was counted."""
