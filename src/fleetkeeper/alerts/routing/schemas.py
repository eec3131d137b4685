"""What the API says of receivers and routes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from fleetkeeper.alerts.rules.conditions import checked_matchers
from fleetkeeper.identity.texts import MailAddress, Name
from fleetkeeper.kit.pagination import PageOf

Ids = Annotated[list[UUID], Field(max_length=100)]


class AlertReceiverWrite(BaseModel):
    """What is entered of a receiver."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    channel_ids: Ids = Field(default=[], description="Notification channels; all of them are notified")
    user_ids: Ids = Field(default=[], description="Users: in their inbox, and by mail")
    group_ids: Ids = Field(default=[], description="Members of these groups, as users")
    addresses: Annotated[list[MailAddress], Field(max_length=50)] = Field(
        default=[], description="More email recipients"
    )
    sends_resolved: bool = Field(default=True, description="Whether it is notified when alerts are resolved")
    department_id: UUID | None = Field(default=None, description="Whose it is; null: the whole installation")


class AlertReceiverRead(AlertReceiverWrite):
    """A receiver."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int
    created_at: datetime
    updated_at: datetime


class AlertReceiverPage(PageOf[AlertReceiverRead]):
    """One page of receivers."""


class AlertRouteWrite(BaseModel):
    """What is entered of a route. What is null is as the route above has it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    parent_id: UUID | None = Field(default=None, description="The route above; null only for the first one")
    position: int = Field(default=0, ge=0, le=10_000, description="Order among the routes of one parent")
    matchers: str = Field(
        default="",
        max_length=4000,
        description='Labels of alerts, such as severity=~"high|critical"; empty: all',
    )
    receiver_id: UUID | None = None
    group_by: (
        Annotated[list[Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=20)] | None
    ) = Field(default=None, description="Labels that alerts of one message share; `...`: all")
    group_wait_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = Field(
        default=None, description="Wait before the first message of a group"
    )
    group_interval_seconds: Annotated[int, Field(ge=1, le=604_800)] | None = Field(
        default=None, description="Wait before changes of a group are sent"
    )
    repeat_interval_seconds: Annotated[int, Field(ge=60, le=31_536_000)] | None = Field(
        default=None, description="Time after which people are notified again of what still fires"
    )
    continues: bool = Field(default=False, description="Whether routes after this one are looked at, too")
    escalate_after_seconds: Annotated[int, Field(ge=60, le=604_800)] | None = Field(
        default=None, description="Time without acknowledgment after which another receiver is notified, too"
    )
    escalate_to_id: UUID | None = Field(default=None, description="That receiver")
    department_id: UUID | None = Field(
        default=None, description="Only alerts of this department and those below it; null: all"
    )

    _matchers = field_validator("matchers")(checked_matchers)


class AlertRouteRead(AlertRouteWrite):
    """A route."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    version: int
    created_at: datetime
    updated_at: datetime

    @field_validator("matchers", mode="before")
    @classmethod
    def _told(cls, stored: object) -> object:
        return (stored[0] if stored else "") if isinstance(stored, list) else stored


class AlertRoutePage(PageOf[AlertRouteRead]):
    """One page of routes."""


class RouteTest(BaseModel):
    """An invented alert, to see where it would go."""

    model_config = ConfigDict(extra="forbid")

    labels: Annotated[dict[str, str], Field(max_length=100)]
    department_id: UUID | None = None


class RouteStep(BaseModel):
    """One route that an alert came by."""

    route_id: UUID
    name: str
    depth: int
    is_taken: bool
    is_end: bool = Field(description="Whether its receiver is notified there")
    why: str


class RouteAnswer(BaseModel):
    """Where an alert goes, step by step, and who is notified in the end."""

    steps: list[RouteStep]
    receivers: list[str]
