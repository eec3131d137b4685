"""What is known of parts at locations, read for many at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.replenishment import queries
from fleetkeeper.replenishment.demand import earliest_week, weekly
from fleetkeeper.replenishment.planning import Known, Place
from fleetkeeper.replenishment.reorder import Policy
from fleetkeeper.stock.levels.models import Inventory
from fleetkeeper.stock.suppliers.choosing import Offer
from fleetkeeper.stock.suppliers.service import offer_of


async def read_policy(session: AsyncSession) -> Policy:
    """What administrators set."""
    known = (await read_config(session)).replenishment
    return Policy(
        service_level=known.service_level_percent / 100,
        review_days=known.review_days,
        default_lead_time_days=known.default_lead_time_days,
    )


async def read_known(session: AsyncSession, ids: Sequence[UUID], now: datetime) -> list[Known]:
    """What is known of these places, in the order of their IDs. What the transaction does not see is left out."""
    rows = await queries.read_places(session, ids)
    seen = [row[0].id for row in rows]
    taken = await queries.taken_by_week(session, seen, earliest_week(now))
    began = await queries.first_moved(session, seen)
    comes = await queries.on_order(session, seen)
    offers = await queries.offers_for(session, {row[0].part_id for row in rows})
    deliveries = await queries.deliveries_of(session, sorted({one[1].id for one in offers}))
    by_part = _by_part(offers)
    return [
        Known(
            _place(level, unit, comes),
            weekly(taken.get(level.id, ()), began.get(level.id), now),
            _offers_at(level, by_part.get(level.part_id, ())),
            deliveries,
        )
        for level, unit in rows
    ]


def _place(level: Inventory, unit: str, comes: Mapping[UUID, Decimal]) -> Place:
    return Place(
        id=level.id,
        part_id=level.part_id,
        variant_id=level.variant_id,
        location_id=level.location_id,
        department_id=level.department_id,
        unit=unit,
        available=level.quantity_available,
        on_order=comes.get(level.id, Decimal(0)),
        reorder_point=level.reorder_point,
        reorder_quantity=level.reorder_quantity,
    )


def _by_part(offers: Sequence[Any]) -> Mapping[UUID, list[Any]]:
    found: dict[UUID, list[Any]] = defaultdict(list)
    for row in offers:
        found[row[0].part_id].append(row)
    return found


def _offers_at(level: Inventory, rows: Sequence[Any]) -> list[Offer]:
    """The prices for a place: those that everybody has, and those of the location's own department."""
    departments = {None, level.department_id}
    return [
        offer_of(price, supplier)
        for price, supplier in rows
        if price.variant_id in {None, level.variant_id}
        and price.department_id in departments
        and supplier.department_id in departments
    ]
