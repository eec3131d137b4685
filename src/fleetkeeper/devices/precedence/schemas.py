"""What the API says of which source counts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.devices.precedence.attributes import ATTRIBUTES
from fleetkeeper.devices.precedence.resolving import ANY_ATTRIBUTE
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_SYSTEM = shaped(
    r"^[a-z][a-z0-9_.-]*$", "begin with a small letter, and consist of small letters, digits, _, . and -"
)
SourceSystem = Annotated[str, Field(max_length=50, pattern=_SYSTEM)]


class RuleWrite(BaseModel):
    """How much a source is believed about an attribute."""

    model_config = ConfigDict(extra="forbid")

    attribute: str = Field(default=ANY_ATTRIBUTE, description="An attribute of devices, or * for any")
    source_system: SourceSystem = Field(description="Such as agent, vcenter, foreman, manual")
    rank: int = Field(ge=1, le=1000, description="The lowest rank is believed first")
    max_age_days: int | None = Field(
        default=None,
        ge=1,
        le=3650,
        description="What it said longer ago counts only where nobody else is fresh",
    )

    @field_validator("attribute")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value != ANY_ATTRIBUTE and value not in ATTRIBUTES:
            raise ValueError(f"must be * or one of {', '.join(ATTRIBUTES)}")
        return value


class RuleRead(BaseModel):
    """A rule."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    attribute: str
    source_system: str
    rank: int
    max_age_days: int | None
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def department_id(self) -> None:
        """Rules are the installation's."""


class RulePage(PageOf[RuleRead]):
    """One page of rules."""
