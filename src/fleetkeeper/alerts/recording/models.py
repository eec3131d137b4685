"""Recording rules, and what they recorded last."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped


class RecordingRule(Keyed, Timestamped, Base):
    """An expression of a rule file, whose results are stored as series of their own."""

    __tablename__ = "recording_rules"
    __table_args__ = (
        CheckConstraint("interval_seconds BETWEEN 1 AND 86400", name="interval_seconds"),
        Index("ix_recording_rules_unit", "unit", "position"),
    )

    unit: Mapped[UUID]
    position: Mapped[int] = mapped_column(server_default="0")
    name: Mapped[str] = mapped_column(String(200))
    expr: Mapped[str] = mapped_column(Text)
    labels: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    interval_seconds: Mapped[int] = mapped_column(server_default="60")
    series_limit: Mapped[int] = mapped_column(server_default="0")
    query_offset_ms: Mapped[int] = mapped_column(server_default="0")
    origin_key: Mapped[str] = mapped_column(String(300))
    enabled: Mapped[bool] = mapped_column(server_default="true")


class RecordedSeries(Base):
    """A series that a rule recorded at its last instant. It outlives its rule, to be ended."""

    __tablename__ = "recorded_series"
    __table_args__ = (Index("ix_recorded_series_device_id", "device_id"),)

    rule_id: Mapped[UUID] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(1000))
