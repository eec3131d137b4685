"""The tables of telemetry."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.telemetry.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Timestamped


class Metric(Base):
    """A metric's meaning. `metric_type` is its group, as the documents call it."""

    __tablename__ = "metrics"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    metric_type: Mapped[str] = mapped_column(String(50), index=True)
    unit: Mapped[str] = mapped_column(String(60), server_default="")
    kind: Mapped[str] = mapped_column(String(10), server_default="gauge")
    description: Mapped[str] = mapped_column(Text, server_default="")


class Channel(Base):
    """A metric with its labels, independent of the device. `key` is the wire's spelling of both.

    A channel that arrived apart from a whole frame has a home: the layout and place where its values are stored.
    `sent_as` is what its first sender calls it: empty where that is its own name, None where nobody knows.
    """

    __tablename__ = "channels"

    id: Mapped[int] = mapped_column(primary_key=True)
    metric_id: Mapped[int] = mapped_column(index=True)
    labels: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    key: Mapped[str] = mapped_column(String(1000), unique=True)
    home_layout_id: Mapped[int | None]
    home_position: Mapped[int | None] = mapped_column(SmallInteger)
    sent_as: Mapped[str | None] = mapped_column(Text)
    first_seen: Mapped[datetime | None] = mapped_column(server_default=text("now()"), index=True)


class Layout(Base):
    """An ordered list of channels that machines of a kind share, sorted by channel."""

    __tablename__ = "layouts"

    id: Mapped[int] = mapped_column(primary_key=True)
    channel_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)


class LayoutChannel(Base):
    """A channel's place in a layout; positions count from 1, as PostgreSQL's arrays do."""

    __tablename__ = "layout_channels"

    layout_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    channel_id: Mapped[int] = mapped_column(index=True)


class DeviceLayout(Base):
    """Which layouts a device has used: where readers look for its channels.

    `present` has a bit for each position that the device has values at; None is all of them. `sent_as` has, by
    position, what the device's sender calls a channel where that is not what its first sender calls it.
    """

    __tablename__ = "device_layouts"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    layout_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    first_seen: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
    present: Mapped[int | None] = mapped_column(BigInteger)
    sent_as: Mapped[dict[str, Any] | None]


class Frame(Base):
    """One snapshot of one device. NULL in `values` is a missing value, NaN a value that is not a number.

    `part` is 0 for a whole frame, and the layout for what senders deliver channel by channel.
    """

    __tablename__ = "frames"
    __table_args__ = {"postgresql_partition_by": "RANGE (ts)"}  # noqa: RUF012 - SQLAlchemy reads a plain dict

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    ts: Mapped[datetime] = mapped_column(primary_key=True)
    layout_id: Mapped[int]
    values: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default="0")


class Latest(Base):
    """The newest frame of each device and part, at most about a second behind `frames`."""

    __tablename__ = "latest"
    __table_args__ = {"postgresql_with": {"fillfactor": "50"}}  # noqa: RUF012 - SQLAlchemy reads a plain dict

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    ts: Mapped[datetime]
    layout_id: Mapped[int]
    values: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, server_default="0")


class ProcessSnapshot(Base):
    """The top processes of a device at one moment, as the agent sent them."""

    __tablename__ = "process_snapshots"
    __table_args__ = {"postgresql_partition_by": "RANGE (ts)"}  # noqa: RUF012 - SQLAlchemy reads a plain dict

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    ts: Mapped[datetime] = mapped_column(primary_key=True)
    processes: Mapped[list[Any]]
    # Document 002's name for `ts`.
    timestamp: Mapped[datetime | None] = mapped_column(Computed("ts"), deferred=True)


class UserSession(Base):
    """A login session on a device, with document 002's columns."""

    __tablename__ = "user_sessions"
    __table_args__ = (
        Index("ix_user_sessions_device_login", "device_id", "login_time"),
        Index("ix_user_sessions_active", "device_id", postgresql_where=text("is_active")),
        Index("ix_user_sessions_user", "user_id", postgresql_where=text("user_id IS NOT NULL")),
    )

    session_id: Mapped[UUID] = mapped_column(primary_key=True)
    device_id: Mapped[UUID]
    # Document 002's name for the device, and the account with the login's name: a trigger looks for it.
    system_id: Mapped[UUID | None] = mapped_column(Computed("device_id"), deferred=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), deferred=True)
    username: Mapped[str] = mapped_column(String(300))
    terminal: Mapped[str] = mapped_column(String(300), server_default="")
    host: Mapped[str] = mapped_column(String(300), server_default="")
    login_time: Mapped[datetime]
    logout_time: Mapped[datetime | None]
    is_active: Mapped[bool] = mapped_column(server_default="true")
    session_duration_minutes: Mapped[int | None] = mapped_column(
        BigInteger,
        Computed("CAST(extract(epoch FROM logout_time - login_time) / 60 AS bigint)", persisted=True),
    )
    active_processes: Mapped[list[Any]] = mapped_column(server_default="[]")
    peak_cpu_usage: Mapped[float | None]
    peak_ram_usage: Mapped[float | None]


class ArchivePolicy(Timestamped, Base):
    """A policy: how long telemetry of some devices and metrics is kept, and where. Document 004 has one row.

    `archive_enabled` says that raw samples go after `retention_days`; `downsample_enabled` that they go after
    `downsample_after_days`, with their rollups staying. No number of days means never.
    """

    __tablename__ = "archive_policy"

    id: Mapped[int] = mapped_column(primary_key=True)
    retention_days: Mapped[int] = mapped_column(server_default="30")
    archive_enabled: Mapped[bool] = mapped_column(server_default="true")
    downsample_after_days: Mapped[int] = mapped_column(server_default="7")
    downsample_interval: Mapped[str] = mapped_column(String(20), server_default="1 hour")
    last_archive_run: Mapped[datetime | None]
    name: Mapped[str] = mapped_column(String(100), server_default="")
    priority: Mapped[int] = mapped_column(server_default="0")
    metric_group: Mapped[str | None] = mapped_column(String(50))
    device_type: Mapped[str | None] = mapped_column(String(50))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id", ondelete="CASCADE"))
    archive_after_days: Mapped[int | None]
    downsample_enabled: Mapped[bool] = mapped_column(server_default="false")
    hour_rollup_days: Mapped[int | None]
    day_rollup_days: Mapped[int | None]
    week_rollup_days: Mapped[int | None]
    month_rollup_days: Mapped[int | None]


class TelemetryDoors(Base):
    """Since when some web process has taken telemetry without a pause, and when one did last. One row."""

    __tablename__ = "telemetry_doors"
    __table_args__ = (CheckConstraint("id = 1", name="id"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="1")
    open_since: Mapped[datetime]
    open_until: Mapped[datetime]
