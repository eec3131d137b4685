"""What the API says of order proposals and forecasts."""

from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.jobs.status import RunState
from fleetkeeper.kit.bulk import Selection
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.replenishment.forecast import Method, Pattern
from fleetkeeper.replenishment.status import ProposalStatus


class ProposalRead(BaseModel):
    """What to order for a location, and why."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    status: ProposalStatus
    part_id: UUID
    part_code: str = ""
    part_name: str = ""
    unit_of_measure: str = "unit"
    variant_id: UUID | None
    variant_code: str = ""
    location_id: UUID
    location_name: str = ""
    supplier_id: UUID | None = Field(description="Null: no supplier has a price for it")
    supplier_name: str = ""
    quantity: Decimal = Field(description="Whole packs, the least order at least")
    unit_price: Decimal | None
    currency: str | None
    reorder_point: Decimal = Field(description="The one that was set by hand, else the suggested one")
    available: Decimal
    on_order: Decimal = Field(description="What comes by orders that are not finished, drafts included")
    reasons: list[str] = Field(description="In plain words")
    order_id: UUID | None = Field(description="The draft order that was made of it")
    order_number: str = ""
    dismissed_until: datetime | None = Field(
        description="Not proposed again until then, unless stock falls further"
    )
    department_id: UUID | None = Field(description="That of the location")
    made_at: datetime
    updated_at: datetime
    version: int


class ProposalPage(PageOf[ProposalRead]):
    """One page of order proposals."""


class ProposalSelection(Selection):
    """Which proposals."""

    dry_run: bool = Field(default=False, description="Only say what would become of each")


class ProposalRun(BaseModel):
    """The newest look through stock, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: RunState
    phase: str
    done: int = Field(description="Places that were looked at")
    total: int | None
    requested_at: datetime
    finished_at: datetime | None


class WeekRead(BaseModel):
    """What was taken in a week."""

    week: date = Field(description="Its Monday")
    quantity: float


class ForecastRead(BaseModel):
    """What to expect in each of the next weeks."""

    pattern: Pattern = Field(description="How it is taken, by its intervals and the variation of its sizes")
    method: Method
    mean_per_week: float
    error_per_week: float = Field(description="Root mean square of the errors one week ahead")
    low_per_week: float = Field(description="The mean less one error, 0 at least")
    high_per_week: float = Field(description="The mean and one error")
    weeks: int
    demands: int = Field(description="Weeks with demand among these")


class LeadTimeRead(BaseModel):
    """How long a delivery takes."""

    days: float
    deviation_days: float
    source: Literal["measured", "promised", "default"]
    deliveries: int = Field(description="How many were measured")


class StockForecast(BaseModel):
    """Demand for a part at a location, what is expected, and when to reorder."""

    inventory_id: UUID
    part_id: UUID
    variant_id: UUID | None
    location_id: UUID
    location_name: str
    unit_of_measure: str
    series: list[WeekRead] = Field(description="Complete weeks since the first movement, the newest 104")
    forecast: ForecastRead | None = Field(description="Null: too little data")
    lead_time: LeadTimeRead
    suggested_reorder_point: Decimal | None
    reorder_point: Decimal | None = Field(description="The one that was set by hand")
    available: Decimal
    on_order: Decimal
    quantity_to_order: Decimal | None = Field(description="Null: there is enough")
    reasons: list[str] = Field(description="In plain words")


class StockForecastList(BaseModel):
    """The forecasts of a part, one for each location."""

    results: list[StockForecast]
