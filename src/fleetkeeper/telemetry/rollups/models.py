"""The tables of rollups."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class Rollup(Base):
    """The buckets of one device in one period: a day of hours, or one day, week or month.

    A slice holds channels whose numbers lie side by side, so that who asks for one reads few others; -1 holds all.
    Each array is compressed, channel after channel with its buckets; `sketches` are there from a day on,
    `counters` in a day of hours, percentiles of gauges in hours and days.
    """

    __tablename__ = "rollups"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    tier: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    slice: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, server_default=text("-1")
    )
    channel_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    sums: Mapped[bytes] = mapped_column(LargeBinary)
    mins: Mapped[bytes] = mapped_column(LargeBinary)
    maxs: Mapped[bytes] = mapped_column(LargeBinary)
    lasts: Mapped[bytes] = mapped_column(LargeBinary)
    sketches: Mapped[bytes | None] = mapped_column(LargeBinary)
    counters: Mapped[bytes | None] = mapped_column(LargeBinary)
    medians: Mapped[bytes | None] = mapped_column(LargeBinary)
    p95s: Mapped[bytes | None] = mapped_column(LargeBinary)


class HourlyStatistics(Base):
    """The hours of a device's `rollups` that document 002 asks for, spread out so that SQL reads them."""

    __tablename__ = "hourly_statistics"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True, index=True)
    cpu_samples: Mapped[int]
    cpu_avg: Mapped[float | None]
    cpu_max: Mapped[float | None]
    cpu_p95: Mapped[float | None]
    ram_samples: Mapped[int]
    ram_avg: Mapped[float | None]
    ram_max: Mapped[float | None]
    ram_p95: Mapped[float | None]


class RollupChange(Base):
    """A day of a device whose chunks changed since its rollups were made; written in the same transaction as they."""

    __tablename__ = "rollup_changes"

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
