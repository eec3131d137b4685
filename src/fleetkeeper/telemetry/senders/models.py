"""The tables of senders."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class SenderRule(Keyed, Timestamped, Base):
    """Which labels of a sample name its device, and which part of their value; rules are tried by `position`."""

    __tablename__ = "sender_rules"
    __table_args__ = (
        CheckConstraint("protocol IN ('any', 'prometheus', 'influx', 'otlp', 'collectd')", name="protocol"),
    )

    position: Mapped[int]
    protocol: Mapped[str] = mapped_column(String(20))
    labels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    pattern: Mapped[str] = mapped_column(String(500), server_default="")
    description: Mapped[str] = mapped_column(String(500), server_default="")
    enabled: Mapped[bool] = mapped_column(server_default="true")


class TelemetryHost(Base):
    """A name by which senders know a device. The primary one is left out of stored labels and put back by readers."""

    __tablename__ = "telemetry_hosts"
    __table_args__ = (
        Index("ix_telemetry_hosts_primary", "device_id", unique=True, postgresql_where=text("is_primary")),
    )

    host: Mapped[str] = mapped_column(String(300), primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"), index=True)
    is_primary: Mapped[bool]
    protocol: Mapped[str] = mapped_column(String(20), server_default="")
    first_seen: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SenderMapping(Base):
    """One row that counts changes of rules and hosts."""

    __tablename__ = "sender_mapping"
    __table_args__ = (CheckConstraint("id", name="one_row"),)

    id: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    version: Mapped[int] = mapped_column(BigInteger)
