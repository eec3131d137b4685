"""Order proposals."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, func, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.replenishment.words  # noqa: F401 - declares what the log and events are called
from fleetkeeper.database.base import Base, Keyed
from fleetkeeper.stock.models import MONEY, QUANTITY, of_variant


class OrderProposal(Keyed, Base):
    """What to order for a location, and why. One is open for a part, or a variant of it, at a location."""

    __tablename__ = "order_proposals"
    __table_args__ = (
        of_variant("order_proposals", "CASCADE"),
        CheckConstraint("status IN ('open', 'ordered', 'dismissed', 'outdated')", name="status"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(
            "uq_order_proposals_open",
            "part_id",
            "variant_id",
            "location_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_order_proposals_dismissed",
            "part_id",
            "dismissed_until",
            postgresql_where=text("status = 'dismissed'"),
        ),
        Index("ix_order_proposals_made_at", text("made_at DESC"), "id"),
        Index("ix_order_proposals_status", "status", text("made_at DESC"), "id"),
        *(
            Index(f"ix_order_proposals_{name}", name)
            for name in ("part_id", "location_id", "supplier_id", "order_id", "department_id")
        ),
    )

    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id", ondelete="CASCADE"))
    variant_id: Mapped[UUID | None]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id", ondelete="CASCADE"))
    # Null where nobody is known to sell it.
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("suppliers.id", ondelete="SET NULL"))
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    unit_price: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str | None] = mapped_column(String(3))
    # What it rests on.
    reorder_point: Mapped[Decimal] = mapped_column(QUANTITY)
    available: Mapped[Decimal] = mapped_column(QUANTITY)
    on_order: Mapped[Decimal] = mapped_column(QUANTITY)
    reasons: Mapped[list[Any]] = mapped_column(server_default="[]")
    status: Mapped[str] = mapped_column(String(20), server_default="open")
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id", ondelete="SET NULL"))
    # Until then, or until stock falls further, it is not proposed again.
    dismissed_until: Mapped[datetime | None]
    # When people were told of it.
    told_at: Mapped[datetime | None]
    # Follows from the location.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
    version: Mapped[int] = mapped_column(server_default="1")
