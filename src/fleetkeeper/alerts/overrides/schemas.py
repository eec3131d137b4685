"""What the API says of overrides."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.alerts.rules.conditions import Seconds
from fleetkeeper.alerts.status import Severity
from fleetkeeper.kit.pagination import PageOf

Number = Annotated[float, Field(allow_inf_nan=False)]


class AlertOverrideWrite(BaseModel):
    """What is entered of an override. What is null is as the rule has it."""

    model_config = ConfigDict(extra="forbid")

    device_id: UUID | None = Field(default=None, description="The device; or give a tag")
    tag_id: UUID | None = Field(
        default=None, description="All devices with this tag; a device's own counts more"
    )
    enabled: bool = Field(default=True, description="false: the rule does not apply")
    threshold: Number | None = Field(default=None, description="Instead of the rule's threshold")
    recovery: Number | None = Field(
        default=None,
        description="Instead of the rule's recovery threshold; null: as far from the threshold as the rule's",
    )
    for_seconds: Seconds | None = Field(default=None, description="Instead of the rule's pending period")
    severity: Severity | None = None

    @model_validator(mode="after")
    def _check(self) -> "AlertOverrideWrite":
        if (self.device_id is None) == (self.tag_id is None):
            raise ValueError("Choose either a device or a tag")
        values = (self.threshold, self.recovery, self.for_seconds, self.severity)
        if self.enabled and all(one is None for one in values):
            raise ValueError("Enter what is different, or disable the rule there")
        return self


class AlertOverrideRead(AlertOverrideWrite):
    """An override."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    alert_rule_id: UUID
    device_name: str | None = None
    tag_name: str | None = None
    version: int
    created_at: datetime
    updated_at: datetime


class AlertOverridePage(PageOf[AlertOverrideRead]):
    """One page of overrides."""
