"""Relationships of devices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class DeviceRelationship(Keyed, Timestamped, Base):
    """What one device is to another, from a moment on and perhaps to one."""

    __tablename__ = "device_relationships"
    __table_args__ = (
        CheckConstraint(
            "relationship_type IN ('hosts', 'connects_to', 'backs_up', 'manages', 'powers')",
            name="relationship_type",
        ),
        CheckConstraint("parent_device_id <> child_device_id", name="other"),
        CheckConstraint("valid_to > valid_from", name="valid"),
        Index(
            "uq_device_relationships_current",
            "parent_device_id",
            "child_device_id",
            "relationship_type",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        # A cable has two ends and no direction.
        Index(
            "uq_device_relationships_ends",
            text("LEAST(parent_device_id, child_device_id)"),
            text("GREATEST(parent_device_id, child_device_id)"),
            unique=True,
            postgresql_where=text("relationship_type = 'connects_to' AND valid_to IS NULL"),
        ),
        Index(
            "uq_device_relationships_host",
            "child_device_id",
            unique=True,
            postgresql_where=text("relationship_type = 'hosts' AND valid_to IS NULL"),
        ),
    )

    parent_device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    child_device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    relationship_type: Mapped[str] = mapped_column(String(30), index=True)
    extra: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    source_system: Mapped[str] = mapped_column(String(50), server_default="manual")
    valid_from: Mapped[datetime] = mapped_column(server_default=text("now()"))
    valid_to: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(server_default="1")
