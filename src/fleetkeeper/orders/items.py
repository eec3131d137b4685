"""Lines of orders. Who changes one that was approved makes a draft of the order."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders import queries
from fleetkeeper.orders.history import note
from fleetkeeper.orders.models import Order, OrderItem
from fleetkeeper.orders.schemas import MOST_LINES, ItemList, ItemRead, ItemWrite
from fleetkeeper.orders.service import orders, touch
from fleetkeeper.stock.amounts import plain
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.naming import read_named
from fleetkeeper.stock.parts.service import check_variant, visible_part
from fleetkeeper.stock.suppliers.service import choose_supplier


async def list_items(session: AsyncSession, actor: Actor, order_id: UUID) -> ItemList:
    """All lines of an order. Raises NotFoundError."""
    await orders.get(session, actor, order_id)
    rows = await session.execute(queries.items_of(order_id).limit(MOST_LINES))
    return ItemList(results=[read_named(ItemRead, row) for row in rows])


async def add_item(session: AsyncSession, actor: Actor, order_id: UUID, wanted: ItemWrite) -> ItemRead:
    """Add a line; an order that was approved is a draft again. Raises InvalidInputError, ConflictError."""
    order = await touch(session, actor, order_id, "got another line")
    known = await queries.lock_items(session, order_id)
    if len(known) >= MOST_LINES:
        raise ConflictError(f"An order has at most {MOST_LINES} lines.")
    values = await _values(session, actor, order, wanted)
    row = OrderItem(order_id=order_id, **values)
    async with told_by_name(session):
        session.add(row)
    part = await session.get_one(Part, row.part_id)
    await note(session, actor, order, "changed", f"Added {plain(row.quantity_ordered)} of {part.part_code}")
    return await _read(session, row.id, order_id)


async def change_item(session: AsyncSession, actor: Actor, item_id: UUID, wanted: ItemWrite) -> ItemRead:
    """Change a line; what changes nothing asks for nothing anew. Raises NotFoundError, InvalidInputError."""
    order_id = await _order_of(session, actor, item_id)
    order = await orders.locked(session, actor, order_id)
    values = await _values(session, actor, order, wanted)
    row = (await queries.lock_items(session, order_id))[item_id]
    if all(getattr(row, name) == value for name, value in values.items()):
        return await _read(session, item_id, order_id)
    before = row.quantity_ordered
    await touch(session, actor, order_id, "has another line")
    async with told_by_name(session):
        for name, value in values.items():
            setattr(row, name, value)
    part = await session.get_one(Part, row.part_id)
    told = f"{part.part_code}: {plain(before)} became {plain(wanted.quantity_ordered)}"
    await note(session, actor, order, "changed", told)
    return await _read(session, item_id, order_id)


async def remove_item(session: AsyncSession, actor: Actor, item_id: UUID) -> None:
    """Remove a line; an order that was approved is a draft again. Raises NotFoundError, ConflictError."""
    order_id = await _order_of(session, actor, item_id)
    order = await touch(session, actor, order_id, "lost a line")
    row = (await queries.lock_items(session, order_id))[item_id]
    part = await session.get_one(Part, row.part_id)
    await session.delete(row)
    await session.flush()
    await note(session, actor, order, "changed", f"Removed {plain(row.quantity_ordered)} of {part.part_code}")


async def _values(session: AsyncSession, actor: Actor, order: Order, wanted: ItemWrite) -> dict[str, object]:
    part = await visible_part(session, actor, wanted.part_id)
    await check_variant(session, part.id, wanted.variant_id)
    price = wanted.unit_price
    if price is None:
        price = await _best_price(session, actor, order, wanted)
    return wanted.model_dump() | {"unit_price": price, "supplier_id": order.supplier_id}


async def _best_price(session: AsyncSession, actor: Actor, order: Order, wanted: ItemWrite) -> Decimal:
    """What the order's supplier asks for as many. Raises InvalidInputError where it has no price."""
    if order.order_type == "internal_transfer":
        return Decimal(0)
    found = await choose_supplier(session, actor, wanted.part_id, wanted.variant_id, wanted.quantity_ordered)
    for one in found.choices:
        if one.supplier_id == order.supplier_id and one.currency == order.currency:
            return one.unit_price
    wrong = FieldError("unit_price", "The order's supplier has no price for it in this currency: enter one")
    raise InvalidInputError("The line was not saved.", fields=[wrong])


async def _order_of(session: AsyncSession, actor: Actor, item_id: UUID) -> UUID:
    order_id = await session.scalar(select(OrderItem.order_id).where(OrderItem.id == item_id))
    if order_id is None:
        raise NotFoundError("There is no such line.")
    await orders.get(session, actor, order_id)
    return order_id


async def _read(session: AsyncSession, item_id: UUID, order_id: UUID) -> ItemRead:
    found = await session.execute(queries.items_of(order_id).where(OrderItem.id == item_id))
    return read_named(ItemRead, found.one())
