"""The tables of the archive."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed


class ArchiveFile(Keyed, Base):
    """A Parquet file with a day of some devices. It counts while `state` is live; else it comes or goes."""

    __tablename__ = "archive_files"
    __table_args__ = (
        Index("ix_archive_files_day", "day", "id"),
        Index("ix_archive_files_pending", "id", postgresql_where=text("state <> 'live'")),
    )

    day: Mapped[date]
    store: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[str] = mapped_column(String(10))
    first_device: Mapped[UUID | None]
    last_device: Mapped[UUID | None]
    devices: Mapped[int] = mapped_column(server_default="0")
    channel_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    rows: Mapped[int] = mapped_column(BigInteger, server_default="0")
    size_bytes: Mapped[int] = mapped_column(BigInteger, server_default="0")
    sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    made_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    removed_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]
    problem: Mapped[str] = mapped_column(Text, server_default="")


class ArchivePart(Base):
    """Where in a file the rows of one device are: its first row, and the row groups that they lie in.

    `group_rows` says how many of the rows belong to each of the metric groups.
    """

    __tablename__ = "archive_parts"
    __table_args__ = (Index("ix_archive_parts_file", "file_id"),)

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_row: Mapped[int] = mapped_column(BigInteger)
    rows: Mapped[int] = mapped_column(BigInteger)
    first_group: Mapped[int]
    last_group: Mapped[int]
    metric_groups: Mapped[list[str]] = mapped_column(ARRAY(String(50)), server_default="{}")
    group_rows: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default="{}")


class RawRemoved(Base):
    """Until which day raw samples of a device's metric group were removed by a policy: rollups before it are final."""

    __tablename__ = "raw_removed"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    metric_group: Mapped[str] = mapped_column(String(50), primary_key=True)
    until: Mapped[date]


class TelemetryDeletion(Keyed, Base):
    """A request to delete telemetry of one device in every tier: all, or of a metric, or of some days (UTC)."""

    __tablename__ = "telemetry_deletions"
    __table_args__ = (Index("ix_telemetry_deletions_requested_at", "requested_at", "id"),)

    device_id: Mapped[UUID]
    device_name: Mapped[str] = mapped_column(String(255), server_default="")
    metric: Mapped[str | None] = mapped_column(String(200))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10), server_default="waiting")
    step: Mapped[str] = mapped_column(String(20), server_default="")
    requested_by: Mapped[str] = mapped_column(String(255), server_default="")
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    requested_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    finished_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    problem: Mapped[str] = mapped_column(Text, server_default="")
