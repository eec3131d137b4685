"""Looks through stock and keeps one open proposal for each place that has reached its reorder point."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.events import ObjectRef, emit
from fleetkeeper.replenishment import queries
from fleetkeeper.replenishment.models import OrderProposal
from fleetkeeper.replenishment.planning import Place, Plan, plan
from fleetkeeper.replenishment.reading import read_known, read_policy
from fleetkeeper.replenishment.status import PROPOSALS, ProposalStatus
from fleetkeeper.replenishment.words import WAITING

BATCH = 200
# Names that a message lists; the page lists all.
MOST_NAMED = 10
MOST_TOLD = 1000
# The part, the variant and the location: what has one open proposal.
Key = tuple[UUID, UUID | None, UUID]
Progress = Callable[[int], Awaitable[None]]


@dataclass
class Outcome:
    """How many places a run looked at, and what became of proposals."""

    places: int = 0
    made: int = 0
    changed: int = 0
    outdated: int = 0


async def propose(
    database: Database, context: TransactionContext, now: datetime, progress: Progress
) -> Outcome:
    """Look through all stock, some hundred places to a transaction. Run twice, or by two at once, it adds nothing."""
    outcome = Outcome()
    after: UUID | None = None
    while True:
        await progress(outcome.places)
        async with database.session(context) as session:
            ids = await queries.next_places(session, after, BATCH)
            if not ids:
                break
            await _look_at(session, ids, now, outcome)
            after = ids[-1]
        outcome.places += len(ids)
    is_busy = True
    while is_busy:
        async with database.session(context) as session:
            is_busy = await _close_left_over(session, outcome) > 0
    async with database.session(context) as session:
        await tell_of_new(session)
    return outcome


async def plans_of(session: AsyncSession, ids: Sequence[UUID], now: datetime) -> list[Plan]:
    """What follows for these places; nothing is kept."""
    policy = await read_policy(session)
    return [plan(known, policy) for known in await read_known(session, ids, now)]


async def _look_at(session: AsyncSession, ids: Sequence[UUID], now: datetime, outcome: Outcome) -> None:
    # Locked before anything is read: what a person orders meanwhile is on order by then.
    present = {_key(one): one for one in await queries.lock_open(session, ids)}
    dismissed = {_key(one): one for one in await queries.dismissed(session, ids, now)}
    added: list[Plan] = []
    for made in await plans_of(session, ids, now):
        key = (made.place.part_id, made.place.variant_id, made.place.location_id)
        one = present.get(key)
        if made.draft is None:
            if one is not None:
                await _outdate(session, one, "There is enough", outcome)
        elif one is not None:
            outcome.changed += _update(one, made)
        elif not stays_away(dismissed.get(key), made.place):
            added.append(made)
    outcome.made += await _insert(session, added)
    await session.flush()


def stays_away(dismissed: OrderProposal | None, place: Place) -> bool:
    """Whether a dismissal still counts: not once there is less than when the proposal was dismissed."""
    return dismissed is not None and place.position >= dismissed.available + dismissed.on_order


def _key(one: OrderProposal) -> Key:
    return one.part_id, one.variant_id, one.location_id


def _values(made: Plan) -> dict[str, object]:
    draft = made.draft
    if draft is None or made.point is None:
        raise ValueError("nothing is to be ordered for this place")
    offer = draft.offer
    return {
        "supplier_id": None if offer is None else offer.offer.supplier_id,
        "quantity": draft.quantity,
        "unit_price": None if offer is None else offer.unit_price.quantize(Decimal("0.0001")),
        "currency": None if offer is None else offer.offer.currency,
        "reorder_point": made.point,
        "available": made.place.available,
        "on_order": made.place.on_order,
        "reasons": list(made.reasons),
    }


def _update(one: OrderProposal, made: Plan) -> bool:
    """Bring an open proposal up to date; returns whether anything changed."""
    changes = {name: value for name, value in _values(made).items() if getattr(one, name) != value}
    for name, value in changes.items():
        setattr(one, name, value)
    if changes:
        one.version += 1
    return bool(changes)


async def _insert(session: AsyncSession, plans: Sequence[Plan]) -> int:
    """Add proposals by one statement, but for those that another run was faster with; returns how many."""
    if not plans:
        return 0
    rows = [
        {
            "id": uuid7(),
            "part_id": made.place.part_id,
            "variant_id": made.place.variant_id,
            "location_id": made.place.location_id,
            **_values(made),
        }
        for made in plans
    ]
    statement = insert(OrderProposal).values(rows).on_conflict_do_nothing()
    return len((await session.execute(statement.returning(OrderProposal.id))).all())


async def _close_left_over(session: AsyncSession, outcome: Outcome) -> int:
    left = await queries.lock_left_over(session, BATCH)
    for one in left:
        await _outdate(session, one, "The part is not stocked here any more", outcome)
    return len(left)


async def _outdate(session: AsyncSession, one: OrderProposal, why: str, outcome: Outcome) -> None:
    one.version += 1
    await move(session, PROPOSALS, one, ProposalStatus.OUTDATED, reason=why)
    outcome.outdated += 1


async def tell_of_new(session: AsyncSession) -> None:
    """Emit one event for each department with proposals that nobody was told of yet."""
    found: dict[UUID | None, list[str]] = defaultdict(list)
    for department_id, part_code, location in await queries.mark_told(session, MOST_TOLD):
        found[department_id].append(f"{part_code} at {location}")
    for department_id, names in found.items():
        proposals = f"{len(names)} order {'proposal waits' if len(names) == 1 else 'proposals wait'}"
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        await emit(
            session,
            WAITING,
            subject=ObjectRef("order_proposals", "", "Order proposals", "/order-proposals"),
            department_id=department_id,
            proposals=proposals,
            parts=", ".join(sorted(names)[:MOST_NAMED]) + more,
        )
