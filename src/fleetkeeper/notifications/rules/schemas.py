"""What the API says of rules."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.identity.texts import MailAddress, Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.notifications.events import Severity

_EVENTS = shaped(r"^(\*|[a-z_]+\.(\*|[a-z_]+))$", "be an event, such as devices.offline, devices.* or *")
EventPattern = Annotated[str, Field(max_length=80, pattern=_EVENTS)]
Events = Annotated[
    list[EventPattern],
    Field(
        min_length=1,
        max_length=50,
        description="Names of events, or all of a room as in `jobs.*`, or all: `*`",
    ),
]
UserIds = Annotated[list[UUID], Field(max_length=200, description="Email recipients: users")]
GroupIds = Annotated[
    list[UUID], Field(max_length=50, description="Email recipients: members of these groups")
]
Addresses = Annotated[list[MailAddress], Field(max_length=50, description="Email recipients: addresses")]


class RuleCreate(BaseModel):
    """A new rule."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    enabled: bool = True
    events: Events
    minimum_severity: Severity = Severity.INFO
    department_id: UUID | None = Field(
        default=None, description="Only events of this department and those below it; null: all events"
    )
    channel_id: UUID
    user_ids: UserIds = []
    group_ids: GroupIds = []
    addresses: Addresses = []


class RuleUpdate(BaseModel):
    """Changes of a rule. Its department stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    enabled: bool | None = None
    events: Events | None = None
    minimum_severity: Severity | None = None
    channel_id: UUID | None = None
    user_ids: UserIds | None = None
    group_ids: GroupIds | None = None
    addresses: Addresses | None = None

    @model_validator(mode="after")
    def _check_nulls(self) -> "RuleUpdate":
        emptied = sorted(name for name in self.model_fields_set if getattr(self, name) is None)
        if emptied:
            raise ValueError(f"{', '.join(emptied)} cannot be null")
        return self


class RuleRead(BaseModel):
    """A rule."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    enabled: bool
    events: list[str]
    minimum_severity: Severity
    department_id: UUID | None
    channel_id: UUID
    channel: str = Field(default="", description="The channel's name")
    user_ids: list[UUID]
    group_ids: list[UUID]
    addresses: list[str]
    version: int
    created_at: datetime
    updated_at: datetime


class RulePage(PageOf[RuleRead]):
    """One page of rules."""


class EventTypeRead(BaseModel):
    """A kind of event that rules can name."""

    name: str
    title: str
    severity: Severity
    fields: list[str]
