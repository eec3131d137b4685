"""What the API says of sources."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class SourceRead(BaseModel):
    """What one source says of a device."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source_system: str
    source_instance: str
    source_id: str
    attributes: dict[str, Any]
    evidence: list[tuple[str, str]]
    is_confirmed: bool = Field(description="Whether a person said that it is this device")
    first_seen: datetime
    last_seen: datetime
    missing_since: datetime | None


class Said(BaseModel):
    """What one source says of an attribute."""

    source_system: str
    source_id: str
    value: Any
    last_seen: datetime
    counts: bool


class AttributeRead(BaseModel):
    """An attribute: what counts, why, and who says what."""

    attribute: str
    value: Any
    why: str
    is_pinned: bool
    is_disputed: bool = Field(description="Whether a source says something else than what counts")
    said: list[Said]


class DeviceSources(BaseModel):
    """The sources of a device, and what comes of them."""

    sources: list[SourceRead]
    attributes: list[AttributeRead]


class SplitResult(BaseModel):
    """The device that a source has become."""

    device_id: UUID
    name: str


class PinWrite(BaseModel):
    """A value that counts against all sources."""

    model_config = ConfigDict(extra="forbid")

    value: Annotated[str, Field(max_length=300)] | Annotated[int, Field(ge=0, le=2**62)] = Field(
        description="The value that counts, whatever sources say"
    )
