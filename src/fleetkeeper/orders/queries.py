"""The SQL of orders."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.listing import LAST_DAY, Field, Listing
from fleetkeeper.orders.models import Order, OrderEvent, OrderItem
from fleetkeeper.orders.schemas import OrderType
from fleetkeeper.orders.status import OrderStatus
from fleetkeeper.stock.models import Supplier
from fleetkeeper.stock.naming import with_names

MOST_COUNTED = 10_000

ORDERS = Listing(
    fields={
        "id": Field(Order.id.expression, UUID, sortable=False),
        "number": Field(Order.number.expression, str),
        "status": Field(Order.status.expression, str, choices=tuple(OrderStatus)),
        "order_type": Field(Order.order_type.expression, str, choices=get_args(OrderType)),
        "supplier_id": Field(Order.supplier_id.expression, UUID, sortable=False),
        "supplier_name": Field(Supplier.name.expression, str, null_as="''", joined=True),
        "deliver_to_id": Field(Order.deliver_to_id.expression, UUID, sortable=False),
        "request_id": Field(Order.request_id.expression, UUID, sortable=False),
        "total_price": Field(Order.total_price.expression, Decimal),
        "currency": Field(Order.currency.expression, str, sortable=False),
        "expected_delivery_date": Field(Order.expected_delivery_date.expression, date, null_as=LAST_DAY),
        "created_by": Field(Order.created_by.expression, UUID, sortable=False),
        "created_at": Field(Order.created_at.expression, datetime),
        "department_id": Field(Order.department_id.expression, UUID, sortable=False),
    },
    search=(Order.number.expression, Order.notes.expression, Supplier.name.expression),
    key=Order.id.expression,
    default_ordering="-created_at",
    count_limit=MOST_COUNTED,
)
EVENTS = Listing(
    fields={
        "id": Field(OrderEvent.id.expression, UUID, sortable=False),
        "event_type": Field(OrderEvent.event_type.expression, str, sortable=False),
        "created_at": Field(OrderEvent.created_at.expression, datetime),
    },
    search=(OrderEvent.event_description.expression,),
    key=OrderEvent.id.expression,
    default_ordering="created_at",
    count_limit=MOST_COUNTED,
)


def with_supplier(statement: Select[Any]) -> Select[Any]:
    """With what the supplier of each order is called."""
    joined = statement.outerjoin(Supplier, Supplier.id == Order.supplier_id)
    return joined.add_columns(Supplier.name.label("supplier_name"))


def items_of(order_id: UUID) -> Select[Any]:
    """The lines of an order with what their parts are called, in the order that they were entered."""
    return with_names(select(OrderItem).where(OrderItem.order_id == order_id), OrderItem).order_by(
        OrderItem.id
    )


async def lock_items(session: AsyncSession, order_id: UUID) -> dict[UUID, OrderItem]:
    """The lines of an order, locked."""
    locked = select(OrderItem).where(OrderItem.order_id == order_id).order_by(OrderItem.id).with_for_update()
    found = await session.scalars(locked.execution_options(populate_existing=True))
    return {one.id: one for one in found}


async def next_number(session: AsyncSession, prefix: str, year: int) -> str:
    """The next number of a kind in a year, such as PO-2026-0001. It is held until the transaction ends."""
    last = await session.scalar(
        text(
            "INSERT INTO reference_numbers AS r (prefix, last) VALUES (:prefix, 1) "
            "ON CONFLICT (prefix) DO UPDATE SET last = r.last + 1 RETURNING last"
        ),
        {"prefix": f"{prefix}-{year}"},
    )
    return f"{prefix}-{year}-{last:04}"


async def measure_lead_time(session: AsyncSession, supplier_id: UUID) -> None:
    """Keep the median of what a supplier's last deliveries took, in days from order to receipt."""
    await session.execute(
        text(
            """
            UPDATE suppliers SET measured_lead_time_days = (
                SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY took)::numeric, 2) FROM (
                    SELECT extract(epoch FROM received_at - ordered_at) / 86400 AS took FROM orders
                    WHERE supplier_id = :supplier AND status = 'received' AND ordered_at IS NOT NULL
                    ORDER BY received_at DESC LIMIT 50
                ) AS recent
            ) WHERE id = :supplier
            """
        ),
        {"supplier": supplier_id},
    )
