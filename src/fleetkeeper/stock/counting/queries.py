"""The SQL of stock counts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.stock.counting.models import StockCount, StockCountLine
from fleetkeeper.stock.counting.status import CountStatus
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.naming import with_names

COUNTS = Listing(
    fields={
        "id": Field(StockCount.id.expression, UUID, sortable=False),
        "name": Field(StockCount.name.expression, str),
        "status": Field(StockCount.status.expression, str, choices=tuple(CountStatus)),
        "location_id": Field(StockCount.location_id.expression, UUID, sortable=False),
        "department_id": Field(StockCount.department_id.expression, UUID, sortable=False),
        "created_at": Field(StockCount.created_at.expression, datetime),
    },
    search=(StockCount.name.expression,),
    key=StockCount.id.expression,
    default_ordering="-created_at",
)
LINES = Listing(
    fields={
        "id": Field(StockCountLine.id.expression, UUID, sortable=False),
        "part_id": Field(StockCountLine.part_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, joined=True),
        "variance": Field(StockCountLine.variance.expression, Decimal),
        "counted_at": Field(StockCountLine.counted_at.expression, datetime),
    },
    search=(Part.part_code.expression, Part.name.expression),
    key=StockCountLine.id.expression,
    default_ordering="-counted_at",
)


def named_lines(count_id: UUID) -> Select[Any]:
    """What was counted, with what each part is called."""
    return with_names(select(StockCountLine).where(StockCountLine.count_id == count_id), StockCountLine)


async def lines_of(session: AsyncSession, count_id: UUID) -> Sequence[StockCountLine]:
    """All that was counted, in an order that everybody who books keeps."""
    lines = select(StockCountLine).where(StockCountLine.count_id == count_id)
    return (await session.scalars(lines.order_by(StockCountLine.part_id, StockCountLine.variant_id))).all()
