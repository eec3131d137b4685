"""What the API says of deliveries."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

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
    recipient: str = Field(description="Of a mail: its address; empty elsewhere")
    state: DeliveryState
    attempts: int
    next_attempt_at: datetime | None = Field(description="When it is tried next; null once it is over")
    last_attempt_at: datetime | None
    response_status: int | None = Field(description="What the other side answered, by HTTP or SMTP")
    last_error: str
    replay_of: UUID | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryPage(BaseModel):
    """One page of deliveries."""

    count: int
    next: str | None
    previous: str | None
    results: list[DeliveryRead]
