"""The SQL of demand, of what comes, and of proposals."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.orders.models import Order
from fleetkeeper.replenishment.models import OrderProposal
from fleetkeeper.replenishment.reorder import Deliveries
from fleetkeeper.replenishment.status import ProposalStatus
from fleetkeeper.stock.levels.models import Inventory
from fleetkeeper.stock.models import Part, PartSupplier, PartVariant, Supplier
from fleetkeeper.stock.naming import with_names

MOST_COUNTED = 10_000
# Prices that are looked at for the places of one batch.
MOST_OFFERS = 20_000

LISTING = Listing(
    fields={
        "id": Field(OrderProposal.id.expression, UUID, sortable=False),
        "status": Field(OrderProposal.status.expression, str, choices=tuple(ProposalStatus)),
        "part_id": Field(OrderProposal.part_id.expression, UUID, sortable=False),
        "variant_id": Field(OrderProposal.variant_id.expression, UUID, sortable=False),
        "location_id": Field(OrderProposal.location_id.expression, UUID, sortable=False),
        "supplier_id": Field(OrderProposal.supplier_id.expression, UUID, sortable=False),
        "order_id": Field(OrderProposal.order_id.expression, UUID, sortable=False),
        "part_code": Field(Part.part_code.expression, str, null_as="''", joined=True),
        "location_name": Field(Location.name.expression, str, null_as="''", joined=True),
        "supplier_name": Field(Supplier.name.expression, str, null_as="''", joined=True),
        "quantity": Field(OrderProposal.quantity.expression, Decimal),
        "made_at": Field(OrderProposal.made_at.expression, datetime),
        "department_id": Field(OrderProposal.department_id.expression, UUID, sortable=False),
    },
    search=(
        Part.part_code.expression,
        Part.name.expression,
        Location.name.expression,
        Supplier.name.expression,
    ),
    key=OrderProposal.id.expression,
    default_ordering="-made_at",
    count_limit=MOST_COUNTED,
)


def with_order(statement: Select[Any]) -> Select[Any]:
    """With what the part, the location, the supplier and the order of each proposal are called."""
    named = with_names(statement, OrderProposal).outerjoin(Order, Order.id == OrderProposal.order_id)
    return named.add_columns(Order.number.label("order_number"))


def _stocked() -> ColumnElement[bool]:
    """What is still bought: active parts without a successor, of variants that are to be had, at active locations."""
    return and_(
        Part.is_active,
        Part.replaced_by_id.is_(None),
        Location.is_active,
        or_(Inventory.variant_id.is_(None), PartVariant.is_available),
    )


def _with_place(statement: Select[Any]) -> Select[Any]:
    return (
        statement.join(Part, Part.id == Inventory.part_id)
        .join(Location, Location.id == Inventory.location_id)
        .outerjoin(PartVariant, PartVariant.id == Inventory.variant_id)
    )


async def next_places(session: AsyncSession, after: UUID | None, most: int) -> Sequence[UUID]:
    """The next places that are looked at, by their IDs."""
    statement = _with_place(select(Inventory.id)).where(_stocked())
    if after is not None:
        statement = statement.where(Inventory.id > after)
    return (await session.scalars(statement.order_by(Inventory.id).limit(most))).all()


async def count_places(session: AsyncSession) -> int:
    """How many places are looked at."""
    counted = _with_place(select(func.count()).select_from(Inventory)).where(_stocked())
    return await session.scalar(counted) or 0


async def read_places(session: AsyncSession, ids: Iterable[UUID]) -> Sequence[Any]:
    """Each place with its part's unit, by ID; what the transaction may not see is left out."""
    statement = _with_place(select(Inventory).add_columns(Part.unit_of_measure))
    chosen = statement.where(Inventory.id.in_(list(ids))).order_by(Inventory.id)
    found = await session.execute(chosen.execution_options(populate_existing=True))
    rows: Sequence[Any] = found.all()
    return rows


async def taken_by_week(
    session: AsyncSession, ids: Sequence[UUID], since: date
) -> Mapping[UUID, list[tuple[date, Decimal]]]:
    """What was fitted and issued at each place, by the Monday of its week. What orders send back is no demand."""
    statement = text(
        """
        SELECT v.id, date_trunc('week', m.moved_at AT TIME ZONE 'UTC')::date AS week, sum(-m.quantity) AS taken
        FROM inventory v
        JOIN stock_movements m ON m.part_id = v.part_id AND m.location_id = v.location_id
            AND m.variant_id IS NOT DISTINCT FROM v.variant_id
        WHERE v.id = ANY (:ids) AND m.kind IN ('consumption', 'issue') AND m.purpose_type <> 'orders'
          AND m.moved_at >= CAST(:since AS date)::timestamp AT TIME ZONE 'UTC'
        GROUP BY 1, 2
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
    found: dict[UUID, list[tuple[date, Decimal]]] = defaultdict(list)
    for place, week, taken in await session.execute(statement, {"ids": list(ids), "since": since}):
        found[place].append((week, taken))
    return found


async def first_moved(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, date]:
    """On which day something was first moved at each place, in UTC."""
    statement = text(
        """
        SELECT v.id, (min(m.moved_at) AT TIME ZONE 'UTC')::date AS day
        FROM inventory v
        JOIN stock_movements m ON m.part_id = v.part_id AND m.location_id = v.location_id
            AND m.variant_id IS NOT DISTINCT FROM v.variant_id
        WHERE v.id = ANY (:ids)
        GROUP BY v.id
        """
    ).bindparams(bindparam("ids", type_=ARRAY(Uuid())))
    rows = await session.execute(statement, {"ids": list(ids)})
    return {row[0]: row[1] for row in rows}


async def on_order(session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, Decimal]:
    """What comes to each place by orders that are not finished, drafts included."""
    statement = text("SELECT place_id, quantity FROM stock_on_order(:ids)")
    rows = await session.execute(statement.bindparams(bindparam("ids", list(ids), ARRAY(Uuid()))))
    return {row[0]: row[1] for row in rows}


async def deliveries_of(session: AsyncSession, suppliers: Sequence[UUID]) -> Mapping[UUID, Deliveries]:
    """What the last deliveries of suppliers took."""
    statement = text(
        "SELECT supplier_id, deliveries, median_days, deviation_days FROM supplier_deliveries(:known)"
    )
    rows = await session.execute(statement.bindparams(bindparam("known", list(suppliers), ARRAY(Uuid()))))
    return {supplier: Deliveries(count, median, deviation) for supplier, count, median, deviation in rows}


async def offers_for(session: AsyncSession, parts: Iterable[UUID]) -> Sequence[Any]:
    """Prices of active suppliers for parts, each with its supplier, in the order in which they are compared."""
    statement = (
        select(PartSupplier, Supplier)
        .join(Supplier, Supplier.id == PartSupplier.supplier_id)
        .where(PartSupplier.part_id.in_(list(parts)), Supplier.is_active)
        .order_by(PartSupplier.is_preferred.desc(), PartSupplier.supplier_cost, PartSupplier.id)
        .limit(MOST_OFFERS)
    )
    return (await session.execute(statement)).all()


_KEY = (OrderProposal.part_id, OrderProposal.location_id)


async def lock_open(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[OrderProposal]:
    """The open proposals of places, locked in one order: who orders them meanwhile is waited for."""
    places = select(Inventory.part_id, Inventory.location_id).where(Inventory.id.in_(list(ids)))
    statement = (
        select(OrderProposal)
        .where(OrderProposal.status == ProposalStatus.OPEN, tuple_(*_KEY).in_(places))
        .order_by(OrderProposal.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).all()


async def dismissed(session: AsyncSession, ids: Sequence[UUID], now: datetime) -> Sequence[OrderProposal]:
    """What was dismissed for places and stays away yet, the newest last."""
    places = select(Inventory.part_id, Inventory.location_id).where(Inventory.id.in_(list(ids)))
    statement = (
        select(OrderProposal)
        .where(
            OrderProposal.status == ProposalStatus.DISMISSED,
            OrderProposal.dismissed_until > now,
            tuple_(*_KEY).in_(places),
        )
        .order_by(OrderProposal.made_at, OrderProposal.id)
    )
    return (await session.scalars(statement)).all()


async def lock_left_over(session: AsyncSession, most: int) -> Sequence[OrderProposal]:
    """Open proposals for what is not stocked any more, locked."""
    stocked = (
        _with_place(select(Inventory.id))
        .where(
            Inventory.part_id == OrderProposal.part_id,
            Inventory.variant_id.is_not_distinct_from(OrderProposal.variant_id),
            Inventory.location_id == OrderProposal.location_id,
            _stocked(),
        )
        .correlate(OrderProposal)
    )
    statement = (
        select(OrderProposal)
        .where(OrderProposal.status == ProposalStatus.OPEN, ~stocked.exists())
        .order_by(OrderProposal.id)
        .limit(most)
        .with_for_update()
    )
    return (await session.scalars(statement)).all()


async def mark_told(session: AsyncSession, most: int) -> Sequence[Any]:
    """Mark open proposals that nobody was told of: department, part and location of each; nobody else gets these."""
    rows = await session.execute(
        text(
            """
            UPDATE order_proposals o SET told_at = now()
            FROM parts p, locations l
            WHERE o.id IN (SELECT id FROM order_proposals WHERE status = 'open' AND told_at IS NULL
                           ORDER BY id LIMIT :most FOR UPDATE)
              AND o.told_at IS NULL AND o.status = 'open' AND p.id = o.part_id AND l.id = o.location_id
            RETURNING o.department_id, p.part_code, l.name AS location
            """
        ),
        {"most": most},
    )
    return rows.all()
