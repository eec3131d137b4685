"""The table of sealed telemetry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base


class Chunk(Base):
    """One channel of one device over at most a day, compressed; or, under numbers up to 0, the time axis of several.

    The axis of a channel's chunk is the row with channel `-axis` and the same start. `start` and `ends` are the first
    and the last moment of the axis. No `blob` means that each moment has the value `first`.
    """

    __tablename__ = "chunks"
    __table_args__ = (
        Index("ix_chunks_axes", "start", "device_id", postgresql_where=text("channel_id <= 0")),
        {"postgresql_partition_by": "RANGE (start)"},
    )

    device_id: Mapped[UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start: Mapped[datetime] = mapped_column(primary_key=True)
    ends: Mapped[datetime]
    axis: Mapped[int] = mapped_column(SmallInteger)
    samples: Mapped[int]
    min: Mapped[float | None]
    max: Mapped[float | None]
    sum: Mapped[float | None]
    first: Mapped[float | None]
    last: Mapped[float | None]
    blob: Mapped[bytes | None] = mapped_column(LargeBinary)
