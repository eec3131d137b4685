"""Reservations: what is kept for a purpose is not given away, however many ask at once."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.constraints import told_by_name
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.stock.levels import queries
from fleetkeeper.stock.levels.low import tell_of_place
from fleetkeeper.stock.levels.models import Inventory, StockReservation
from fleetkeeper.stock.levels.schemas import (
    MoveWrite,
    ReservationPage,
    ReservationRead,
    ReservationWrite,
)


def visible_to(actor: Actor) -> Select[Any]:
    """The reservations that an actor may see."""
    scope = actor.scope(Permission.STOCK_READ)
    if scope.everywhere:
        return select(StockReservation)
    own = StockReservation.department_id.in_(sorted(scope.departments))
    return select(StockReservation).where(or_(own, StockReservation.department_id.is_(None)))


async def list_reservations(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> ReservationPage:
    """One page of the reservations that the actor may see."""
    return await queries.RESERVATIONS.read(
        session,
        visible_to(actor),
        parameters,
        ReservationPage,
        lambda row: ReservationRead.model_validate(row[0]),
    )


async def reserve(
    session: AsyncSession,
    actor: Actor,
    wanted: ReservationWrite,
    purpose: tuple[str, UUID] | None = None,
) -> ReservationRead:
    """Keep so many for a purpose. Raises InvalidInputError where not as many are available, ForbiddenError."""
    scope = actor.scope(Permission.STOCK_READ)
    visible = select(Inventory).where(Inventory.id == wanted.inventory_id)
    if not scope.everywhere:
        own = Inventory.department_id.in_(sorted(scope.departments))
        visible = visible.where(or_(own, Inventory.department_id.is_(None)))
    place = await session.scalar(visible)
    if place is None:
        wrong = FieldError("inventory_id", "No such stock")
        raise InvalidInputError("Nothing was reserved.", fields=[wrong])
    _check_may_move(actor, place.department_id)
    row = StockReservation(
        inventory_id=place.id,
        quantity=wanted.quantity,
        purpose=wanted.purpose,
        purpose_type=purpose[0] if purpose is not None else "",
        purpose_id=purpose[1] if purpose is not None else None,
        reserved_by=actor.user_id,
        reserved_by_name=actor.name[:255],
    )
    async with told_by_name(session):
        session.add(row)
    await session.refresh(row)
    await session.refresh(place)
    await tell_of_place(session, place)
    return ReservationRead.model_validate(row)


async def release(session: AsyncSession, actor: Actor, reservation_id: UUID) -> None:
    """Give back what was kept. Raises NotFoundError, ForbiddenError."""
    row = await session.scalar(visible_to(actor).where(StockReservation.id == reservation_id))
    if row is None:
        raise NotFoundError("There is no such reservation.")
    _check_may_move(actor, row.department_id)
    await session.delete(row)
    await session.flush()


async def release_of(session: AsyncSession, purpose_type: str, purpose_id: UUID) -> None:
    """Give back all that was kept for a purpose that is gone; in an order that nobody else turns round."""
    kept = (
        select(StockReservation)
        .where(StockReservation.purpose_type == purpose_type, StockReservation.purpose_id == purpose_id)
        .order_by(StockReservation.inventory_id)
    )
    for row in (await session.scalars(kept)).all():
        await session.delete(row)
        await session.flush()


async def take_reserved(session: AsyncSession, actor: Actor, reservation_id: UUID, wanted: MoveWrite) -> None:
    """Take what goes from what is kept for it. Raises InvalidInputError for a reservation of something else."""
    locked = visible_to(actor).where(StockReservation.id == reservation_id).with_for_update()
    row = await session.scalar(locked.execution_options(populate_existing=True))
    place = await session.get(Inventory, row.inventory_id) if row is not None else None
    if row is None or place is None:
        raise _wrong("No such reservation")
    if (place.part_id, place.variant_id, place.location_id) != (
        wanted.part_id,
        wanted.variant_id,
        wanted.location_id,
    ):
        raise _wrong("Is for another part or location")
    rest = Decimal(row.quantity) - wanted.quantity
    if rest < 0:
        raise InvalidInputError(
            "Nothing was moved.",
            fields=[FieldError("quantity", f"Only {row.quantity:f} are reserved by this")],
        )
    if rest == 0:
        await session.delete(row)
    else:
        row.quantity = rest
    await session.flush()


def _wrong(problem: str) -> InvalidInputError:
    return InvalidInputError("Nothing was moved.", fields=[FieldError("reservation_id", problem)])


def _check_may_move(actor: Actor, department_id: UUID | None) -> None:
    if not actor.may_in(Permission.STOCK_WRITE, department_id):
        raise ForbiddenError(f"This needs the permission {Permission.STOCK_WRITE} in its department.")
