"""Forecasts of parts that somebody sees, and taking a suggested reorder point."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.replenishment.forecast import Forecast
from fleetkeeper.replenishment.planning import Plan
from fleetkeeper.replenishment.proposing import plans_of
from fleetkeeper.replenishment.schemas import (
    ForecastRead,
    LeadTimeRead,
    StockForecast,
    StockForecastList,
    WeekRead,
)
from fleetkeeper.stock.levels.models import Inventory
from fleetkeeper.stock.levels.schemas import LevelRead, LevelWrite
from fleetkeeper.stock.levels.service import levels
from fleetkeeper.stock.models import Part
from fleetkeeper.stock.parts.service import parts

MOST_PLACES = 200


async def list_forecasts(
    session: AsyncSession,
    actor: Actor,
    part_id: UUID,
    location_id: UUID | None = None,
    variant_id: UUID | None = None,
) -> StockForecastList:
    """The forecasts of a part for the first 200 of its places. Raises NotFoundError for what the actor does not see."""
    if await session.scalar(parts.visible_to(actor).where(Part.id == part_id)) is None:
        raise NotFoundError("There is no such part.")
    visible = levels.visible_to(actor).where(Inventory.part_id == part_id)
    if location_id is not None:
        visible = visible.where(Inventory.location_id == location_id)
    if variant_id is not None:
        visible = visible.where(Inventory.variant_id == variant_id)
    ids = visible.with_only_columns(Inventory.id).order_by(Inventory.id).limit(MOST_PLACES)
    known = (await session.scalars(ids)).all()
    if not known and (location_id is not None or variant_id is not None):
        raise NotFoundError("There is no stock of this part here.")
    made = await plans_of(session, known, utc_now())
    names = await _location_names(session, made)
    return StockForecastList(results=[read_plan(one, names) for one in made])


async def plan_for(session: AsyncSession, actor: Actor, level_id: UUID, now: datetime) -> Plan:
    """What follows for one place. Raises NotFoundError."""
    await levels.get(session, actor, level_id)
    made = await plans_of(session, [level_id], now)
    if not made:
        raise NotFoundError("There is no such stock.")
    return made[0]


async def take_suggestion(session: AsyncSession, actor: Actor, level_id: UUID) -> LevelRead:
    """Set the suggested reorder point by hand. Raises NotFoundError, ForbiddenError, ConflictError without one."""
    made = await plan_for(session, actor, level_id, utc_now())
    if made.suggested is None:
        raise ConflictError("There is too little data to suggest a reorder point: enter one.")
    place = made.place
    wanted = LevelWrite(
        part_id=place.part_id,
        variant_id=place.variant_id,
        location_id=place.location_id,
        reorder_point=made.suggested.quantity,
        reorder_quantity=place.reorder_quantity,
    )
    return await levels.change(session, actor, level_id, wanted)


async def _location_names(session: AsyncSession, made: list[Plan]) -> Mapping[UUID, str]:
    wanted = {one.place.location_id for one in made}
    rows = await session.execute(select(Location.id, Location.name).where(Location.id.in_(wanted)))
    return {row[0]: row[1] for row in rows}


def read_plan(made: Plan, location_names: Mapping[UUID, str]) -> StockForecast:
    """A plan as the API tells of it. Pure."""
    place = made.place
    series = zip(made.demand.weeks, made.demand.quantities.tolist(), strict=True)
    return StockForecast(
        inventory_id=place.id,
        part_id=place.part_id,
        variant_id=place.variant_id,
        location_id=place.location_id,
        location_name=location_names.get(place.location_id, ""),
        unit_of_measure=place.unit,
        series=[WeekRead(week=week, quantity=quantity) for week, quantity in series],
        forecast=None if made.forecast is None else _forecast(made.forecast),
        lead_time=LeadTimeRead(
            days=made.lead_time.days,
            deviation_days=made.lead_time.deviation_days,
            source=made.lead_time.source,
            deliveries=made.lead_time.deliveries,
        ),
        suggested_reorder_point=None if made.suggested is None else made.suggested.quantity,
        reorder_point=place.reorder_point,
        available=place.available,
        on_order=place.on_order,
        quantity_to_order=_quantity(made),
        reasons=list(made.reasons),
    )


def _quantity(made: Plan) -> Decimal | None:
    return None if made.draft is None else made.draft.quantity


def _forecast(known: Forecast) -> ForecastRead:
    return ForecastRead(
        pattern=known.pattern,
        method=known.method,
        mean_per_week=known.mean,
        error_per_week=known.error,
        low_per_week=max(0.0, known.mean - known.error),
        high_per_week=known.mean + known.error,
        weeks=known.weeks,
        demands=known.demands,
    )
