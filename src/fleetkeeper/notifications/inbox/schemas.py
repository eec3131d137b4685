"""What the API says of one's own notifications."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.notifications.events import Severity


class NotificationRead(BaseModel):
    """One notification."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str = Field(description="The event's name, as `room.verb`")
    severity: Severity
    title: str
    body: str
    href: str = Field(description="The console's page of what it is about")
    created_at: datetime
    read_at: datetime | None


class NotificationPage(BaseModel):
    """One page of notifications."""

    count: int
    next: str | None
    previous: str | None
    unread: int = Field(description="How many are unread, on all pages")
    results: list[NotificationRead]


class MarkedRead(BaseModel):
    """How many were marked as read."""

    marked: int
