"""Orders: entered, submitted for approval, ordered and cancelled. Any change of what was approved asks anew."""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.asking import ask_if_needed
from fleetkeeper.approvals.kinds import Action
from fleetkeeper.approvals.schemas import ApprovalRead
from fleetkeeper.approvals.service import withdraw
from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.database.status_history import move as move_status
from fleetkeeper.device_requests.service import get_request
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.orders import queries
from fleetkeeper.orders.history import note
from fleetkeeper.orders.keeping import reserve_for
from fleetkeeper.orders.models import Order, OrderEvent, OrderItem
from fleetkeeper.orders.schemas import (
    OrderEventPage,
    OrderEventRead,
    OrderPage,
    OrderRead,
    OrderWrite,
)
from fleetkeeper.orders.status import CHANGEABLE, ORDERS, OrderStatus
from fleetkeeper.records.service import Records
from fleetkeeper.stock.amounts import money_text, plain
from fleetkeeper.stock.levels.reserving import release_of
from fleetkeeper.stock.naming import read_named
from fleetkeeper.stock.suppliers.service import visible_supplier

APPROVE = "orders.approve"
PREFIXES = {"purchase": "PO", "internal_transfer": "TO", "return": "RO"}
_STORY = {
    OrderStatus.PENDING: ("submitted", "Submitted for approval"),
    OrderStatus.APPROVED: ("approved", "Approved"),
    OrderStatus.ORDERED: ("ordered", "Ordered"),
    OrderStatus.RECEIVED: ("received", "Received"),
    OrderStatus.PARTLY: ("partly-received", "Received in part"),
    OrderStatus.CANCELLED: ("cancelled", "Cancelled"),
    OrderStatus.REJECTED: ("rejected", "Rejected"),
    OrderStatus.DRAFT: ("reopened", "Is a draft again"),
}


class Orders(Records[OrderWrite, OrderRead]):
    """Orders of the departments where the actor may order."""

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[OrderRead]:
        """One page of the orders that the actor may see. Raises InvalidInputError."""
        visible = self.visible_to(actor)
        return await self.listing.read(
            session,
            queries.with_supplier(visible),
            parameters,
            self.page_as,
            lambda row: read_named(OrderRead, row),
            narrow=visible if not dict(parameters).get("q") else None,
            is_counted=is_counted,
        )

    async def get(self, session: AsyncSession, actor: Actor, key: UUID) -> OrderRead:
        """One order. Raises NotFoundError."""
        found = await session.execute(queries.with_supplier(self.visible_to(actor).where(Order.id == key)))
        row = found.first()
        if row is None:
            raise NotFoundError("There is no such order.")
        return read_named(OrderRead, row)

    async def create(self, session: AsyncSession, actor: Actor, wanted: OrderWrite) -> OrderRead:
        """Draft an order, which gets the next number of its kind. Raises what making any record does."""
        self._check_may_write(actor, wanted.department_id)
        await _check_ends(session, actor, wanted)
        year = utc_now().year
        row = Order(
            **wanted.model_dump(),
            number=await queries.next_number(session, PREFIXES[wanted.order_type], year),
            created_by=actor.user_id,
            created_by_name=actor.name[:255],
        )
        made = await self._insert(session, row)
        await note(session, actor, row, "created", f"{row.number} created")
        return await self.get(session, actor, made.id)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: OrderWrite,
        expected_version: int | None = None,
    ) -> OrderRead:
        """Change an order; one that was submitted or approved is a draft again."""
        row = await self.locked(session, actor, key)
        if row.order_type != wanted.order_type:
            wrong = FieldError("order_type", "Cannot change; draft another order")
            raise InvalidInputError("The order was not saved.", fields=[wrong])
        await _check_ends(session, actor, wanted)
        before = row.version
        changed = await super().change(session, actor, key, wanted, expected_version)
        if changed.version != before:
            await reopen(session, actor, row, "was changed")
        return await self.get(session, actor, key)

    async def delete(self, session: AsyncSession, actor: Actor, key: UUID) -> None:
        """Delete a draft. Raises ConflictError for what is more than that: cancel it instead."""
        row = await self.locked(session, actor, key)
        if row.status != OrderStatus.DRAFT:
            raise ConflictError("Only drafts are deleted; cancel the order instead.")
        await super().delete(session, actor, key)

    async def move(
        self, session: AsyncSession, actor: Actor, key: UUID, wanted: StrEnum, reason: str
    ) -> OrderRead | ApprovalRead:
        """Submit, order, cancel or reopen an order.

        Submitting approves it at once where no rule asks for more. Raises ConflictError for what only approvers or
        receipts do, NotFoundError, ForbiddenError.
        """
        row = await self.locked(session, actor, key)
        state = OrderStatus(wanted)
        ORDERS.check(OrderStatus(row.status), state)
        if state == OrderStatus.PENDING:
            return await _submit(session, actor, row, reason)
        if state in {OrderStatus.APPROVED, OrderStatus.REJECTED}:
            raise ConflictError("Submit the order: it is approved or rejected by its approvers.")
        if state == OrderStatus.PARTLY:
            raise ConflictError("Book what came: the status follows from receipts.")
        if state == OrderStatus.RECEIVED and row.status == OrderStatus.ORDERED:
            raise ConflictError("Nothing came yet: book what came, or cancel the order.")
        if state == OrderStatus.DRAFT:
            await reopen(session, actor, row, "was reopened")
        else:
            await advance(session, actor, row, state, reason)
        return await self.get(session, actor, key)


def _check_changeable(present: Any, wanted: OrderWrite) -> None:
    del wanted
    if present is not None and present.status not in CHANGEABLE:
        raise ConflictError(f"An order that is {present.status} cannot be changed.")


orders = Orders(
    model=Order,
    listing=queries.ORDERS,
    write_as=OrderWrite,
    read_as=OrderRead,
    page_as=OrderPage,
    noun=("order", "orders"),
    page="/orders/{}",
    label="number",
    read=Permission.ORDERS_READ,
    write=Permission.ORDERS_WRITE,
    machine=ORDERS,
    check=_check_changeable,
)


async def advance(
    session: AsyncSession,
    actor: Actor | None,
    row: Order,
    state: OrderStatus,
    reason: str = "",
    **details: Any,
) -> None:
    """Move a locked order to a state, with all that goes with it, and tell its story. Raises ConflictError."""
    now = utc_now()
    await move_status(session, ORDERS, row, state, reason=reason)
    row.version += 1
    if state == OrderStatus.APPROVED:
        row.approved_at = now
    elif state == OrderStatus.ORDERED:
        row.ordered_at = now
    elif state == OrderStatus.RECEIVED:
        row.received_at = now
    if state in {OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.RECEIVED, OrderStatus.DRAFT}:
        await release_of(session, "orders", row.id)
    if state not in {OrderStatus.PENDING, OrderStatus.APPROVED}:
        await withdraw(session, "orders", str(row.id), f"The order is {state} now.")
    await session.flush()
    if state == OrderStatus.RECEIVED and row.supplier_id is not None:
        await queries.measure_lead_time(session, row.supplier_id)
    event_type, words = _STORY[state]
    await note(session, actor, row, event_type, f"{words}: {reason}" if reason else words, **details)


async def reopen(session: AsyncSession, actor: Actor, row: Order, what: str) -> None:
    """Make a draft of an order that is more than that: what was approved is not what it is now."""
    if row.status == OrderStatus.DRAFT:
        return
    row.approved_by, row.approved_at = None, None
    await advance(session, actor, row, OrderStatus.DRAFT, f"the order {what}")


async def _submit(session: AsyncSession, actor: Actor, row: Order, reason: str) -> OrderRead | ApprovalRead:
    items = (await session.scalars(select(OrderItem).where(OrderItem.order_id == row.id))).all()
    problems = ready_problems(row, len(items))
    if problems:
        raise ConflictError("The order is not complete.", fields=problems)
    await advance(session, actor, row, OrderStatus.PENDING, reason)
    held = await ask_if_needed(session, actor, action_of(row, items, reason))
    if held is not None:
        return held
    await approve_order(session, actor, row, "no approval rule applies")
    return await orders.get(session, actor, row.id)


def ready_problems(row: Order, lines: int) -> list[FieldError]:
    """What an order lacks before it can be submitted. Pure."""
    found = [] if lines else [FieldError("items", "Add a line first")]
    if row.deliver_to_id is None and row.order_type != "return":
        found.append(FieldError("deliver_to_id", "Say where it is delivered to"))
    if row.supplier_id is None and row.order_type != "internal_transfer":
        found.append(FieldError("supplier_id", "Say which supplier"))
    if row.from_location_id is None and row.order_type != "purchase":
        found.append(FieldError("from_location_id", "Say where it comes from"))
    return found


def action_of(row: Order, items: Sequence[OrderItem], reason: str) -> Action:
    """What approvers are asked for: the order as it is now; its version makes any change another action."""
    lines = [[str(one.part_id), plain(one.quantity_ordered), plain(one.unit_price)] for one in items]
    facts = [
        ["Order", row.number],
        ["Kind", row.order_type.replace("_", " ")],
        ["Total", money_text(row.total_price, row.currency)],
        ["Exchange rate", "" if row.exchange_rate == 1 else plain(row.exchange_rate)],
        ["Lines", str(len(items))],
        ["Notes", row.notes],
    ]
    return Action(
        kind=APPROVE,
        subject_type="orders",
        subject_id=str(row.id),
        subject_label=row.number,
        subject_href=f"/orders/{row.id}",
        payload={"id": str(row.id), "version": row.version, "lines": lines, "facts": facts},
        # Whoever asks enters the rate: a small one must not lead past the rules.
        amount=float(row.total_price * max(row.exchange_rate, Decimal(1))),
        department_id=row.department_id,
        reason=reason,
    )


async def approve_order(session: AsyncSession, actor: Actor, row: Order, reason: str) -> None:
    """Approve a locked order, and keep what a transfer takes away. Raises ConflictError where it is not there."""
    await advance(session, None, row, OrderStatus.APPROVED, reason)
    if row.order_type != "purchase":
        await reserve_for(session, actor, row)


async def _check_ends(session: AsyncSession, actor: Actor, wanted: OrderWrite) -> None:
    if wanted.request_id is not None:
        try:
            await get_request(session, actor, wanted.request_id)
        except NotFoundError:
            wrong = FieldError("request_id", "No such device request")
            raise InvalidInputError("The order was not saved.", fields=[wrong]) from None
    if wanted.supplier_id is not None:
        await visible_supplier(session, actor, wanted.supplier_id)
    for name in ("deliver_to_id", "from_location_id"):
        key = getattr(wanted, name)
        visible = locations.visible_to(actor).where(Location.id == key)
        if key is not None and await session.scalar(visible) is None:
            raise InvalidInputError("The order was not saved.", fields=[FieldError(name, "No such location")])
    if wanted.from_location_id is not None and wanted.from_location_id == wanted.deliver_to_id:
        wrong = FieldError("deliver_to_id", "Must be another location")
        raise InvalidInputError("The order was not saved.", fields=[wrong])


async def list_events(
    session: AsyncSession, actor: Actor, key: UUID, parameters: Sequence[tuple[str, str]]
) -> OrderEventPage:
    """What happened to an order, the first thing first. Raises NotFoundError."""
    await orders.get(session, actor, key)
    story = select(OrderEvent).where(OrderEvent.order_id == key)
    return await queries.EVENTS.read(
        session, story, parameters, OrderEventPage, lambda row: OrderEventRead.model_validate(row[0])
    )


async def touch(session: AsyncSession, actor: Actor, key: UUID, what: str) -> Order:
    """An order, locked, whose lines are about to change: one that was approved is a draft again.

    Raises NotFoundError, ForbiddenError, ConflictError for one that is ordered already.
    """
    row: Order = await orders.locked(session, actor, key)
    if row.status not in CHANGEABLE:
        raise ConflictError(f"An order that is {row.status} cannot be changed.")
    async with told_by_name(session):
        row.version += 1
    await reopen(session, actor, row, what)
    return row
