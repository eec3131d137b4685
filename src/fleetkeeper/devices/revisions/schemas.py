"""What the API says of what was and what changed."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

ObjectType = Literal[
    "devices",
    "device_relationships",
    "vms",
    "network_interfaces",
    "ip_addresses",
    "storage_volumes",
    "hardware_components",
]


class ChangeRead(BaseModel):
    """One change of a device or of a part of it."""

    model_config = ConfigDict(from_attributes=True)

    device_id: UUID
    object_type: str
    object_id: UUID
    operation: str = Field(description="insert, update or delete")
    at: datetime
    changed: list[str] = Field(description="Fields that an update changed")
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    actor_kind: str
    actor_name: str
    reason: str


class ChangeFeed(BaseModel):
    """Changes in order."""

    results: list[ChangeRead]
    next: str = Field(
        description="The cursor to ask with for what comes behind these; keep it where there is nothing"
    )


class FieldDifference(BaseModel):
    """A field that is not what it was."""

    field: str
    before: Any
    after: Any


class Difference(BaseModel):
    """What became of a device or a part between two times."""

    device_id: UUID
    object_type: str
    object_id: UUID
    name: str
    operation: Literal["added", "removed", "changed"]
    fields: list[FieldDifference]


class Differences(BaseModel):
    """What became of devices between two times."""

    results: list[Difference]
    is_cut: bool = Field(description="Whether there are more than are told")
