"""Rules, what they found, what was done about it, silences, and the tree of routes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    REAL,
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.alerts.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped
from fleetkeeper.kit.ids import uuid7

_SEVERITIES = "('info', 'warning', 'high', 'critical')"


class AlertRule(Keyed, Timestamped, Base):
    """What to look for, where, and what to say when it is found.

    Rules of one `unit` are evaluated one after the other at the same instant; most are a unit of their own.
    """

    __tablename__ = "alert_rules"
    __table_args__ = (
        CheckConstraint("origin IN ('builtin', 'person', 'file')", name="origin"),
        CheckConstraint("kind IN ('threshold', 'no_report', 'state', 'promql')", name="kind"),
        CheckConstraint(f"severity IN {_SEVERITIES}", name="severity"),
        CheckConstraint("for_seconds BETWEEN 0 AND 31536000", name="for_seconds"),
        CheckConstraint("keep_firing_seconds BETWEEN 0 AND 31536000", name="keep_firing_seconds"),
        CheckConstraint("interval_seconds BETWEEN 1 AND 86400", name="interval_seconds"),
        CheckConstraint("no_data IN ('ok', 'keep', 'alert')", name="no_data"),
        Index("ix_alert_rules_department_id", "department_id"),
        Index("ix_alert_rules_unit", "unit", "position"),
        Index(
            "uq_alert_rules_name",
            "department_id",
            "name",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("origin <> 'file'"),
        ),
        Index(
            "uq_alert_rules_origin_key",
            "origin_key",
            unique=True,
            postgresql_where=text("origin = 'builtin'"),
        ),
    )

    # Document 002's name of the key.
    rule_id: Mapped[UUID | None] = mapped_column(Computed("id", persisted=True), deferred=True)
    unit: Mapped[UUID] = mapped_column(default=uuid7)
    position: Mapped[int] = mapped_column(server_default="0")
    name: Mapped[str] = mapped_column(String(100))
    description: Mapped[str] = mapped_column(String(2000), server_default="")
    origin: Mapped[str] = mapped_column(String(10), server_default="person")
    origin_key: Mapped[str | None] = mapped_column(String(300))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    kind: Mapped[str] = mapped_column(String(10))
    condition: Mapped[dict[str, Any]]
    severity: Mapped[str] = mapped_column(String(10))
    for_seconds: Mapped[int] = mapped_column(server_default="0")
    keep_firing_seconds: Mapped[int] = mapped_column(server_default="0")
    interval_seconds: Mapped[int] = mapped_column(server_default="60")
    no_data: Mapped[str] = mapped_column(String(10), server_default="ok")
    detects_flapping: Mapped[bool] = mapped_column(server_default="true")
    quiets_device: Mapped[bool] = mapped_column(server_default="false")
    labels: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    annotations: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    runbook_url: Mapped[str] = mapped_column(String(2000), server_default="")
    scope: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    # Of a group of a file; 0 is none.
    series_limit: Mapped[int] = mapped_column(server_default="0")
    query_offset_ms: Mapped[int] = mapped_column(server_default="0")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class AlertOverride(Keyed, Timestamped, Base):
    """What is different for a device, or for those with a tag; what is None is as the rule has it."""

    __tablename__ = "alert_overrides"
    __table_args__ = (
        CheckConstraint("num_nonnulls(device_id, tag_id) = 1", name="whom"),
        CheckConstraint("for_seconds BETWEEN 0 AND 31536000", name="for_seconds"),
        CheckConstraint(f"severity IN {_SEVERITIES}", name="severity"),
        UniqueConstraint(
            "alert_rule_id",
            "device_id",
            "tag_id",
            postgresql_nulls_not_distinct=True,
            name="uq_alert_overrides_alert_rule_id_device_id_tag_id",
        ),
        Index("ix_alert_overrides_device_id", "device_id"),
        Index("ix_alert_overrides_tag_id", "tag_id"),
    )

    alert_rule_id: Mapped[UUID] = mapped_column(ForeignKey("alert_rules.id", ondelete="CASCADE"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    tag_id: Mapped[UUID | None] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    enabled: Mapped[bool] = mapped_column(server_default="true")
    threshold: Mapped[float | None]
    recovery: Mapped[float | None]
    for_seconds: Mapped[int | None]
    severity: Mapped[str | None] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(server_default="1")


class AlertEvaluation(Base):
    """When a unit is due, and how its last evaluation went. Whoever evaluates it holds the row locked."""

    __tablename__ = "alert_evaluations"
    __table_args__ = (Index("ix_alert_evaluations_next_at", "next_at"),)

    unit: Mapped[UUID] = mapped_column(primary_key=True)
    next_at: Mapped[datetime]
    evaluated_at: Mapped[datetime | None]
    # Since when it is evaluated without a gap: silence counts from here at the earliest.
    running_since: Mapped[datetime | None]
    duration_seconds: Mapped[float | None] = mapped_column(REAL)
    series: Mapped[int] = mapped_column(server_default="0")
    failing_since: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(String(1000), server_default="")
    # Why which rules failed, by their IDs.
    failures: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class AlertInstance(Base):
    """What a rule sees now: one row for each set of labels. `rule_id` is all zeros for what came by the API."""

    __tablename__ = "alert_instances"
    __table_args__ = (
        CheckConstraint("state IN ('pending', 'firing', 'inactive')", name="state"),
        Index("ix_alert_instances_device_id", "device_id"),
        Index("ix_alert_instances_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        {"postgresql_with": {"fillfactor": "70"}},
    )

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    state: Mapped[str] = mapped_column(String(10))
    labels: Mapped[dict[str, Any]]
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    department_id: Mapped[UUID | None]
    value: Mapped[float | None]
    active_at: Mapped[datetime]
    fired_at: Mapped[datetime | None]
    keep_since: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    fires: Mapped[list[datetime]] = mapped_column(ARRAY(TIMESTAMP(timezone=True)), server_default="{}")
    is_flapping: Mapped[bool] = mapped_column(server_default="false")
    alert_id: Mapped[int | None] = mapped_column(BigInteger)
    triggered_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class AlertLog(Base):
    """One alert from trigger to resolution, with document 002's columns; in partitions of a week."""

    __tablename__ = "alert_logs"
    __table_args__ = (
        CheckConstraint("status IN ('firing', 'acknowledged', 'snoozed', 'resolved')", name="status"),
        CheckConstraint(f"severity IN {_SEVERITIES}", name="severity"),
        CheckConstraint("source IN ('rule', 'api')", name="source"),
        Index("ix_alert_logs_triggered_at", text("triggered_at DESC")),
        Index("ix_alert_logs_system_id", "system_id", text("triggered_at DESC")),
        Index("ix_alert_logs_rule_id", "rule_id", text("triggered_at DESC")),
        Index("ix_alert_logs_status", "status", text("triggered_at DESC")),
        Index("ix_alert_logs_department_id", "department_id", text("triggered_at DESC")),
        Index(
            "ix_alert_logs_active", text("triggered_at DESC"), postgresql_where=text("resolved_at IS NULL")
        ),
        Index("ix_alert_logs_needs_routing", "alert_id", postgresql_where=text("needs_routing")),
        Index(
            "ix_alert_logs_search",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
        {"postgresql_partition_by": "RANGE (triggered_at)"},
    )

    alert_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    rule_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert_rules.id", ondelete="SET NULL"))
    system_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    department_id: Mapped[UUID | None]
    triggered_at: Mapped[datetime] = mapped_column(primary_key=True)
    resolved_at: Mapped[datetime | None]
    metric_name: Mapped[str] = mapped_column(String(200), server_default="")
    actual_value: Mapped[float | None]
    threshold_value: Mapped[float | None]
    is_acknowledged: Mapped[bool] = mapped_column(server_default="false")
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    acknowledged_at: Mapped[datetime | None]
    acknowledged_until: Mapped[datetime | None]
    status: Mapped[str] = mapped_column(String(15), server_default="firing")
    snoozed_until: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(200))
    severity: Mapped[str] = mapped_column(String(10))
    labels: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    annotations: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary)
    source: Mapped[str] = mapped_column(String(10), server_default="rule")
    generator_url: Mapped[str] = mapped_column(String(2000), server_default="")
    pending_since: Mapped[datetime | None]
    last_value: Mapped[float | None]
    is_flapping: Mapped[bool] = mapped_column(server_default="false")
    quiets_device: Mapped[bool] = mapped_column(server_default="false")
    assignee_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # Silences by ID, and the alert that quiets its device.
    suppressed_by: Mapped[dict[str, Any] | None]
    resolution: Mapped[str] = mapped_column(String(20), server_default="")
    resolved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    needs_routing: Mapped[bool] = mapped_column(server_default="true")
    escalated_at: Mapped[datetime | None]
    device_name: Mapped[str] = mapped_column(String(255), server_default="")
    search_text: Mapped[str | None] = mapped_column(
        Text, Computed("name || ' ' || device_name || ' ' || metric_name", persisted=True), deferred=True
    )


class AlertEvent(Keyed, Base):
    """Something that happened to an alert."""

    __tablename__ = "alert_events"
    __table_args__ = (
        Index("ix_alert_events_alert_id", "alert_id", "at"),
        Index(
            "ix_alert_events_silence",
            text("(details ->> 'silence')"),
            postgresql_where=text("kind = 'silenced'"),
        ),
        {"postgresql_partition_by": "RANGE (triggered_at)"},
    )

    alert_id: Mapped[int] = mapped_column(BigInteger)
    triggered_at: Mapped[datetime] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    kind: Mapped[str] = mapped_column(String(20))
    actor: Mapped[str] = mapped_column(String(255), server_default="")
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    note: Mapped[str] = mapped_column(String(2000), server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class AlertSilence(Keyed, Timestamped, Base):
    """When alerts that fit are not told: once, or by a recurrence rule (RFC 5545) in a time zone."""

    __tablename__ = "alert_silences"
    __table_args__ = (
        CheckConstraint("duration_seconds BETWEEN 60 AND 2678400", name="duration_seconds"),
        CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name="span"),
        CheckConstraint(
            "(recurrence IS NULL) = (duration_seconds IS NULL) AND (recurrence IS NOT NULL OR ends_at IS NOT NULL)",
            name="recurrence",
        ),
        Index("ix_alert_silences_department_id", "department_id"),
        Index("ix_alert_silences_device_id", "device_id"),
        Index("ix_alert_silences_tag_id", "tag_id"),
        Index("ix_alert_silences_ends_at", "ends_at"),
    )

    name: Mapped[str] = mapped_column(String(100))
    comment: Mapped[str] = mapped_column(String(2000), server_default="")
    matchers: Mapped[list[Any]] = mapped_column(server_default="[]")
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    tag_id: Mapped[UUID | None] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    recurrence: Mapped[str | None] = mapped_column(String(500))
    time_zone: Mapped[str] = mapped_column(String(60), server_default="UTC")
    duration_seconds: Mapped[int | None]
    created_by: Mapped[str] = mapped_column(String(255), server_default="")
    version: Mapped[int] = mapped_column(server_default="1")


class AlertReceiver(Keyed, Timestamped, Base):
    """Who is told, and by which channels."""

    __tablename__ = "alert_receivers"
    __table_args__ = (
        UniqueConstraint(
            "department_id",
            "name",
            postgresql_nulls_not_distinct=True,
            name="uq_alert_receivers_department_id_name",
        ),
    )

    name: Mapped[str] = mapped_column(String(100))
    channel_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    user_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    group_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()), server_default="{}")
    addresses: Mapped[list[str]] = mapped_column(ARRAY(String(255)), server_default="{}")
    sends_resolved: Mapped[bool] = mapped_column(server_default="true")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class AlertRoute(Keyed, Timestamped, Base):
    """A node of the tree that says which receiver is told of an alert; what is None is as the route above has it."""

    __tablename__ = "alert_routes"
    __table_args__ = (
        CheckConstraint("group_wait_seconds BETWEEN 0 AND 86400", name="group_wait_seconds"),
        CheckConstraint("group_interval_seconds BETWEEN 1 AND 604800", name="group_interval_seconds"),
        CheckConstraint("repeat_interval_seconds BETWEEN 60 AND 31536000", name="repeat_interval_seconds"),
        CheckConstraint("escalate_after_seconds BETWEEN 60 AND 604800", name="escalate_after_seconds"),
        Index(
            "uq_alert_routes_root", text("(true)"), unique=True, postgresql_where=text("parent_id IS NULL")
        ),
        Index("ix_alert_routes_parent_id", "parent_id", "position"),
        Index("ix_alert_routes_receiver_id", "receiver_id"),
        Index("ix_alert_routes_escalate_to_id", "escalate_to_id"),
        Index("ix_alert_routes_department_id", "department_id"),
    )

    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert_routes.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(server_default="0")
    name: Mapped[str] = mapped_column(String(100))
    matchers: Mapped[list[Any]] = mapped_column(server_default="[]")
    receiver_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert_receivers.id"))
    group_by: Mapped[list[str] | None] = mapped_column(ARRAY(String(100)))
    group_wait_seconds: Mapped[int | None]
    group_interval_seconds: Mapped[int | None]
    repeat_interval_seconds: Mapped[int | None]
    continues: Mapped[bool] = mapped_column(server_default="false")
    escalate_after_seconds: Mapped[int | None]
    escalate_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("alert_receivers.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class AlertGroup(Base):
    """Alerts that are told together by one route, and what was told of them. Whoever tells holds the row locked."""

    __tablename__ = "alert_groups"
    __table_args__ = (Index("ix_alert_groups_next_at", "next_at"),)

    route_id: Mapped[UUID] = mapped_column(
        ForeignKey("alert_routes.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    labels: Mapped[dict[str, Any]]
    next_at: Mapped[datetime]
    notified_at: Mapped[datetime | None]
    # What was told to fire, each by what is the same when it fires again.
    told_firing: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class AlertGroupMember(Base):
    """An alert of a group, until it is over and told."""

    __tablename__ = "alert_group_members"
    __table_args__ = (
        ForeignKeyConstraint(
            ["route_id", "key"],
            ["alert_groups.route_id", "alert_groups.key"],
            ondelete="CASCADE",
            name="fk_alert_group_members_alert_groups",
        ),
        Index("ix_alert_group_members_alert_id", "alert_id"),
    )

    route_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    alert_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    triggered_at: Mapped[datetime]
