"""What the API says of questions over the whole fleet."""

from typing import Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, Field


class GroupSeries(msgspec.Struct):
    """One group's values by step: points are [epoch seconds, value or null]."""

    metric: str
    unit: str
    agg: str
    across: str | None
    group: dict[str, str]
    compared: bool
    points: list[tuple[float, float | None]]


class PlanPart(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """A part of the range, what answered it, and for how many devices."""

    source: str
    start: float
    end: float
    devices: int


class FleetAnswer(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """The answer; times in epoch seconds."""

    start: float
    end: float
    step: str
    groups: int
    series: list[GroupSeries]
    warnings: list[str]
    plan: list[PlanPart] | msgspec.UnsetType = msgspec.UNSET


class LastRow(msgspec.Struct):
    """The newest values of one device."""

    device: UUID
    name: str
    ts: float
    values: dict[str, float | None]


class LastAnswer(msgspec.Struct):
    """The newest values of all devices that have any."""

    results: list[LastRow]


class GroupSeriesRead(BaseModel):
    """One group's values by step."""

    metric: str
    unit: str
    agg: str
    across: str | None = Field(description="How devices were put together, if one by one")
    group: dict[str, str] = Field(description="What the group has in common; empty for the whole fleet")
    compared: bool = Field(description="Whether these are the values of the time that is compared with")
    points: list[tuple[float, float | None]] = Field(
        description="[epoch seconds, value or null], oldest first"
    )


class PlanPartRead(BaseModel):
    """A part of the range and what answered it."""

    source: Literal["samples", "hour", "day", "week", "month"]
    start: float = Field(alias="from")
    end: float = Field(alias="to")
    devices: int


class FleetRead(BaseModel):
    """Groups of series over a range of time."""

    start: float = Field(alias="from")
    end: float = Field(alias="to")
    step: str = Field(description="Seconds, or hour, day, week, month")
    groups: int = Field(description="How many groups there are, of which `top` are given")
    series: list[GroupSeriesRead]
    warnings: list[str] = Field(description="What could not be read")
    plan: list[PlanPartRead] | None = None


class LastRowRead(BaseModel):
    """The newest values of one device."""

    device: UUID
    name: str
    ts: float
    values: dict[str, float | None]


class LastRead(BaseModel):
    """The newest values of all devices that have any."""

    results: list[LastRowRead]
