"""What an order takes from a location is kept for it from its approval on."""

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.orders import queries
from fleetkeeper.orders.models import Order
from fleetkeeper.stock.amounts import plain
from fleetkeeper.stock.levels.queries import place_of
from fleetkeeper.stock.levels.reserving import reserve
from fleetkeeper.stock.levels.schemas import ReservationWrite
from fleetkeeper.stock.models import Part


async def reserve_for(session: AsyncSession, actor: Actor, order: Order) -> None:
    """Keep what an order takes from its location. Raises ConflictError that names the part which is not there."""
    for item in (await queries.lock_items(session, order.id)).values():
        part = await session.get_one(Part, item.part_id)
        place = None
        if order.from_location_id is not None:
            place = await place_of(session, item.part_id, item.variant_id, order.from_location_id)
        if place is None:
            raise ConflictError(f"There is no {part.part_code} where {order.number} takes it from.")
        wanted = ReservationWrite(
            inventory_id=place.id, quantity=item.quantity_ordered, purpose=f"Order {order.number}"
        )
        try:
            await reserve(session, actor, wanted, ("orders", order.id))
        except InvalidInputError:
            raise ConflictError(
                f"Only {plain(place.quantity_available)} of {part.part_code} are available, and {order.number} "
                f"takes {plain(item.quantity_ordered)}."
            ) from None
