"""Revisions, which triggers write."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Identity, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed


class DeviceRevision(Base):
    """What a device or one of its parts was from one moment to another."""

    __tablename__ = "device_revisions"
    __table_args__ = (
        Index(
            "uq_device_revisions_current",
            "object_id",
            "device_id",
            unique=True,
            postgresql_where=text("valid_to = 'infinity'"),
        ),
        Index("ix_device_revisions_device_id", "device_id", text("valid_from DESC"), text("id DESC")),
        Index("ix_device_revisions_feed", "xact", "id"),
        Index(
            "ix_device_revisions_names",
            text("(content ->> 'name')"),
            "object_id",
            "valid_from",
            "valid_to",
            postgresql_where=text("object_type = 'devices'"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    xact: Mapped[int] = mapped_column(BigInteger, server_default=text("(pg_current_xact_id()::text::bigint)"))
    device_id: Mapped[UUID]
    object_type: Mapped[str] = mapped_column(String(30))
    object_id: Mapped[UUID]
    operation: Mapped[str] = mapped_column(String(10))
    valid_from: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Infinity for what is still true, which Python's datetime cannot hold: statements compare it and never fetch it.
    valid_to: Mapped[datetime] = mapped_column(server_default=text("'infinity'"), deferred=True)
    content: Mapped[dict[str, Any] | None]
    changed: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    actor_kind: Mapped[str] = mapped_column(String(20), server_default="")
    actor_name: Mapped[str] = mapped_column(String(255), server_default="")
    reason: Mapped[str] = mapped_column(Text, server_default="")


class DeviceChangeCursor(Keyed, Base):
    """Up to which change a job has come."""

    __tablename__ = "device_change_cursors"
    __table_args__ = (UniqueConstraint("name"),)

    name: Mapped[str] = mapped_column(String(50))
    xact: Mapped[int] = mapped_column(BigInteger)
    revision_id: Mapped[int] = mapped_column(BigInteger)
