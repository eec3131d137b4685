"""What the search finds of orders and work orders."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

import fleetkeeper.orders.annotating  # noqa: F401 - declares what may be annotated
from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders.models import Order
from fleetkeeper.orders.service import orders
from fleetkeeper.orders.work.models import WorkOrder
from fleetkeeper.orders.work.service import work_orders
from fleetkeeper.search.asked import Asked
from fleetkeeper.search.sources import Found, Source, declare_source, of_names


async def _find_orders(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = orders.visible_to(actor).where(of_names(asked, Order.number.expression))
    found = await session.scalars(named.order_by(Order.created_at.desc()).limit(most))
    return [
        Found(
            id=one.id,
            title=one.number,
            detail=one.status,
            href=f"/orders/{one.id}",
            rank=asked.rank(one.number),
        )
        for one in found
    ]


async def _find_work(session: AsyncSession, actor: Actor, asked: Asked, most: int) -> Sequence[Found]:
    named = work_orders.visible_to(actor)
    named = named.where(of_names(asked, WorkOrder.number.expression, WorkOrder.title.expression))
    found = await session.scalars(named.order_by(WorkOrder.created_at.desc()).limit(most))
    return [
        Found(
            id=one.id,
            title=one.number,
            detail=one.title,
            href=f"/work-orders/{one.id}",
            texts={"Title": one.title},
            rank=min(asked.rank(one.number), asked.rank(one.title)),
        )
        for one in found
    ]


declare_source(Source("order", orders.read, _find_orders, 5))
declare_source(Source("work order", work_orders.read, _find_work, 5))
