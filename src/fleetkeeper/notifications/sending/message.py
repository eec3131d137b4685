"""What is sent, by what, and what may go wrong. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.models import NotificationEvent


@dataclass(frozen=True)
class Message:
    """An event as it goes out."""

    event_id: UUID
    name: str
    severity: str
    title: str
    body: str
    occurred_at: datetime
    department_id: UUID | None = None
    subject: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    # The page of what it is about; a bare path where the product does not know its own address.
    link: str = ""
    # What a receiver of another format than the product's own is told.
    payload: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class OpenChannel:
    """A channel with its secrets in clear, the newest first."""

    kind: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    url: str | None = None
    format: str = "standard"
    host: str | None = None
    port: int | None = None
    security: str | None = None
    username: str | None = None
    sender: str | None = None


class DeliveryFailedError(Exception):
    """It did not arrive. `is_final` where trying again is of no use."""

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        is_final: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail[:500]
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.is_final = is_final


def message_of(event: NotificationEvent, origin: str) -> Message:
    """An event as a message; `origin` is the product's own address, or nothing."""
    href = str(event.subject.get("href", ""))
    return Message(
        event_id=event.id,
        name=event.name,
        severity=event.severity,
        title=event.title,
        body=event.body,
        occurred_at=event.occurred_at,
        department_id=event.department_id,
        subject=event.subject,
        fields=event.fields,
        link=origin + href if href else "",
        payload=event.payload,
    )


def trial_message(channel: str) -> Message:
    """What a test of a channel sends."""
    return Message(
        event_id=uuid7(),
        name="notifications.test",
        severity="info",
        title="Fleetkeeper test notification",
        body=f"The notification channel {channel} works.",
        occurred_at=utc_now(),
        subject={"type": "notification_channel", "id": "", "label": channel, "href": "/notifications"},
    )
