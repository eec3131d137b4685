"""The SQL of suppliers and their prices."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, or_
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.stock.models import Part, PartSupplier, Supplier

MOST_COUNTED = 10_000
MOST_OFFERS = 200

SUPPLIERS = Listing(
    fields={
        "id": Field(Supplier.id.expression, UUID, sortable=False),
        "name": Field(Supplier.name.expression, str),
        "lead_time_days": Field(Supplier.lead_time_days.expression, int, null_as="-1"),
        "currency": Field(Supplier.currency.expression, str),
        "is_preferred": Field(Supplier.is_preferred.expression, bool),
        "is_active": Field(Supplier.is_active.expression, bool),
        "department_id": Field(Supplier.department_id.expression, UUID, sortable=False),
        "created_at": Field(Supplier.created_at.expression, datetime),
    },
    search=(Supplier.name.expression, Supplier.contact_name.expression, Supplier.contact_email.expression),
    key=Supplier.id.expression,
    default_ordering="name",
    count_limit=MOST_COUNTED,
)

OFFERS = Listing(
    fields={
        "id": Field(PartSupplier.id.expression, UUID, sortable=False),
        "part_id": Field(PartSupplier.part_id.expression, UUID, sortable=False),
        "variant_id": Field(PartSupplier.variant_id.expression, UUID, sortable=False),
        "supplier_id": Field(PartSupplier.supplier_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True),
        "supplier_name": Field(Supplier.name.expression, str, joined=True),
        "sku": Field(PartSupplier.sku.expression, str, null_as="''"),
        "supplier_cost": Field(PartSupplier.supplier_cost.expression, Decimal, null_as="-1"),
        "currency": Field(PartSupplier.currency.expression, str),
        "is_preferred": Field(PartSupplier.is_preferred.expression, bool),
        "department_id": Field(PartSupplier.department_id.expression, UUID, sortable=False),
        "created_at": Field(PartSupplier.created_at.expression, datetime),
    },
    search=(PartSupplier.sku.expression, Part.part_code.expression, Supplier.name.expression),
    key=PartSupplier.id.expression,
    default_ordering="-created_at",
    count_limit=MOST_COUNTED,
)


async def offers_of(
    session: AsyncSession, visible: Select[Any], part_id: UUID, variant_id: UUID | None
) -> Sequence[Row[Any]]:
    """Prices of a part, or of a variant and of the whole part, each with its supplier (document 001's pattern 3)."""
    fits: ColumnElement[bool] = PartSupplier.variant_id.is_(None)
    if variant_id is not None:
        fits = or_(fits, PartSupplier.variant_id == variant_id)
    statement = (
        visible.join(Supplier, Supplier.id == PartSupplier.supplier_id)
        .add_columns(Supplier)
        .where(PartSupplier.part_id == part_id, fits, Supplier.is_active)
        .order_by(PartSupplier.is_preferred.desc(), PartSupplier.supplier_cost, PartSupplier.id)
        .limit(MOST_OFFERS)
    )
    return (await session.execute(statement)).all()
