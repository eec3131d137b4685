"""What the API says of merges."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.devices.precedence.attributes import ATTRIBUTES


class MergeWrite(BaseModel):
    """Which device turns out to be this one."""

    model_config = ConfigDict(extra="forbid")

    other_device_id: UUID = Field(description="The device that is the same machine")
    take_from_other: list[str] = Field(
        default=[],
        max_length=len(ATTRIBUTES) + 20,
        description="Attributes of which the other device's value counts; they are pinned where sources tell them",
    )


class MergedAttribute(BaseModel):
    """An attribute of which the two devices say different things."""

    attribute: str
    kept: Any = Field(description="What the device that stays has")
    other: Any = Field(description="What the other one has")
    result: Any = Field(description="What will count")
    why: str
    can_choose: bool


class MovedRows(BaseModel):
    """What goes to the device that stays."""

    noun: str
    number: int


class MergePreview(BaseModel):
    """What a merge would do."""

    kept_id: UUID = Field(
        description="The device that stays: the one with a working agent, else the one asked for"
    )
    kept_name: str
    other_id: UUID
    other_name: str
    score: float
    explanation: list[str] = Field(description="What speaks for and against one machine")
    attributes: list[MergedAttribute]
    moves: list[MovedRows]
    warnings: list[str]


class MergeRead(BaseModel):
    """A merge."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    merged_device_id: UUID
    merged_name: str
    merged_at: datetime
    merged_by: str
    is_automatic: bool
    reason: str
    changed: dict[str, Any]
    undone_at: datetime | None
    undone_by: str


class MergeList(BaseModel):
    """The merges of a device, the newest first."""

    results: list[MergeRead]
