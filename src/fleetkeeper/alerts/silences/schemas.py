"""What the API says of silences."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.recurrence import Recurrence
from fleetkeeper.alerts.recurrence_rules import RecurrenceError
from fleetkeeper.alerts.rules.conditions import checked_matchers
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.moments import Moment
from fleetkeeper.kit.pagination import PageOf


class SilenceState(StrEnum):
    """Whether a silence quiets now."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


class AlertSilenceWrite(BaseModel):
    """What is entered of a silence: once from start to end, or again and again by a recurrence rule."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    comment: Description = Field(default="", description="Why")
    matchers: Annotated[str, Field(max_length=4000)] = Field(
        default="", description='Labels of alerts, such as alertname="Disk full", instance=~"web-.*"'
    )
    device_id: UUID | None = Field(default=None, description="Only alerts of this device")
    tag_id: UUID | None = Field(default=None, description="Only alerts of devices with this tag")
    department_id: UUID | None = Field(
        default=None, description="Only alerts of this department and those below it; null: all"
    )
    starts_at: Moment = Field(
        default_factory=utc_now, description="Start; of a recurring one its first possible start"
    )
    ends_at: Moment | None = Field(default=None, description="End; null only for a recurring silence")
    recurrence: Annotated[str, Field(max_length=500)] | None = Field(
        default=None, description="RFC 5545 rule, such as FREQ=WEEKLY;BYDAY=SU"
    )
    time_zone: str = Field(
        default="UTC", max_length=60, description="Time zone of the recurrence rule, by IANA name"
    )
    duration_seconds: Annotated[int, Field(ge=60, le=2_678_400)] | None = Field(
        default=None, description="How long each occurrence of a recurring silence lasts"
    )

    _matchers = field_validator("matchers")(checked_matchers)

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        try:
            _ = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("There is no such time zone; enter a name such as Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _check(self) -> "AlertSilenceWrite":
        _check_scope(self)
        if (self.recurrence is None) != (self.duration_seconds is None):
            raise ValueError("a recurring silence has both a recurrence and a duration_seconds")
        if self.recurrence is None and self.ends_at is None:
            raise ValueError("ends_at: a silence that does not recur needs an end")
        if self.ends_at is not None and self.ends_at < self.starts_at:
            raise ValueError("ends_at lies before starts_at")
        if self.recurrence is not None:
            try:
                _ = recurrence_of(self)
            except RecurrenceError as error:
                raise ValueError(f"recurrence: {error}") from None
        return self


def _check_scope(silence: AlertSilenceWrite) -> None:
    """A silence of everything is a mistake: as in Alertmanager, matchers that missing labels fulfill limit nothing."""
    if silence.device_id or silence.tag_id or silence.department_id:
        return
    matchers = parse_matchers(silence.matchers)
    if not matchers:
        raise ValueError(
            "Choose a device, tag or department, or enter matchers; else all alerts are silenced"
        )
    if all(one.matches({}) for one in matchers):
        raise ValueError(
            "The matchers also match alerts without these labels, so that all alerts could be silenced; add one "
            'that needs a value, such as alertname="Disk full"'
        )


class AlertSilenceRead(AlertSilenceWrite):
    """A silence."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    created_by: str
    version: int
    created_at: datetime
    updated_at: datetime

    @field_validator("time_zone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        """What is stored was checked as it was entered."""
        return name

    @field_validator("matchers", mode="before")
    @classmethod
    def _told(cls, stored: object) -> object:
        return (
            stored[0] if isinstance(stored, list) and stored else "" if isinstance(stored, list) else stored
        )

    @model_validator(mode="after")
    def _check(self) -> "AlertSilenceRead":
        """What is stored was checked as it was entered."""
        return self


class AlertSilencePage(PageOf[AlertSilenceRead]):
    """One page of silences."""


def recurrence_of(silence: AlertSilenceWrite) -> Recurrence:
    """The windows of a recurring silence. Raises RecurrenceError."""
    try:
        zone = ZoneInfo(silence.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise RecurrenceError("There is no such time zone.", "time_zone") from None
    local = silence.starts_at.astimezone(zone).replace(tzinfo=None, microsecond=0)
    duration = timedelta(seconds=silence.duration_seconds or 0)
    return _recurrence(silence.recurrence or "", silence.time_zone, local, duration)


@lru_cache(maxsize=2000)
def _recurrence(rule: str, time_zone: str, local: datetime, duration: timedelta) -> Recurrence:
    """Made once: it is asked for at each moment at which something is silenced."""
    return Recurrence(rule, time_zone, local, duration)


def state_of(silence: AlertSilenceWrite, now: datetime) -> SilenceState:
    """Whether a silence quiets at a moment."""
    if silence.ends_at is not None and silence.ends_at <= now:
        return SilenceState.EXPIRED
    if silence.starts_at > now:
        return SilenceState.PENDING
    if silence.recurrence is None:
        return SilenceState.ACTIVE
    return (
        SilenceState.ACTIVE if recurrence_of(silence).window_at(now.astimezone(UTC)) else SilenceState.PENDING
    )
