"""What the API says of telemetry."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.patterns import shaped


class Series(msgspec.Struct):
    """One channel on a grid: points are [epoch seconds, value or null]."""

    device: str
    metric: str
    labels: dict[str, str]
    unit: str
    kind: str
    agg: str
    points: list[tuple[float, float | None]]


class PlanStep(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """A part of the range and what answered it: `samples` are frames, chunks and the archive, all else are rollups."""

    device: str
    source: str
    start: float
    end: float


class RangeAnswer(msgspec.Struct, rename={"start": "from", "end": "to"}):
    """The answer of a range query; times and step in seconds."""

    start: float
    end: float
    step: float | None
    series: list[Series]
    plan: list[PlanStep] | msgspec.UnsetType = msgspec.UNSET
    warnings: list[str] | msgspec.UnsetType = msgspec.UNSET


class SeriesRead(BaseModel):
    """One channel on a grid."""

    device: UUID
    metric: str
    labels: dict[str, str]
    unit: str
    kind: Literal["gauge", "counter"]
    agg: str
    points: list[tuple[float, float | None]] = Field(
        description="[epoch seconds, value or null], oldest first"
    )


class PlanStepRead(BaseModel):
    """A part of the range and what answered it."""

    device: UUID
    source: Literal["hour", "day", "samples"] = Field(
        description="Rollups of hours or of days; or frames, chunks and the archive"
    )
    start: float = Field(alias="from")
    end: float = Field(alias="to")


class RangeRead(BaseModel):
    """The answer of a range query."""

    start: float = Field(alias="from")
    end: float = Field(alias="to")
    step: float | None = Field(description="Distance of the points (seconds); null for raw points")
    series: list[SeriesRead]
    plan: list[PlanStepRead] | None = Field(default=None, description="With `explain` only")
    warnings: list[str] | None = Field(default=None, description="What could not be read, if anything")


class LatestValue(BaseModel):
    """The newest value of one channel."""

    metric: str
    labels: dict[str, str]
    value: float
    unit: str
    kind: str


class LatestRead(BaseModel):
    """The newest frame of a device."""

    device: UUID
    ts: float | None = Field(description="Epoch seconds; null when the device has never reported")
    values: list[LatestValue]


class MetricRead(BaseModel):
    """A metric of the catalog, with the label sets that a device has (when one was asked for)."""

    name: str
    unit: str
    kind: str
    group: str
    description: str
    is_built_in: bool = Field(description="Whether agents send it; others come from integrations")
    labels: list[dict[str, str]]


class MetricCatalogue(BaseModel):
    """All metrics."""

    results: list[MetricRead]


class ProcessesRead(BaseModel):
    """The top processes at a moment."""

    device: UUID
    ts: float | None = Field(description="When the list was made (epoch seconds); null when there is none")
    processes: list[dict[str, Any]]


class SessionRead(BaseModel):
    """A login session on a device."""

    model_config = ConfigDict(from_attributes=True)

    session_id: UUID
    username: str
    terminal: str
    host: str
    login_time: datetime
    logout_time: datetime | None
    is_active: bool
    session_duration_minutes: int | None
    peak_cpu_usage: float | None
    peak_ram_usage: float | None


class SessionsRead(BaseModel):
    """Login sessions, newest first."""

    results: list[SessionRead]


class ArchivePolicyRead(BaseModel):
    """Document 004's policy."""

    model_config = ConfigDict(from_attributes=True)

    retention_days: int
    archive_enabled: bool
    downsample_after_days: int
    downsample_interval: str
    last_archive_run: datetime | None
    updated_at: datetime


class ArchivePolicyUpdate(BaseModel):
    """What an administrator may change of the policy."""

    model_config = ConfigDict(extra="forbid")

    retention_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days that snapshots are kept"
    )
    archive_enabled: bool | None = Field(default=None, description="Whether older snapshots are removed")
    downsample_after_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until thinning out"
    )
    downsample_interval: str | None = Field(
        default=None,
        pattern=shaped(
            r"^[1-9]\d{0,3} (second|minute|hour|day)s?$", "be a duration such as 30 minutes, 1 hour or 7 days"
        ),
        description="Distance of samples after thinning out, such as `1 hour`",
    )


class FramesBody(BaseModel):
    """Documents the body of the ingest door; the door itself reads it with msgspec."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "batch_id": "0198f6a0-0000-7000-8000-000000000001",
                "frames": [
                    {
                        "ts": 1795132800.0,
                        "values": {"cpu_usage_percent": 45.2},
                        "states": {"system_reboot_required": False},
                    }
                ],
            }
        }
    )

    frames: list[dict[str, Any]]
    batch_id: UUID | None = None


class FramesAccepted(BaseModel):
    """How many frames are durable now, were stored before, or were rejected."""

    accepted: int
    duplicates: int
    rejected: list[dict[str, Any]] = Field(default_factory=list)
