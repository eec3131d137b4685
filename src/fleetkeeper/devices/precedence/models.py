"""Which source counts, and values that people set against all of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped


class AttributeRule(Keyed, Timestamped, Base):
    """How much a source is believed about an attribute, or about any (`*`)."""

    __tablename__ = "attribute_rules"
    __table_args__ = (
        UniqueConstraint("attribute", "source_system"),
        CheckConstraint("rank BETWEEN 1 AND 1000", name="rank"),
        CheckConstraint("max_age_days BETWEEN 1 AND 3650", name="max_age_days"),
    )

    attribute: Mapped[str] = mapped_column(String(50))
    source_system: Mapped[str] = mapped_column(String(50))
    rank: Mapped[int]
    max_age_days: Mapped[int | None]
    version: Mapped[int] = mapped_column(server_default="1")

    @property
    def department_id(self) -> None:
        """Rules are the installation's: who may change all devices may change them."""


class AttributePin(Keyed, Base):
    """A value of a device's attribute that counts whatever sources say."""

    __tablename__ = "attribute_pins"
    __table_args__ = (UniqueConstraint("device_id", "attribute"),)

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    attribute: Mapped[str] = mapped_column(String(50))
    value: Mapped[Any] = mapped_column(JSONB)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    pinned_by: Mapped[str] = mapped_column(String(255), server_default="")
    pinned_at: Mapped[datetime]
