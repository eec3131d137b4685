"""Requests of devices, their responses, handlers, decisions of agents, and connections."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.device_requests.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class RequestHandler(Keyed, Timestamped, Base):
    """Who answers requests of some types."""

    __tablename__ = "request_handlers"
    __table_args__ = (
        CheckConstraint("kind IN ('people', 'webhook', 'agent', 'automation')", name="kind"),
        CheckConstraint("lease_seconds BETWEEN 5 AND 86400", name="lease_seconds"),
        CheckConstraint("max_attempts BETWEEN 1 AND 20", name="max_attempts"),
        CheckConstraint("(kind = 'webhook') = (channel_id IS NOT NULL)", name="channel"),
        UniqueConstraint("name"),
        Index("ix_request_handlers_department_id", "department_id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(20))
    # `*` is every type.
    request_types: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default="{*}")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    lease_seconds: Mapped[int] = mapped_column(server_default="300")
    max_attempts: Mapped[int] = mapped_column(server_default="3")
    channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("notification_channels.id"))
    response_channel_id: Mapped[UUID | None] = mapped_column(ForeignKey("notification_channels.id"))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    version: Mapped[int] = mapped_column(server_default="1")


class DeviceRequest(Keyed, Timestamped, Base):
    """What a device asks for."""

    __tablename__ = "device_requests"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')", name="status"
        ),
        CheckConstraint("jsonb_typeof(payload) = 'object'", name="payload"),
        CheckConstraint("(lease_token IS NULL) = (lease_expires_at IS NULL)", name="lease"),
        Index(
            "ix_device_requests_device_id_status_created_at",
            "device_id",
            "status",
            text("created_at DESC"),
        ),
        Index("ix_device_requests_department_id", "department_id"),
        Index("ix_device_requests_request_type", "request_type"),
        Index("ix_device_requests_status", "status", "created_at", "id"),
        Index("ix_device_requests_created_at", "created_at", "id"),
        Index("ix_device_requests_payload_hash", "payload_hash"),
        Index("ix_device_requests_handler_id", "handler_id"),
        Index("ix_device_requests_created_by", "created_by"),
        Index("ix_device_requests_waiting", "created_at", "id", postgresql_where=text("status = 'pending'")),
        Index(
            "ix_device_requests_leased",
            "lease_expires_at",
            postgresql_where=text("lease_expires_at IS NOT NULL"),
        ),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    # The device's, kept in step by triggers.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    request_type: Mapped[str] = mapped_column(String(50))
    status: Mapped[str] = mapped_column(String(30), server_default="pending")
    payload: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    payload_hash: Mapped[str | None] = mapped_column(String(64))
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # Since it was submitted, or retried by a person.
    attempts: Mapped[int] = mapped_column(server_default="0")
    available_at: Mapped[datetime] = mapped_column(server_default=func.now())
    needs_person: Mapped[bool] = mapped_column(server_default="false")
    handler_id: Mapped[UUID | None] = mapped_column(ForeignKey("request_handlers.id", ondelete="SET NULL"))
    handled_by: Mapped[str] = mapped_column(String(255), server_default="")
    leased_at: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    lease_expires_at: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(String(500), server_default="")
    # When it failed for good.
    dead_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")


class RequestMetadata(Keyed, Base):
    """What a device says beside its request."""

    __tablename__ = "request_metadata"
    __table_args__ = (
        UniqueConstraint("request_id", "key"),
        Index("ix_request_metadata_key_value", "key", text("left(value, 200)")),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("device_requests.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(100))
    value: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RequestResponse(Keyed, Timestamped, Base):
    """The one answer of a request."""

    __tablename__ = "responses"
    __table_args__ = (
        CheckConstraint("status IN ('processing', 'ready', 'delivered', 'failed')", name="status"),
        UniqueConstraint("request_id"),
        Index("ix_responses_status", "status", "created_at", "id"),
        Index("ix_responses_ai_processed", "ai_processed"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("device_requests.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(30), server_default="processing")
    content: Mapped[dict[str, Any]]
    ai_processed: Mapped[bool] = mapped_column(server_default="false")
    answered_by: Mapped[str] = mapped_column(String(255), server_default="")
    ready_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    delivery_attempts: Mapped[int] = mapped_column(server_default="0")
    failure: Mapped[str] = mapped_column(String(500), server_default="")
    # The notification that carries it to the handler's channel.
    event_id: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(server_default="1")


class ResponseMetadata(Keyed, Base):
    """What a handler says beside its answer."""

    __tablename__ = "response_metadata"
    __table_args__ = (
        UniqueConstraint("response_id", "key"),
        Index("ix_response_metadata_key_value", "key", text("left(value, 200)")),
    )

    response_id: Mapped[UUID] = mapped_column(ForeignKey("responses.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(100))
    value: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class AgentDecision(Keyed, Base):
    """What an agent decided about a request. Never changed."""

    __tablename__ = "agent_decisions"
    __table_args__ = (
        CheckConstraint("confidence_score BETWEEN 0 AND 1", name="confidence_score"),
        Index("ix_agent_decisions_request_id", "request_id", "created_at"),
        Index("ix_agent_decisions_agent_name", "agent_name", "created_at"),
        Index("ix_agent_decisions_decision_type", "decision_type"),
        Index("ix_agent_decisions_created_at", "created_at", "id"),
    )

    request_id: Mapped[UUID] = mapped_column(ForeignKey("device_requests.id", ondelete="CASCADE"))
    agent_name: Mapped[str] = mapped_column(String(100))
    agent_model: Mapped[str] = mapped_column(String(100), server_default="")
    agent_version: Mapped[str] = mapped_column(String(100), server_default="")
    decision_type: Mapped[str] = mapped_column(String(100))
    decision_value: Mapped[str] = mapped_column(Text)
    reasoning: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    inputs: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    evidence: Mapped[list[Any]] = mapped_column(server_default="[]")
    confidence_score: Mapped[Decimal] = mapped_column(Numeric(3, 2))
    resulting_change: Mapped[dict[str, Any] | None]
    recorded_by: Mapped[str] = mapped_column(String(255), server_default="")
    # Without a foreign key: it stays as it was, whatever becomes of the account.
    user_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class DecisionVerdict(Keyed, Base):
    """What a person says of a decision. Never changed."""

    __tablename__ = "agent_decision_verdicts"
    __table_args__ = (
        CheckConstraint("verdict IN ('agree', 'disagree', 'outcome')", name="verdict"),
        Index("ix_agent_decision_verdicts_decision_id", "decision_id", "created_at"),
    )

    decision_id: Mapped[UUID] = mapped_column(ForeignKey("agent_decisions.id", ondelete="CASCADE"))
    verdict: Mapped[str] = mapped_column(String(20))
    comment: Mapped[str] = mapped_column(String(2000), server_default="")
    # The answer that it was about, where one waited for it.
    answer: Mapped[dict[str, Any] | None]
    user_id: Mapped[UUID | None]
    user_name: Mapped[str] = mapped_column(String(255), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RequestConnection(Keyed, Base):
    """When a device was connected for its answers, and how."""

    __tablename__ = "request_connections"
    __table_args__ = (
        CheckConstraint("connection_type IN ('websocket', 'polling', 'webhook')", name="connection_type"),
        CheckConstraint("disconnected_at >= connected_at", name="order"),
        Index("ix_request_connections_device_id", "device_id", text("connected_at DESC")),
        Index("ix_request_connections_connected_at", "connected_at"),
        Index("ix_request_connections_user_id", "user_id"),
        Index(
            "ix_request_connections_open",
            "last_seen_at",
            postgresql_where=text("disconnected_at IS NULL"),
        ),
        Index(
            "uq_request_connections_polling",
            "device_id",
            unique=True,
            postgresql_where=text("disconnected_at IS NULL AND connection_type = 'polling'"),
        ),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    connection_type: Mapped[str] = mapped_column(String(50))
    ip_address: Mapped[str | None] = mapped_column(INET)
    connected_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disconnected_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
