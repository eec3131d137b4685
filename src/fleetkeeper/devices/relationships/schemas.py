"""What the API says of relationships of devices."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.text import is_storable

RelationshipType = Literal["hosts", "connects_to", "backs_up", "manages", "powers"]
MOST_KEYS = 50


class RelationshipWrite(BaseModel):
    """What is entered of a relationship; read it as a sentence: parent, type, child."""

    model_config = ConfigDict(extra="forbid")

    parent_device_id: UUID = Field(description="The device that hosts, manages, powers or backs up")
    child_device_id: UUID = Field(description="The device that is hosted, managed, powered or backed up")
    relationship_type: RelationshipType = Field(description="connects_to has no direction")
    metadata: dict[str, str | int | float | bool | None] = Field(
        default={}, max_length=MOST_KEYS, description="Such as ports of a cable", validation_alias="metadata"
    )
    valid_from: AwareDatetime | None = Field(default=None, description="Null: from now on")
    valid_to: AwareDatetime | None = Field(default=None, description="Null: it holds")

    @field_validator("metadata")
    @classmethod
    def _has_bounded_texts(cls, value: dict[str, Any]) -> dict[str, Any]:
        texts = [*value, *(one for one in value.values() if isinstance(one, str))]
        if any(len(one) > 1000 or not is_storable(one) for one in texts):
            raise ValueError("must have texts of at most 1,000 characters without NUL")
        return value


class RelationshipRead(BaseModel):
    """A relationship."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    parent_device_id: UUID
    child_device_id: UUID
    relationship_type: str
    metadata: dict[str, Any] = Field(validation_alias="extra")
    source_system: str
    valid_from: datetime
    valid_to: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


class RelationshipPage(PageOf[RelationshipRead]):
    """One page of relationships."""


class TopologyNode(BaseModel):
    """A device in a topology."""

    id: UUID
    name: str
    device_type: str
    status: str
    distance: int | None = Field(
        default=None, description="Relationships between it and the device that was asked about, if one was"
    )


class TopologyEdge(BaseModel):
    """A relationship in a topology."""

    id: UUID
    parent: UUID
    child: UUID
    type: str


class Topology(BaseModel):
    """Devices and how they are related."""

    nodes: list[TopologyNode]
    edges: list[TopologyEdge]
    is_cut: bool = Field(description="Whether there are more devices than are told")


class Dependent(BaseModel):
    """A device that fails if another one fails."""

    id: UUID
    name: str
    device_type: str
    status: str
    distance: int = Field(description="Failures between the device that was asked about and this one")
    because: str = Field(description="hosts, powers or connects_to: the relationship that takes it down")
    via: UUID = Field(description="The device at the other end of it")


class Dependents(BaseModel):
    """What fails if a device fails."""

    results: list[Dependent]
    is_cut: bool = Field(description="Whether there are more devices than are told")
