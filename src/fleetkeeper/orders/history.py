"""What happened to an order, in plain words; kept beside the audit log because people read it as the order's story."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders.models import Order, OrderEvent


async def note(
    session: AsyncSession,
    actor: Actor | None,
    order: Order,
    event_type: str,
    description: str,
    **details: Any,
) -> None:
    """Add an event; without an actor it is the product's own."""
    session.add(
        OrderEvent(
            order_id=order.id,
            event_type=event_type,
            event_description=description,
            user_id=actor.user_id if actor is not None else None,
            user_name=actor.name[:255] if actor is not None else "",
            details=details,
        )
    )
    await session.flush()
