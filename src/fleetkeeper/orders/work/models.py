"""Work orders."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.orders.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped
from fleetkeeper.stock.models import QUANTITY, of_variant


class WorkOrder(Keyed, Timestamped, Base):
    """A part that is to be fitted to a device."""

    __tablename__ = "work_orders"
    __table_args__ = (
        of_variant("work_orders"),
        UniqueConstraint("number"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("status IN ('planned', 'done', 'cancelled')", name="status"),
        CheckConstraint("ends_at > starts_at", name="window"),
        Index("ix_work_orders_status", "status", "starts_at", "id"),
        Index("ix_work_orders_device_id", "device_id", text("created_at DESC")),
        Index("ix_work_orders_part_id", "part_id"),
        Index("ix_work_orders_location_id", "location_id"),
        Index("ix_work_orders_assigned_to", "assigned_to", "status"),
        Index("ix_work_orders_order_id", "order_id"),
        Index("ix_work_orders_department_id", "department_id"),
    )

    number: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(255))
    device_id: Mapped[UUID] = mapped_column(ForeignKey("devices.id", ondelete="CASCADE"))
    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id"))
    variant_id: Mapped[UUID | None]
    quantity: Mapped[Decimal] = mapped_column(QUANTITY, server_default="1")
    # Where the part is taken from.
    location_id: Mapped[UUID] = mapped_column(ForeignKey("locations.id"))
    status: Mapped[str] = mapped_column(String(20), server_default="planned")
    assigned_to: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    # The maintenance window.
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    instructions: Mapped[str] = mapped_column(Text, server_default="")
    done_at: Mapped[datetime | None]
    done_by_name: Mapped[str] = mapped_column(String(255), server_default="")
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("orders.id", ondelete="SET NULL"))
    # Follows from the device.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")
