"""What the API takes and gives."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.telemetry.archive.status import DeletionState

_MOST_DAYS = 36_500
_Days = Field(default=None, ge=1, le=_MOST_DAYS)
INTERVAL = shaped(
    r"^[1-9]\d{0,3} (second|minute|hour|day)s?$", "be a duration such as 30 minutes, 1 hour or 7 days"
)


class PolicyRead(BaseModel):
    """One policy. No number of days means never."""

    id: int
    name: str
    priority: int
    metric_group: str | None
    device_type: str | None
    department_id: UUID | None
    department: str | None
    raw_days: int | None
    archive_after_days: int | None
    downsample_after_days: int | None
    downsample_interval: str
    hour_rollup_days: int | None
    day_rollup_days: int | None
    week_rollup_days: int | None
    month_rollup_days: int | None
    is_base: bool
    last_run: datetime | None
    updated_at: datetime


class PolicyWrite(BaseModel):
    """What a policy says; what is left out of a change stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=100, description="What people call it")
    priority: int = Field(
        default=0, ge=-1000, le=1000, description="The highest applies; 0 lets what names more win"
    )
    metric_group: str | None = Field(
        default=None, min_length=1, max_length=50, description="Only metrics of this group, such as `cpu`"
    )
    device_type: str | None = Field(
        default=None, min_length=1, max_length=50, description="Only devices of this type"
    )
    department_id: UUID | None = Field(
        default=None, description="Only devices of this department and those below it"
    )
    raw_days: int | None = Field(
        default=None, ge=1, le=3650, description="Days until raw samples go, wherever they are"
    )
    archive_after_days: int | None = Field(
        default=None,
        ge=1,
        le=_MOST_DAYS,
        description="Days until raw samples move from the database to files",
    )
    downsample_after_days: int | None = Field(
        default=None, ge=1, le=_MOST_DAYS, description="Days until raw samples go and only rollups stay"
    )
    downsample_interval: str = Field(
        default="1 hour", pattern=INTERVAL, description="What is left then; from a day on, hours go too"
    )
    hour_rollup_days: int | None = _Days
    day_rollup_days: int | None = _Days
    week_rollup_days: int | None = _Days
    month_rollup_days: int | None = _Days


class PolicyList(BaseModel):
    """All policies, the strongest first."""

    results: list[PolicyRead]


class EffectivePolicy(BaseModel):
    """Which policy holds for a metric of a device, and why."""

    device: UUID
    metric: str
    metric_group: str
    policy: PolicyRead | None
    reason: str
    others: list[str] = Field(description="Policies that would hold otherwise, the next one first")
    archived_before: date | None = Field(description="Raw samples of days before this one belong into files")
    removed_before: date | None = Field(description="Raw samples of days before this one go")


class OutcomeLine(BaseModel):
    """What one policy moves (`archive`) or removes (`remove`) of one tier."""

    policy_id: int | None
    policy: str
    action: str
    tier: str = Field(
        description="`chunks`, `archive`, `hour`, `day`, `week`, `month`, `processes`, `states` or `login_sessions`"
    )
    devices: int
    pieces: int = Field(description="Chunks, files or rows")
    samples: int
    size_bytes: int = Field(description="Bytes that come back")


class Outcome(BaseModel):
    """What a run did, or would do."""

    lines: list[OutcomeLine] = []
    dropped_months: list[str] = []
    dropped_bytes: int = 0
    written_bytes: int = 0
    removed_files: int = 0
    united_files: int = 0
    errors: list[str] = []


class FileRead(BaseModel):
    """One file that counts."""

    id: UUID
    day: date
    store: str
    path: str
    devices: int
    rows: int
    size_bytes: int
    sha256: str
    made_at: datetime
    checked_at: datetime | None
    problem: str


class FilePage(PageOf[FileRead]):
    """A page of files."""


class StoreState(BaseModel):
    """Where the archive is, and what it holds."""

    store: str
    place: str
    files: int
    rows: int
    size_bytes: int
    first_day: date | None
    last_day: date | None
    problems: int
    is_running: bool
    is_verifying: bool


class Amounts(BaseModel):
    """What a deletion takes away, by tier."""

    device: UUID
    device_name: str
    metric: str | None
    first_day: date | None
    last_day: date | None
    frames: int
    chunks: int
    chunk_samples: int
    chunk_bytes: int
    archive_files: int = Field(description="Files that are rewritten without the device")
    archive_samples: int
    archive_bytes: int
    rollups: int
    process_lists: int
    login_sessions: int
    states: int


class DeletionCreate(BaseModel):
    """What is to go: all telemetry of a device, or a metric of it, or some days (UTC, both included)."""

    model_config = ConfigDict(extra="forbid")

    device: UUID
    metric: str | None = Field(default=None, min_length=1, max_length=200)
    first_day: date | None = Field(default=None, description="First day (UTC)")
    last_day: date | None = Field(default=None, description="Last day (UTC)")


class DeletionRead(BaseModel):
    """One deletion, and how far it is."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    device_name: str
    metric: str | None
    first_day: date | None
    last_day: date | None
    state: DeletionState
    step: str
    requested_by: str
    reason: str
    requested_at: datetime
    finished_at: datetime | None
    outcome: dict[str, Any]
    problem: str


class DeletionPage(PageOf[DeletionRead]):
    """A page of deletions."""
