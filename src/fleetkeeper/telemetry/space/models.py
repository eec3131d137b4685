"""The tables of measurements of space, and of what arrived."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class SpaceTotal(Base):
    """What one measurement found of a tier: `hot`, `sealed`, `rollups` or `archive`."""

    __tablename__ = "space_totals"

    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(String(10), primary_key=True)
    samples: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class SpaceGroup(Base):
    """A metric group's share of it."""

    __tablename__ = "space_groups"

    measured_at: Mapped[datetime] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(String(10), primary_key=True)
    metric_type: Mapped[str] = mapped_column(String(50), primary_key=True)
    samples: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class SpaceDevice(Base):
    """A device's share in the newest measurement."""

    __tablename__ = "space_devices"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[str] = mapped_column(String(10), primary_key=True)
    samples: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)


class SpaceChannels(Base):
    """How many channels a device had in the newest measurement."""

    __tablename__ = "space_channels"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    channels: Mapped[int]


class IntakeMinute(Base):
    """How many samples were accepted, duplicate or rejected in a minute, or how many requests were refused."""

    __tablename__ = "intake_minutes"

    minute: Mapped[datetime] = mapped_column(primary_key=True)
    protocol: Mapped[str] = mapped_column(String(20), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(10), primary_key=True)
    reason: Mapped[str] = mapped_column(String(80), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
