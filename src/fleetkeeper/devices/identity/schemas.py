"""What the API says of pairs of devices that may be one."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf


class Point(BaseModel):
    """What one kind of evidence says."""

    kind: str
    points: float
    sentence: str


class ReviewRead(BaseModel):
    """Two devices that look like one machine."""

    id: UUID
    device_id: UUID
    device_name: str
    other_device_id: UUID
    other_device_name: str
    score: float = Field(
        description="Points for one machine, less those against; 70 are certain without a key"
    )
    explanation: list[Point]
    status: Literal["open", "merged", "different"]
    reason: str
    decided_at: datetime | None
    decided_by: str
    created_at: datetime


class ReviewPage(PageOf[ReviewRead]):
    """One page of pairs."""


class ReviewDecision(BaseModel):
    """What a person decides of a pair."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["open", "different"] = Field(
        description="`different` keeps them apart, `open` takes that back; to merge, use the device's merges"
    )
