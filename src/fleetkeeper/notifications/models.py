"""Events on their way out, where they go, by which rules, how that went, and what each person has to read."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.notifications.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class NotificationEvent(Keyed, Base):
    """Something that happened, written in the transaction in which it did: the outbox."""

    __tablename__ = "notification_events"
    __table_args__ = (
        Index("ix_notification_events_waiting", "id", postgresql_where=text("dispatched_at IS NULL")),
        Index("ix_notification_events_occurred_at", "occurred_at"),
        Index("ix_notification_events_department_id", "department_id"),
    )

    name: Mapped[str] = mapped_column(String(80))
    severity: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    # Its type, id, label and href.
    subject: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    fields: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="SET NULL"))
    to_users: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    # A way that whoever emits it names, besides those of rules: channels, and whom a mail on one of them goes to.
    to_channels: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    to_groups: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    to_addresses: Mapped[list[str]] = mapped_column(ARRAY(String(255)), server_default="{}")
    # What a receiver of another format than the product's own is told.
    payload: Mapped[dict[str, Any] | None]
    occurred_at: Mapped[datetime]
    dispatched_at: Mapped[datetime | None]


class NotificationChannel(Keyed, Timestamped, Base):
    """A way out: a mail server, a webhook, or a chat service."""

    __tablename__ = "notification_channels"
    __table_args__ = (
        CheckConstraint("kind IN ('email', 'webhook', 'chat')", name="kind"),
        CheckConstraint("format IN ('standard', 'alertmanager')", name="format"),
        UniqueConstraint("department_id", "name", postgresql_nulls_not_distinct=True),
    )

    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(10))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    per_minute: Mapped[int] = mapped_column(server_default="60")
    # Of a webhook.
    url: Mapped[str | None] = mapped_column(String(2000))
    format: Mapped[str] = mapped_column(String(20), server_default="standard")
    # Of a mail server.
    host: Mapped[str | None] = mapped_column(String(255))
    port: Mapped[int | None]
    security: Mapped[str | None] = mapped_column(String(10))
    username: Mapped[str | None] = mapped_column(String(255))
    sender: Mapped[str | None] = mapped_column(String(255))
    # Of a chat service: which one it is.
    service: Mapped[str | None] = mapped_column(String(50))
    # The password, the signing secret, or the service's whole address; sealed with the installation's key.
    secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    # After a rotation a webhook is signed with the secret before it, too, for a while.
    previous_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_secret_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class NotificationRule(Keyed, Timestamped, Base):
    """Which events go to which channel, and there to whom."""

    __tablename__ = "notification_rules"
    __table_args__ = (
        CheckConstraint("minimum_severity IN ('info', 'warning', 'critical')", name="minimum_severity"),
        Index("ix_notification_rules_channel_id", "channel_id"),
        Index("ix_notification_rules_department_id", "department_id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    # Names, or beginnings as in `approvals.*`.
    events: Mapped[list[str]] = mapped_column(ARRAY(String(80)))
    minimum_severity: Mapped[str] = mapped_column(String(10), server_default="info")
    # Only events of this department and those below it; all events without one.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("notification_channels.id", ondelete="CASCADE"))
    # Whom a mail goes to.
    user_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    group_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    addresses: Mapped[list[str]] = mapped_column(ARRAY(String(255)), server_default="{}")
    version: Mapped[int] = mapped_column(server_default="1")


class NotificationDelivery(Keyed, Base):
    """One event on one channel to one recipient (of a mail; empty elsewhere)."""

    __tablename__ = "notification_deliveries"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'sending', 'retrying', 'delivered', 'dead')", name="state"),
        # Two rules that name the same recipient make one delivery.
        Index(
            "uq_notification_deliveries_event_id_channel_id_recipient",
            "event_id",
            "channel_id",
            "recipient",
            unique=True,
            postgresql_where=text("replay_of IS NULL"),
        ),
        Index(
            "ix_notification_deliveries_due",
            "next_attempt_at",
            postgresql_where=text("state IN ('pending', 'retrying', 'sending')"),
        ),
        Index("ix_notification_deliveries_channel_id", "channel_id", "last_attempt_at"),
        Index("ix_notification_deliveries_created_at", "created_at", "id"),
    )

    event_id: Mapped[UUID] = mapped_column(ForeignKey("notification_events.id", ondelete="CASCADE"))
    channel_id: Mapped[UUID] = mapped_column(ForeignKey("notification_channels.id", ondelete="CASCADE"))
    recipient: Mapped[str] = mapped_column(String(255), server_default="")
    state: Mapped[str] = mapped_column(String(10), server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    # While it is being sent: when whoever sends it counts as dead.
    next_attempt_at: Mapped[datetime]
    last_attempt_at: Mapped[datetime | None]
    response_status: Mapped[int | None]
    last_error: Mapped[str] = mapped_column(String(500), server_default="")
    # Goes out together with all others to the same recipient.
    is_digest: Mapped[bool] = mapped_column(server_default="false")
    replay_of: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]


class NotificationInboxEntry(Keyed, Base):
    """What one person has to read."""

    __tablename__ = "notification_inbox"
    __table_args__ = (
        UniqueConstraint("user_id", "event_id"),
        Index("ix_notification_inbox_user_id", "user_id", "created_at", "id"),
        Index("ix_notification_inbox_unread", "user_id", postgresql_where=text("read_at IS NULL")),
        Index("ix_notification_inbox_event_id", "event_id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("notification_events.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(80))
    severity: Mapped[str] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    href: Mapped[str] = mapped_column(String(500), server_default="")
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]


class NotificationPreference(Base):
    """How one person wants to be told. Without a row: at once, of everything."""

    __tablename__ = "notification_preferences"
    __table_args__ = (CheckConstraint("digest IN ('none', 'hourly', 'daily')", name="digest"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    email: Mapped[bool] = mapped_column(server_default="true")
    # Events, by name or beginning, of which no mail goes out.
    muted_events: Mapped[list[str]] = mapped_column(ARRAY(String(80)), server_default="{}")
    # In the user's own time zone; may go past midnight.
    quiet_from: Mapped[time | None]
    quiet_until: Mapped[time | None]
    digest: Mapped[str] = mapped_column(String(10), server_default="none")
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"), onupdate=text("now()"))
