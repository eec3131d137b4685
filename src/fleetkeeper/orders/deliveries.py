"""What is expected of orders that are under way."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders import queries
from fleetkeeper.orders.calendar import Delivery
from fleetkeeper.orders.models import Order
from fleetkeeper.orders.schemas import OrderRead
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.status import RECEIVABLE
from fleetkeeper.stock.amounts import money_text
from fleetkeeper.stock.naming import read_named

MOST_DELIVERIES = 1000


async def expected_deliveries(session: AsyncSession, actor: Actor, origin: str) -> list[Delivery]:
    """What is expected of orders that are under way, the next first: MOST_DELIVERIES at most."""
    expected = Order.expected_delivery_date
    found = await session.execute(
        queries.with_supplier(orders.visible_to(actor))
        .where(Order.status.in_(RECEIVABLE), expected.is_not(None))
        .order_by(expected, Order.id)
        .limit(MOST_DELIVERIES)
    )
    read = [read_named(OrderRead, row) for row in found]
    return [
        Delivery(
            id=one.id,
            day=one.expected_delivery_date,
            title=f"{one.number} from {one.supplier_name}" if one.supplier_name else one.number,
            details=f"{money_text(one.total_price, one.currency)}\n{one.notes}".strip(),
            url=f"{origin}/orders/{one.id}",
            version=one.version,
            changed_at=one.updated_at,
        )
        for one in read
        if one.expected_delivery_date is not None
    ]
