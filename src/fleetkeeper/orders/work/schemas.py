"""What the API says of work orders."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, LongName
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.orders.work.status import WorkStatus
from fleetkeeper.stock.amounts import Quantity
from fleetkeeper.stock.levels.schemas import MOST_SERIALS, Serial


class WorkWrite(BaseModel):
    """What is entered of a work order."""

    model_config = ConfigDict(extra="forbid")

    title: LongName
    device_id: UUID
    part_id: UUID
    variant_id: UUID | None = None
    quantity: Quantity = Decimal(1)
    location_id: UUID = Field(description="Where the part is taken from")
    assigned_to: UUID | None = Field(default=None, description="Who does it; null: anybody")
    starts_at: AwareDatetime | None = Field(default=None, description="The maintenance window's start")
    ends_at: AwareDatetime | None = Field(default=None, description="Its end")
    instructions: Description = ""
    order_id: UUID | None = Field(default=None, description="The order that the part comes with")


class WorkRead(WorkWrite):
    """A work order."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    id: UUID
    number: str
    status: WorkStatus
    part_code: str = ""
    part_name: str = ""
    variant_code: str = ""
    location_name: str = ""
    device_name: str = ""
    assigned_to_name: str = ""
    starts_at: datetime | None
    ends_at: datetime | None
    done_at: datetime | None
    done_by_name: str
    department_id: UUID | None = Field(description="That of the device")
    version: int
    created_at: datetime
    updated_at: datetime


class WorkPage(PageOf[WorkRead]):
    """One page of work orders."""


class WorkDone(BaseModel):
    """What was fitted."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str, Field(min_length=1, max_length=300)] = Field(
        description="The code of the part at the machine, scanned or typed: a label, a part's code, a serial number"
    )
    serials: list[Serial] = Field(default=[], max_length=MOST_SERIALS)
    fits_anyway: bool = Field(default=False, description="Although the part is not meant for this device")
    note: Annotated[str, Field(max_length=400, pattern=r"^[^\x00]*$")] = ""
