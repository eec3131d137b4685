"""Configurations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CHAR, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.devices.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed


class DeviceConfig(Keyed, Base):
    """One version of a device's configuration, without its secrets."""

    __tablename__ = "device_configs"
    __table_args__ = (
        UniqueConstraint("device_id", "config_type", "version", name="uq_device_configs_version"),
        Index("ix_device_configs_device_id_version", "device_id", text("version DESC")),
        Index("ix_device_configs_retrieved_at", text("retrieved_at DESC")),
        Index(
            "ix_device_configs_search",
            "config_text",
            postgresql_using="gin",
            postgresql_ops={"config_text": "gin_trgm_ops"},
        ),
    )

    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    source_system: Mapped[str] = mapped_column(String(50), server_default="manual")
    config_type: Mapped[str] = mapped_column(String(50), server_default="running")
    config_text: Mapped[str] = mapped_column(Text, deferred=True)
    config_hash: Mapped[str] = mapped_column(CHAR(64), index=True)
    version: Mapped[int]
    retrieved_at: Mapped[datetime]
    # When the same configuration was seen last.
    confirmed_at: Mapped[datetime]
