"""Low stock is told once, and again only after there was enough."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.events import ObjectRef, Severity, declare_event, emit
from fleetkeeper.stock.amounts import quantity_text
from fleetkeeper.stock.levels import queries
from fleetkeeper.stock.levels.models import Inventory, StockMovement
from fleetkeeper.stock.models import Part

LOW = "stock.low"
declare_event(
    LOW,
    "Stock is low",
    subject="Stock is low: {part} at {location}",
    body="{available} of {part} ({part_name}) are available at {location}; the reorder point is {reorder_point}.",
    fields=("part", "part_name", "location", "available", "reorder_point"),
    severity=Severity.WARNING,
)


async def tell_if_low(session: AsyncSession, moved: StockMovement) -> None:
    """Emit `stock.low` for the place of a movement, the first time that it has reached its reorder point."""
    place = await queries.place_of(session, moved.part_id, moved.variant_id, moved.location_id)
    if place is not None:
        await tell_of_place(session, place)


async def tell_of_place(session: AsyncSession, place: Inventory) -> None:
    """Emit `stock.low` for a place, the first time that it has reached its reorder point."""
    is_low = place.reorder_point is not None and place.quantity_available <= place.reorder_point
    if not is_low:
        place.told_low_at = None
        return
    if place.told_low_at is not None:
        return
    place.told_low_at = utc_now()
    part = await session.get_one(Part, place.part_id)
    location = await session.get_one(Location, place.location_id)
    await emit(
        session,
        LOW,
        subject=ObjectRef("inventory", str(place.id), part.part_code, f"/inventory/{place.id}"),
        department_id=place.department_id,
        part=part.part_code,
        part_name=part.name,
        location=location.name,
        available=quantity_text(place.quantity_available, part.unit_of_measure),
        reorder_point=quantity_text(place.reorder_point, part.unit_of_measure),
    )
