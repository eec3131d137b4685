"""What the doors of this sub-room answer."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.jobs.schemas import RunRead
from fleetkeeper.kit.pagination import PageOf

Tier = Literal["hot", "sealed", "rollups", "archive"]


class Space(BaseModel):
    """Samples and the bytes that they take, indexes and empty pages included."""

    samples: int
    size_bytes: int
    bytes_per_sample: float | None = Field(description="None where there are no samples.")


class TierSpace(Space):
    """A tier. Rollups count summaries: a count, sum, minimum, maximum and last value per channel and bucket."""

    tier: Tier
    measured_at: datetime


class GroupSpace(BaseModel):
    """A metric group, over all tiers and in each."""

    metric_type: str
    samples: int
    size_bytes: int
    tiers: dict[str, Space]


class SpaceRead(BaseModel):
    """What telemetry takes, as last measured."""

    measured_at: datetime | None = Field(description="None before the first measurement.")
    next_measurement_at: datetime = Field(description="When the worker measures next.")
    samples: int = Field(description="Raw samples: hot, sealed and archived, as last measured.")
    arrived_since: int = Field(description="Samples stored since the minute of the measurement.")
    size_bytes: int
    tiers: list[TierSpace]
    groups: list[GroupSpace]
    unshared_bytes: int = Field(
        description="Of tiers without any sample, which no group and no device takes."
    )
    compression_ratio: float | None = Field(
        description="Bytes of a hot sample divided by those of a sealed one; None while a tier is empty."
    )
    is_measuring: bool
    measured_tiers: int = Field(description="How many tiers the newest measurement has counted so far.")


class HistoryPoint(BaseModel):
    """The bytes of each tier at a moment."""

    at: datetime
    tiers: dict[str, int]


class History(BaseModel):
    """Totals over time, oldest first."""

    results: list[HistoryPoint]


class DeviceSpace(BaseModel):
    """What a device takes."""

    device: UUID
    name: str
    samples: int
    size_bytes: int
    hot_bytes: int
    sealed_bytes: int
    rollups_bytes: int
    archive_bytes: int
    channels: int


class DeviceSpacePage(PageOf[DeviceSpace]):
    """A page of devices."""


class RatePoint(BaseModel):
    """Samples stored per second, on average from `at` on."""

    at: datetime
    samples_per_second: float


class Arrival(BaseModel):
    """What became of what arrived by a protocol. `number` counts samples, and requests where they were refused."""

    protocol: str
    outcome: Literal["accepted", "duplicate", "rejected", "refused"]
    reason: str
    number: int


class Backlog(BaseModel):
    """Work that waits."""

    waiting: int
    oldest: datetime | None


class Health(BaseModel):
    """Whether telemetry keeps up."""

    now: datetime
    samples_per_second: float = Field(description="Over the last whole minutes.")
    arrived: list[Arrival] = Field(description="In the last 24 hours.")
    rates: list[RatePoint] = Field(description="The last 24 hours, in steps of five minutes.")
    sealing: Backlog = Field(
        description="Devices with frames that are due by their age, and the oldest of those."
    )
    rollups: Backlog = Field(description="Days of devices that changed, and the oldest of them.")
    merging: Backlog = Field(description="Days of devices with more chunks than they need.")
    archive_run: RunRead | None = Field(description="The newest run of the retention policies.")
    dropped_by_agents: int = Field(description="Frames that agents had to drop, as they say themselves.")
    seal_after_minutes: int


class LabelCount(BaseModel):
    """A label name of a device's channels."""

    label: str
    values: int
    channels: int


class Offender(BaseModel):
    """A device with many channels, and the labels that make them."""

    device: UUID
    name: str
    channels: int
    share_of_limit: float
    labels: list[LabelCount]


class NewChannels(BaseModel):
    """Channels that were new on a day (UTC)."""

    day: date
    channels: int


class Cardinality(BaseModel):
    """How many channels there are."""

    channels: int
    metrics: int
    max_channels_per_device: int = Field(
        description="A device's further channels are rejected; FLEETKEEPER_TELEMETRY__MAX_CHANNELS_PER_DEVICE."
    )
    devices_near_limit: int = Field(description="Devices with at least 80 % of it.")
    offenders: list[Offender]
    new_channels: list[NewChannels] = Field(description="The last fourteen days, oldest first.")
