"""Orders, their lines and what happened to them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.orders.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped
from fleetkeeper.stock.models import MONEY, QUANTITY, of_variant

TOTAL = Numeric(16, 4)


class Order(Keyed, Timestamped, Base):
    """What is bought, moved between locations, or sent back."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("request_id"),
        CheckConstraint("order_type IN ('purchase', 'internal_transfer', 'return')", name="order_type"),
        CheckConstraint(
            "status IN ('draft', 'pending-approval', 'approved', 'ordered', 'partly-received', 'received', "
            "'cancelled', 'rejected')",
            name="status",
        ),
        CheckConstraint("exchange_rate > 0", name="exchange_rate"),
        Index("ix_orders_status", "status", text("created_at DESC"), "id"),
        Index("ix_orders_created_at", text("created_at DESC"), "id"),
        *(
            Index(f"ix_orders_{name}", name)
            for name in (
                "created_by",
                "approved_by",
                "supplier_id",
                "deliver_to_id",
                "from_location_id",
                "department_id",
            )
        ),
    )

    number: Mapped[str] = mapped_column(String(40))
    # The request of a device that it serves.
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("device_requests.id", ondelete="SET NULL"))
    order_type: Mapped[str] = mapped_column(String(50), server_default="purchase")
    status: Mapped[str] = mapped_column(String(50), server_default="draft")
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("suppliers.id"))
    deliver_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    from_location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    # What one unit of the currency was worth in that of approval rules.
    exchange_rate: Mapped[Decimal] = mapped_column(Numeric(18, 8), server_default="1")
    expected_delivery_date: Mapped[date | None]
    notes: Mapped[str] = mapped_column(Text, server_default="")
    # With taxes; kept by the database.
    total_price: Mapped[Decimal] = mapped_column(TOTAL, server_default="0")
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_by_name: Mapped[str] = mapped_column(String(255), server_default="")
    approved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    approved_at: Mapped[datetime | None]
    ordered_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class OrderItem(Keyed, Base):
    """A line of an order."""

    __tablename__ = "order_items"
    __table_args__ = (
        of_variant("order_items"),
        CheckConstraint("quantity_ordered > 0", name="quantity_ordered"),
        CheckConstraint("quantity_received >= 0", name="quantity_received"),
        CheckConstraint("quantity_damaged >= 0", name="quantity_damaged"),
        CheckConstraint("unit_price >= 0", name="unit_price"),
        CheckConstraint("tax_percent BETWEEN 0 AND 100", name="tax_percent"),
        Index("ix_order_items_order_id", "order_id", "id"),
        Index("ix_order_items_part_id", "part_id"),
        Index("ix_order_items_supplier_id", "supplier_id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("suppliers.id"))
    quantity_ordered: Mapped[Decimal] = mapped_column(QUANTITY)
    quantity_received: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    quantity_damaged: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    unit_price: Mapped[Decimal] = mapped_column(MONEY, server_default="0")
    tax_percent: Mapped[Decimal] = mapped_column(Numeric(5, 2), server_default="0")
    # Without tax.
    total_price: Mapped[Decimal] = mapped_column(
        TOTAL, Computed("round(quantity_ordered * unit_price, 4)", persisted=True)
    )
    expected_delivery_date: Mapped[date | None]
    # Follows from the order.
    department_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class OrderEvent(Keyed, Base):
    """Something that happened to an order. Never changed."""

    __tablename__ = "order_history"
    __table_args__ = (
        Index("ix_order_history_order_id", "order_id", "created_at"),
        Index("ix_order_history_event_type", "event_type"),
        Index("ix_order_history_created_at", "created_at"),
        Index("ix_order_history_user_id", "user_id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"))
    event_type: Mapped[str] = mapped_column(String(100))
    event_description: Mapped[str] = mapped_column(Text, server_default="")
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(255), server_default="")
    details: Mapped[dict[str, Any]] = mapped_column("metadata", server_default="{}")
    department_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class ReferenceNumber(Base):
    """The last number that was given of a kind and a year."""

    __tablename__ = "reference_numbers"

    prefix: Mapped[str] = mapped_column(String(20), primary_key=True)
    last: Mapped[int] = mapped_column(server_default="0")
