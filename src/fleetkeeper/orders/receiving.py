"""Deliveries: what came is booked into stock line by line, whole or not at all."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders import queries
from fleetkeeper.orders.history import note
from fleetkeeper.orders.models import Order, OrderItem
from fleetkeeper.orders.schemas import OrderRead, ReceiptLine, ReceiptWrite
from fleetkeeper.orders.service import advance, orders
from fleetkeeper.orders.status import RECEIVABLE, OrderStatus
from fleetkeeper.stock.amounts import plain
from fleetkeeper.stock.levels.models import Inventory, StockReservation
from fleetkeeper.stock.levels.moving import move_stock
from fleetkeeper.stock.levels.schemas import MoveWrite

_AS_SAID = {"quantity", "serials", "lot", "expires_on"}


async def receive(session: AsyncSession, actor: Actor, order_id: UUID, receipt: ReceiptWrite) -> OrderRead:
    """Book a delivery: each line becomes a movement, damaged pieces are scrapped, and the status follows.

    Raises NotFoundError, ForbiddenError, ConflictError for an order that waits for nothing, InvalidInputError that
    names the line.
    """
    order: Order = await orders.locked(session, actor, order_id)
    if order.status not in RECEIVABLE:
        raise ConflictError(f"An order that is {order.status} receives nothing; mark it as ordered first.")
    items = await queries.lock_items(session, order_id)
    _check(receipt, items)
    for number, line in sorted(enumerate(receipt.lines), key=lambda pair: str(pair[1].item_id)):
        await _book(session, actor, order, items[line.item_id], line, number)
    await session.flush()
    is_all = all(one.quantity_received >= one.quantity_ordered for one in items.values())
    came = {str(line.item_id): plain(line.quantity) for line in receipt.lines}
    state = OrderStatus.RECEIVED if is_all else OrderStatus.PARTLY
    if order.status == state:
        order.version += 1
        await _note_again(session, actor, order, receipt, came)
    else:
        await advance(session, actor, order, state, receipt.note, received=came)
    return await orders.get(session, actor, order_id)


def _check(receipt: ReceiptWrite, items: Mapping[UUID, OrderItem]) -> None:
    """Raise InvalidInputError with all that is wrong."""
    problems, seen = [], set()
    for number, line in enumerate(receipt.lines):
        item = items.get(line.item_id)
        if item is None or line.item_id in seen:
            told = "Stands there twice" if item is not None else "No such line of this order"
            problems.append(FieldError(f"lines.{number}.item_id", told))
            continue
        seen.add(line.item_id)
        missing = item.quantity_ordered - item.quantity_received
        if line.quantity > missing and not receipt.more_than_ordered:
            problems.append(
                FieldError(
                    f"lines.{number}.quantity",
                    f"Only {plain(missing)} are missing; say that you take more than ordered",
                )
            )
        if line.damaged > line.quantity:
            problems.append(FieldError(f"lines.{number}.damaged", "Must be at most what came"))
    if problems:
        raise InvalidInputError("Nothing was received.", fields=problems)


async def _book(
    session: AsyncSession, actor: Actor, order: Order, item: OrderItem, line: ReceiptLine, number: int
) -> None:
    told: dict[str, Any] = line.model_dump(include=_AS_SAID) | {
        "part_id": item.part_id,
        "variant_id": item.variant_id,
        "reason": f"Order {order.number}",
        "location_id": order.from_location_id,
    }
    if order.order_type == "purchase":
        cost = {"unit_cost": item.unit_price, "currency": order.currency}
        told |= {"kind": "receipt", "location_id": order.deliver_to_id, **cost}
    else:
        told |= {"kind": "issue", "reservation_id": await _reservation(session, order, item)}
    if order.order_type == "internal_transfer":
        told |= {"kind": "transfer", "to_location_id": order.deliver_to_id}
    wanted, purpose = MoveWrite(**told), ("orders", order.id)
    try:
        await move_stock(session, actor, wanted, purpose)
        if line.damaged and order.order_type != "return":
            await _scrap(session, actor, order, item, line)
    except InvalidInputError as error:
        fields = [FieldError(f"lines.{number}.{one.field}", one.message) for one in error.fields]
        raise InvalidInputError("Nothing was received.", fields=fields) from None
    item.quantity_received += line.quantity
    item.quantity_damaged += line.damaged


async def _scrap(
    session: AsyncSession, actor: Actor, order: Order, item: OrderItem, line: ReceiptLine
) -> None:
    pieces = int(line.damaged)
    told: dict[str, Any] = {
        "kind": "scrap",
        "part_id": item.part_id,
        "variant_id": item.variant_id,
        "location_id": order.deliver_to_id,
        "quantity": line.damaged,
        # The last ones that were named.
        "serials": line.serials[-pieces:] if line.serials else [],
        "reason": f"Came damaged with order {order.number}",
    }
    await move_stock(session, actor, MoveWrite(**told), ("orders", order.id))


async def _reservation(session: AsyncSession, order: Order, item: OrderItem) -> UUID | None:
    """What is kept for a line, if anything still is."""
    kept = (
        select(StockReservation.id)
        .join(Inventory, Inventory.id == StockReservation.inventory_id)
        .where(
            StockReservation.purpose_type == "orders",
            StockReservation.purpose_id == order.id,
            Inventory.part_id == item.part_id,
            Inventory.variant_id.is_not_distinct_from(item.variant_id),
        )
        .limit(1)
    )
    return await session.scalar(kept)


async def _note_again(
    session: AsyncSession, actor: Actor, order: Order, receipt: ReceiptWrite, came: dict[str, str]
) -> None:
    await note(session, actor, order, "partly-received", receipt.note or "Received in part", received=came)
