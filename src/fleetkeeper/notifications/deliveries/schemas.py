"""What the API says of deliveries."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.notifications.deliveries.status import DeliveryState


class DeliveryRead(BaseModel):
    """One event on one channel to one recipient."""

    id: UUID
    event_id: UUID
    event: str = Field(description="The event's name, as `room.verb`")
    severity: str
    title: str
    channel_id: UUID
    channel: str = Field(description="The channel's name")
    recipient: str = Field(description="Email address; empty for webhooks and chat")
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None = Field(description="Time of the next attempt; null once it is finished")
    last_attempt_at: datetime | None
    response_status: int | None = Field(description="HTTP or SMTP status of the answer")
    last_error: str
    replay_of: UUID | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(PageOf[DeliveryRead]):
    """One page of deliveries."""
