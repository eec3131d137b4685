"""Stock counts and what was counted."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped
from fleetkeeper.stock.models import QUANTITY


class StockCount(Keyed, Timestamped, Base):
    """A count of what lies at a location."""

    __tablename__ = "stock_counts"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'booked', 'cancelled')", name="status"),
        Index("ix_stock_counts_location_id", "location_id"),
        Index("ix_stock_counts_department_id", "department_id"),
        Index("ix_stock_counts_created_at", text("created_at DESC"), "id"),
    )

    name: Mapped[str] = mapped_column(String(100))
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    closed_at: Mapped[datetime | None]
    # Follows from the location.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class StockCountLine(Keyed, Base):
    """How many of a part were counted."""

    __tablename__ = "stock_count_lines"
    __table_args__ = (
        UniqueConstraint(
            "count_id",
            "part_id",
            "variant_id",
            name="uq_stock_count_lines_part",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("counted >= 0", name="counted"),
        Index("ix_stock_count_lines_part_id", "part_id"),
    )

    count_id: Mapped[UUID] = mapped_column(ForeignKey("stock_counts.id", ondelete="CASCADE"))
    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    # What was on hand when it was counted.
    expected: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    counted: Mapped[Decimal] = mapped_column(QUANTITY)
    variance: Mapped[Decimal] = mapped_column(QUANTITY, Computed("counted - expected", persisted=True))
    counted_by_name: Mapped[str] = mapped_column(String(255), server_default="")
    counted_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    department_id: Mapped[UUID | None]
