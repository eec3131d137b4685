"""What the API says of locations."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf

LocationType = Literal[
    "region",
    "site",
    "building",
    "floor",
    "room",
    "rack",
    "depot",
    "warehouse",
    "store",
    "garage",
    "vehicle",
    "other",
]


class LocationWrite(BaseModel):
    """What is entered of a location."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    location_type: LocationType = "site"
    parent_id: UUID | None = Field(default=None, description="The location that it lies in; null: none")
    department_id: UUID | None = Field(default=None, description="Who sees it; null: everybody")
    address: Description = ""
    description: Description = ""
    is_active: bool = True


class LocationRead(LocationWrite):
    """A location."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime


class LocationPage(PageOf[LocationRead]):
    """One page of locations."""
