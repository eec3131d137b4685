"""Makes draft orders of proposals: one for each supplier, location and currency, with the rights of whoever asks."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import move as move_status
from fleetkeeper.errors import (
    ConflictError,
    FleetkeeperError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
)
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.bulk import BulkItem, BulkResult, Selection, result_of
from fleetkeeper.orders.items import add_item
from fleetkeeper.orders.schemas import ItemWrite, OrderRead, OrderWrite
from fleetkeeper.orders.service import orders
from fleetkeeper.replenishment.models import OrderProposal
from fleetkeeper.replenishment.schemas import ProposalRead
from fleetkeeper.replenishment.service import chosen, item_of, refusal
from fleetkeeper.replenishment.status import PROPOSALS, ProposalStatus
from fleetkeeper.stock.amounts import money_text, quantity_text

_NO_SUPPLIER = "No supplier has a price for it. Enter a price, then let proposals be made again."
_REFUSALS = (ConflictError, ForbiddenError, InvalidInputError, NotFoundError)
Chosen = tuple[ProposalRead, OrderProposal]


async def order_many(
    session: AsyncSession, actor: Actor, selection: Selection, *, dry_run: bool
) -> BulkResult:
    """Make draft orders of the proposals of a selection; each has its own result. Raises InvalidInputError.

    Prices are those of now, for the quantity that was proposed.
    """
    items: list[BulkItem] = []
    groups: dict[tuple[UUID, UUID, str], list[Chosen]] = defaultdict(list)
    for one, row in await chosen(session, actor, selection, is_locked=not dry_run):
        problem = refusal(actor, row)
        if not problem and (row.supplier_id is None or row.currency is None):
            problem = _NO_SUPPLIER
        if problem or row.supplier_id is None or row.currency is None:
            items.append(item_of(one, "refused", problem))
        else:
            groups[row.supplier_id, row.location_id, row.currency].append((one, row))
    for (supplier_id, location_id, currency), group in groups.items():
        if dry_run:
            items += [item_of(one, "changed", _line_text(one)) for one, _ in group]
            continue
        department_id = group[0][1].department_id
        wanted = OrderWrite(
            supplier_id=supplier_id,
            deliver_to_id=location_id,
            currency=currency,
            department_id=department_id,
            notes="Drafted from order proposals.",
        )
        items += await _draft(session, actor, wanted, group)
    return result_of(items, dry_run=dry_run)


def _line_text(one: ProposalRead) -> str:
    quantity = quantity_text(one.quantity, one.unit_of_measure)
    price = money_text(one.unit_price, one.currency or "")
    return f"{quantity} at {price} from {one.supplier_name}"


async def _draft(
    session: AsyncSession, actor: Actor, wanted: OrderWrite, group: Sequence[Chosen]
) -> list[BulkItem]:
    """Draft one order; without a line that can be added none is made."""
    nothing_added = ConflictError("No line could be added.")
    items: list[BulkItem] = []
    try:
        async with session.begin_nested():
            order = await orders.create(session, actor, wanted)
            items = [await _add_line(session, actor, order, one, row) for one, row in group]
            if all(item.outcome == "refused" for item in items):
                raise nothing_added
    except _REFUSALS as error:
        if error is not nothing_added:
            return [item_of(one, "refused", _told(error)) for one, _ in group]
    return items


async def _add_line(
    session: AsyncSession, actor: Actor, order: OrderRead, one: ProposalRead, row: OrderProposal
) -> BulkItem:
    line = ItemWrite(part_id=one.part_id, variant_id=one.variant_id, quantity_ordered=one.quantity)
    try:
        async with session.begin_nested():
            await add_item(session, actor, order.id, line)
            row.order_id = order.id
            row.version += 1
            await move_status(session, PROPOSALS, row, ProposalStatus.ORDERED, reason=f"Order {order.number}")
    except _REFUSALS as error:
        return item_of(one, "refused", _told(error))
    return item_of(one, "changed", f"In draft order {order.number}")


def _told(error: FleetkeeperError) -> str:
    """An error as one sentence: what is wrong with fields says more than its head."""
    return "; ".join(one.message for one in error.fields) or error.detail
