"""The SQL of parts and variants."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.stock.models import Part, PartPrice, PartVariant

MOST_COUNTED = 10_000
MOST_CATEGORIES = 500

PARTS = Listing(
    fields={
        "id": Field(Part.id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str),
        "name": Field(Part.name.expression, str),
        "category": Field(Part.category.expression, str),
        "unit_of_measure": Field(Part.unit_of_measure.expression, str, sortable=False),
        "is_serialized": Field(Part.is_serialized.expression, bool, sortable=False),
        "component_kind": Field(Part.component_kind.expression, str, sortable=False),
        "replaced_by_id": Field(Part.replaced_by_id.expression, UUID, sortable=False),
        "is_active": Field(Part.is_active.expression, bool),
        "department_id": Field(Part.department_id.expression, UUID, sortable=False),
        "created_at": Field(Part.created_at.expression, datetime),
    },
    search=(Part.part_code.expression, Part.name.expression, Part.category.expression),
    key=Part.id.expression,
    default_ordering="part_code",
    count_limit=MOST_COUNTED,
)

VARIANTS = Listing(
    fields={
        "id": Field(PartVariant.id.expression, UUID, sortable=False),
        "part_id": Field(PartVariant.part_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True),
        "variant_code": Field(PartVariant.variant_code.expression, str),
        "variant_name": Field(PartVariant.variant_name.expression, str),
        "cost_per_unit": Field(PartVariant.cost_per_unit.expression, Decimal, null_as="-1"),
        "is_available": Field(PartVariant.is_available.expression, bool),
        "department_id": Field(PartVariant.department_id.expression, UUID, sortable=False),
    },
    search=(
        PartVariant.variant_code.expression,
        PartVariant.variant_name.expression,
        Part.part_code.expression,
    ),
    key=PartVariant.id.expression,
    default_ordering="variant_code",
    count_limit=MOST_COUNTED,
)

PRICES = Listing(
    fields={
        "id": Field(PartPrice.id.expression, int),
        "part_id": Field(PartPrice.part_id.expression, UUID, sortable=False),
        "variant_id": Field(PartPrice.variant_id.expression, UUID, sortable=False),
        "supplier_id": Field(PartPrice.supplier_id.expression, UUID, sortable=False),
        "kind": Field(PartPrice.kind.expression, str, choices=("cost", "retail", "supplier")),
        "since": Field(PartPrice.since.expression, datetime),
    },
    search=(PartPrice.kind.expression,),
    key=PartPrice.id.expression,
    key_kind=int,
    default_ordering="-since",
    count_limit=MOST_COUNTED,
)


async def categories(session: AsyncSession, visible: object) -> Sequence[tuple[str, int]]:
    """The categories of the parts that one may see, with how many each has."""
    found = visible.subquery()  # type: ignore[attr-defined]
    counted = select(found.c.category, func.count()).where(found.c.category != "").group_by(found.c.category)
    rows = await session.execute(counted.order_by(found.c.category).limit(MOST_CATEGORIES))
    return [(row[0], row[1]) for row in rows]
