"""What the API says of how one wants to be told."""

from datetime import time
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from fleetkeeper.notifications.rules.schemas import EventPattern


class Digest(StrEnum):
    """How mails are gathered."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


class Preferences(BaseModel):
    """How you want to be told. What is critical goes out at once all the same."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    email: bool = Field(default=True, description="Whether notifications come by email at all")
    muted_events: list[EventPattern] = Field(
        default=[], max_length=50, description="Events of which no email comes, by name or as in `jobs.*`"
    )
    quiet_from: time | None = Field(default=None, description="When quiet hours begin, in your time zone")
    quiet_until: time | None = Field(
        default=None, validate_default=True, description="When they end; may be on the next day"
    )
    digest: Digest = Field(default=Digest.NONE, description="One email for all of an hour or a day")

    @field_validator("quiet_from", "quiet_until")
    @classmethod
    def _check_zone(cls, value: time | None) -> time | None:
        if value is not None and value.tzinfo is not None:
            raise ValueError("must have no time zone; your account's applies")
        return value and value.replace(second=0, microsecond=0)

    @field_validator("quiet_until")
    @classmethod
    def _check_both(cls, value: time | None, info: ValidationInfo) -> time | None:
        if (value is None) is not (info.data.get("quiet_from") is None):
            raise ValueError("must be given together with the other time")
        return value
