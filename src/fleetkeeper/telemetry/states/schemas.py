"""What the API says of states."""

from uuid import UUID

from pydantic import BaseModel, Field


class StateSeries(BaseModel):
    """The states of one channel."""

    metric: str
    labels: dict[str, str]
    changes: list[tuple[float, str | bool]] = Field(
        description="Epoch seconds and the value from then on; the first may have begun before the range"
    )


class StatesRead(BaseModel):
    """The states of a device."""

    device: UUID
    states: list[StateSeries]
    is_complete: bool = Field(description="Whether all changes fitted into the answer")
