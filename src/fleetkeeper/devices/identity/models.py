"""Pairs of devices that may be one, and what people decided."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import REAL, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class IdentityReview(Keyed, Timestamped, Base):
    """Two devices that look like one machine; `device_id` is the lower of the two IDs."""

    __tablename__ = "identity_reviews"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'merged', 'different')", name="status"),
        CheckConstraint("device_id < other_device_id", name="other"),
        UniqueConstraint("device_id", "other_device_id", name="uq_identity_reviews_devices"),
        Index("ix_identity_reviews_open", text("score DESC"), "id", postgresql_where=text("status = 'open'")),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    other_device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    score: Mapped[float] = mapped_column(REAL)
    # Objects with a kind of evidence, its points and a sentence.
    explanation: Mapped[list[Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    reason: Mapped[str] = mapped_column(Text, server_default="")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str] = mapped_column(String(255), server_default="")
    version: Mapped[int] = mapped_column(server_default="1")


class IdentityTurn(Base):
    """One row, locked by whoever decides what belongs together."""

    __tablename__ = "identity_turns"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
