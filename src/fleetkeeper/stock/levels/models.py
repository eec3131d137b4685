"""Stock by location, its movements and reservations, and pieces with serial numbers."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fleetkeeper.database.base import Base, Keyed, Timestamped
from fleetkeeper.stock.models import MONEY, QUANTITY, of_variant


class Inventory(Keyed, Base):
    """What lies of a part, or a variant of it, at a location. The database keeps the sums."""

    __tablename__ = "inventory"
    __table_args__ = (
        of_variant("inventory"),
        UniqueConstraint(
            "part_id",
            "variant_id",
            "location_id",
            name="uq_inventory_place",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("quantity_on_hand >= 0", name="on_hand"),
        CheckConstraint("quantity_reserved BETWEEN 0 AND quantity_on_hand", name="reserved"),
        CheckConstraint("reorder_point >= 0", name="reorder_point"),
        CheckConstraint("reorder_quantity > 0", name="reorder_quantity"),
        Index("ix_inventory_location_id", "location_id", "quantity_available"),
        Index("ix_inventory_quantity_available", "quantity_available", "id"),
        Index(
            "ix_inventory_low",
            "location_id",
            "quantity_available",
            postgresql_where=text("quantity_available <= reorder_point"),
        ),
        Index(
            "ix_inventory_reorder_point",
            "reorder_point",
            postgresql_where=text("reorder_point IS NOT NULL"),
        ),
        Index("ix_inventory_department_id", "department_id"),
    )

    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    quantity_on_hand: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    quantity_reserved: Mapped[Decimal] = mapped_column(QUANTITY, server_default="0")
    quantity_available: Mapped[Decimal] = mapped_column(
        QUANTITY, Computed("quantity_on_hand - quantity_reserved", persisted=True)
    )
    reorder_point: Mapped[Decimal | None] = mapped_column(QUANTITY)
    reorder_quantity: Mapped[Decimal | None] = mapped_column(QUANTITY)
    last_counted_at: Mapped[datetime | None]
    last_updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Since when it is low and people were told of it.
    told_low_at: Mapped[datetime | None]
    # Follows from the location.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class StockMovement(Keyed, Base):
    """A change of stock. Never changed: a mistake is put right by another movement."""

    __tablename__ = "stock_movements"
    __table_args__ = (
        of_variant("stock_movements"),
        CheckConstraint(
            "kind IN ('receipt', 'issue', 'transfer', 'adjustment', 'count', 'return', 'scrap', 'consumption')",
            name="kind",
        ),
        CheckConstraint("quantity <> 0", name="quantity"),
        Index("ix_stock_movements_moved_at", text("moved_at DESC"), "id"),
        Index("ix_stock_movements_part_id", "part_id", text("moved_at DESC")),
        Index("ix_stock_movements_location_id", "location_id", text("moved_at DESC")),
        Index(
            "ix_stock_movements_device_id",
            "device_id",
            text("moved_at DESC"),
            postgresql_where=text("device_id IS NOT NULL"),
        ),
        Index("ix_stock_movements_purpose_id", "purpose_id", postgresql_where=text("purpose_id IS NOT NULL")),
        Index("ix_stock_movements_moved_by", "moved_by"),
        Index(
            "ix_stock_movements_consumption",
            "part_id",
            "moved_at",
            postgresql_where=text("kind = 'consumption'"),
        ),
        Index("ix_stock_movements_department_id", "department_id", text("moved_at DESC")),
    )

    kind: Mapped[str] = mapped_column(String(20))
    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    # More than 0 what comes, less what goes.
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    serials: Mapped[list[str]] = mapped_column(ARRAY(String(100)), server_default="{}")
    lot: Mapped[str | None] = mapped_column(String(100))
    expires_on: Mapped[date | None]
    unit_cost: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str | None] = mapped_column(String(3))
    # Joins the two halves of a transfer.
    transfer_id: Mapped[UUID | None]
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    device_name: Mapped[str] = mapped_column(String(255), server_default="")
    # What it was done for, such as an order's line.
    purpose_type: Mapped[str] = mapped_column(String(40), server_default="")
    purpose_id: Mapped[UUID | None]
    reason: Mapped[str] = mapped_column(String(500), server_default="")
    moved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    moved_by_name: Mapped[str] = mapped_column(String(255), server_default="")
    moved_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # Follows from the location.
    department_id: Mapped[UUID | None]


class StockReservation(Keyed, Base):
    """A part of what is on hand that is kept for a purpose."""

    __tablename__ = "stock_reservations"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_stock_reservations_inventory_id", "inventory_id"),
        Index(
            "ix_stock_reservations_purpose_id",
            "purpose_id",
            postgresql_where=text("purpose_id IS NOT NULL"),
        ),
        Index("ix_stock_reservations_reserved_by", "reserved_by"),
        Index("ix_stock_reservations_department_id", "department_id"),
    )

    inventory_id: Mapped[UUID] = mapped_column(ForeignKey("inventory.id"))
    quantity: Mapped[Decimal] = mapped_column(QUANTITY)
    purpose_type: Mapped[str] = mapped_column(String(40), server_default="")
    purpose_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(String(255), server_default="")
    reserved_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    reserved_by_name: Mapped[str] = mapped_column(String(255), server_default="")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    department_id: Mapped[UUID | None]


class StockSerial(Keyed, Timestamped, Base):
    """A piece that is known by its number, wherever it is now."""

    __tablename__ = "stock_serials"
    __table_args__ = (
        UniqueConstraint("part_id", "serial"),
        CheckConstraint("status IN ('in_stock', 'fitted', 'issued', 'scrapped')", name="status"),
        CheckConstraint("(status = 'in_stock') = (location_id IS NOT NULL)", name="place"),
        Index("ix_stock_serials_serial", "serial"),
        Index(
            "ix_stock_serials_location_id",
            "location_id",
            "part_id",
            postgresql_where=text("location_id IS NOT NULL"),
        ),
        Index("ix_stock_serials_device_id", "device_id", postgresql_where=text("device_id IS NOT NULL")),
        Index("ix_stock_serials_movement_id", "movement_id"),
        Index("ix_stock_serials_department_id", "department_id"),
    )

    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    serial: Mapped[str] = mapped_column(String(100))
    status: Mapped[str] = mapped_column(String(20), server_default="in_stock")
    location_id: Mapped[UUID | None] = mapped_column(ForeignKey("locations.id"))
    device_id: Mapped[UUID | None] = mapped_column(ForeignKey("devices.id", ondelete="SET NULL"))
    lot: Mapped[str | None] = mapped_column(String(100))
    expires_on: Mapped[date | None]
    # The movement that brought it where it is.
    movement_id: Mapped[UUID] = mapped_column(ForeignKey("stock_movements.id"))
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
