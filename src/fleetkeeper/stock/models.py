"""Parts with their variants, suppliers with their prices."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Numeric,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

import fleetkeeper.stock.words  # noqa: F401 - declares what the log and constraints are called
from fleetkeeper.database.base import Base, Keyed, Timestamped

MONEY = Numeric(14, 4)
QUANTITY = Numeric(14, 3)


def of_variant(table: str, ondelete: str | None = None) -> ForeignKeyConstraint:
    """A variant is one of the part that stands beside it."""
    name = f"fk_{table}_part_id_variant_id_part_variants"
    names = ["part_variants.part_id", "part_variants.id"]
    return ForeignKeyConstraint(["part_id", "variant_id"], names, name=name, ondelete=ondelete)


class Part(Keyed, Timestamped, Base):
    """Something that is stocked."""

    __tablename__ = "parts"
    __table_args__ = (
        UniqueConstraint("department_id", "part_code", postgresql_nulls_not_distinct=True),
        CheckConstraint("replaced_by_id <> id", name="replaced_by_another"),
        Index("ix_parts_part_code", "part_code", "id"),
        Index("ix_parts_name", "name", "id"),
        Index("ix_parts_category", "category", "part_code", "id"),
        Index("ix_parts_is_active", "is_active", "part_code", "id"),
        Index(
            "ix_parts_replaced_by_id",
            "replaced_by_id",
            postgresql_where=text("replaced_by_id IS NOT NULL"),
        ),
    )

    part_code: Mapped[str] = mapped_column(String(50))
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, server_default="")
    # A path in the tree of categories, such as Memory/DDR4.
    category: Mapped[str] = mapped_column(String(100), server_default="")
    unit_of_measure: Mapped[str] = mapped_column(String(20), server_default="unit")
    is_serialized: Mapped[bool] = mapped_column(server_default="false")
    has_lots: Mapped[bool] = mapped_column(server_default="false")
    # What the part is in a machine, once it is fitted; null: nothing that a machine lists.
    component_kind: Mapped[str | None] = mapped_column(String(30))
    fits_device_types: Mapped[list[str]] = mapped_column(ARRAY(String(30)), server_default="{}")
    fits_models: Mapped[list[str]] = mapped_column(ARRAY(String(300)), server_default="{}")
    replaced_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("parts.id"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class PartVariant(Keyed, Timestamped, Base):
    """A variant of a part, such as a size or a color."""

    __tablename__ = "part_variants"
    __table_args__ = (
        UniqueConstraint("part_id", "variant_code"),
        UniqueConstraint("part_id", "id"),
        CheckConstraint("cost_per_unit >= 0", name="cost_per_unit"),
        CheckConstraint("retail_price >= 0", name="retail_price"),
        Index("ix_part_variants_variant_code", "variant_code", "id"),
        Index("ix_part_variants_is_available", "is_available"),
        Index("ix_part_variants_department_id", "department_id"),
    )

    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id", ondelete="CASCADE"))
    variant_code: Mapped[str] = mapped_column(String(50))
    variant_name: Mapped[str] = mapped_column(String(255), server_default="")
    attributes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    cost_per_unit: Mapped[Decimal | None] = mapped_column(MONEY)
    retail_price: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    is_available: Mapped[bool] = mapped_column(server_default="true")
    # Follows from the part.
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class Supplier(Keyed, Timestamped, Base):
    """Who sells parts."""

    __tablename__ = "suppliers"
    __table_args__ = (
        UniqueConstraint("department_id", "name", postgresql_nulls_not_distinct=True),
        CheckConstraint("lead_time_days BETWEEN 0 AND 3650", name="lead_time_days"),
        CheckConstraint("minimum_order_value >= 0", name="minimum_order_value"),
        Index("ix_suppliers_name", "name", "id"),
        Index("ix_suppliers_is_preferred", "is_preferred"),
        Index("ix_suppliers_is_active", "is_active"),
    )

    name: Mapped[str] = mapped_column(String(255))
    contact_name: Mapped[str] = mapped_column(String(255), server_default="")
    contact_email: Mapped[str | None] = mapped_column(String(255))
    contact_phone: Mapped[str | None] = mapped_column(String(20))
    website: Mapped[str | None] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(Text, server_default="")
    notes: Mapped[str] = mapped_column(Text, server_default="")
    # What it promises; what it keeps is measured from receipts.
    lead_time_days: Mapped[int | None]
    measured_lead_time_days: Mapped[Decimal | None] = mapped_column(Numeric(8, 2))
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    minimum_order_value: Mapped[Decimal | None] = mapped_column(MONEY)
    is_preferred: Mapped[bool] = mapped_column(server_default="false")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class PartSupplier(Keyed, Timestamped, Base):
    """At which price a supplier sells a part, or a variant of it."""

    __tablename__ = "part_suppliers"
    __table_args__ = (
        of_variant("part_suppliers", "CASCADE"),
        UniqueConstraint(
            "part_id",
            "variant_id",
            "supplier_id",
            "department_id",
            name="uq_part_suppliers_offer",
            postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("supplier_cost >= 0", name="supplier_cost"),
        CheckConstraint("pack_size > 0", name="pack_size"),
        CheckConstraint("lead_time_days BETWEEN 0 AND 3650", name="lead_time_days"),
        CheckConstraint("minimum_order_qty > 0", name="minimum_order_qty"),
        Index(
            "ix_part_suppliers_best",
            "part_id",
            "variant_id",
            text("is_preferred DESC"),
            "supplier_cost",
        ),
        Index("ix_part_suppliers_supplier_id", "supplier_id", "id"),
        Index("ix_part_suppliers_sku", "sku", postgresql_where=text("sku IS NOT NULL")),
        Index("ix_part_suppliers_department_id", "department_id"),
    )

    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id", ondelete="CASCADE"))
    variant_id: Mapped[UUID | None]
    supplier_id: Mapped[UUID] = mapped_column(ForeignKey("suppliers.id", ondelete="CASCADE"))
    sku: Mapped[str | None] = mapped_column(String(100))
    supplier_cost: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str] = mapped_column(String(3), server_default="EUR")
    # Cheaper from a quantity on: `{"quantity": "10", "price": "8.50"}`, by quantity.
    price_breaks: Mapped[list[Any]] = mapped_column(server_default="[]")
    pack_size: Mapped[Decimal] = mapped_column(QUANTITY, server_default="1")
    lead_time_days: Mapped[int | None]
    minimum_order_qty: Mapped[Decimal] = mapped_column(QUANTITY, server_default="1")
    is_preferred: Mapped[bool] = mapped_column(server_default="false")
    department_id: Mapped[UUID | None] = mapped_column(ForeignKey("departments.id"))
    version: Mapped[int] = mapped_column(server_default="1")


class PartPrice(Base):
    """What a price was from when on; kept by the database."""

    __tablename__ = "part_prices"
    __table_args__ = (
        Index("ix_part_prices_part_id", "part_id", text("since DESC")),
        Index("ix_part_prices_supplier_id", "supplier_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    part_id: Mapped[UUID] = mapped_column(ForeignKey("parts.id", ondelete="CASCADE"))
    variant_id: Mapped[UUID | None]
    supplier_id: Mapped[UUID | None] = mapped_column(ForeignKey("suppliers.id", ondelete="SET NULL"))
    # `cost`, `retail` or `supplier`.
    kind: Mapped[str] = mapped_column(String(10))
    price: Mapped[Decimal | None] = mapped_column(MONEY)
    currency: Mapped[str] = mapped_column(String(3))
    department_id: Mapped[UUID | None]
    since: Mapped[datetime] = mapped_column(server_default=text("now()"))
