"""What was merged into what."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed


class DeviceMerge(Keyed, Base):
    """One device that became part of another, and what of it went there."""

    __tablename__ = "device_merges"
    __table_args__ = (Index("ix_device_merges_device_id", "device_id", text("merged_at DESC")),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    merged_device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    merged_name: Mapped[str] = mapped_column(String(255))
    merged_at: Mapped[datetime]
    merged_by: Mapped[str] = mapped_column(String(255), server_default="")
    is_automatic: Mapped[bool] = mapped_column(server_default=text("false"))
    reason: Mapped[str] = mapped_column(Text, server_default="")
    # Keys of rows by table and column.
    moved: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    # By attribute of the device that stayed, what it was before and after.
    changed: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str] = mapped_column(String(255), server_default="")
