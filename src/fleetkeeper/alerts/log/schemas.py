"""What the API says of alerts, and what people do about them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.alerts.status import AlertStatus, EventKind, Severity
from fleetkeeper.kit.moments import Moment
from fleetkeeper.kit.pagination import PageOf

Note = Annotated[str, Field(max_length=2000, pattern=r"^[^\x00]*$")]
MOST_AT_ONCE = 10_000


class AlertRead(BaseModel):
    """An alert, with document 002's columns."""

    model_config = ConfigDict(from_attributes=True)

    alert_id: int
    rule_id: UUID | None
    system_id: UUID | None = Field(description="The device")
    device_name: str
    department_id: UUID | None
    name: str
    severity: Severity
    status: AlertStatus
    triggered_at: datetime
    resolved_at: datetime | None
    pending_since: datetime | None
    metric_name: str
    actual_value: float | None = Field(description="The value as it was triggered")
    last_value: float | None
    threshold_value: float | None
    is_acknowledged: bool
    acknowledged_by: UUID | None
    acknowledged_at: datetime | None
    acknowledged_until: datetime | None
    snoozed_until: datetime | None
    assignee_id: UUID | None
    suppressed_by: dict[str, Any] | None = Field(description="Silences, or the alert that its device is down")
    is_flapping: bool
    labels: dict[str, str]
    annotations: dict[str, str]
    source: str
    generator_url: str
    resolution: str
    resolved_by: UUID | None

    @property
    def id(self) -> int:
        """By which a list knows it."""
        return self.alert_id


class AlertPage(PageOf[AlertRead]):
    """One page of alerts."""


class AlertEventRead(BaseModel):
    """Something that happened to an alert."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    kind: EventKind
    actor: str
    note: str
    details: dict[str, Any]


class AlertDetail(AlertRead):
    """An alert with its timeline, oldest first."""

    events: list[AlertEventRead]


class AlertAct(BaseModel):
    """What somebody does about alerts."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["acknowledge", "unacknowledge", "snooze", "unsnooze", "resolve", "assign", "comment"]
    alert_ids: (
        Annotated[list[Annotated[int, Field(ge=1, le=2**63 - 1)]], Field(max_length=MOST_AT_ONCE)] | None
    ) = None
    matching: str | None = Field(
        default=None,
        max_length=4000,
        description="Query string of the list, such as status=firing&severity=critical",
    )
    note: Note = ""
    until: Moment | None = Field(default=None, description="End of a snooze or of an acknowledgment")
    assignee_id: UUID | None = Field(default=None, description="Who cares for it; null: nobody")


class AlertActResult(BaseModel):
    """What became of it."""

    changed: int
    unchanged: int
    refused: int
    results: list["AlertActItem"]


class AlertActItem(BaseModel):
    """What became of one alert."""

    alert_id: int
    outcome: Literal["changed", "unchanged", "refused"]
    detail: str = ""


class AlertTimes(BaseModel):
    """How long alerts took: mean time to acknowledge, and to resolve (seconds)."""

    group: str = Field(description="Name of the rule or department, severity, or Monday of the week")
    alerts: int
    resolved: int
    mtta_seconds: float | None
    mttr_seconds: float | None
