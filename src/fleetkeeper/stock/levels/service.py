"""Stock by location, its movements and its pieces, as people list them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.queries import ids_below
from fleetkeeper.devices.locations.service import locations
from fleetkeeper.errors import FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.text import is_storable
from fleetkeeper.stock.levels import queries
from fleetkeeper.stock.levels.low import tell_of_place
from fleetkeeper.stock.levels.models import Inventory, StockMovement, StockSerial
from fleetkeeper.stock.levels.moving import move_stock
from fleetkeeper.stock.levels.schemas import (
    LevelPage,
    LevelRead,
    LevelWrite,
    Moved,
    MovementPage,
    MovementRead,
    MoveWrite,
    SerialPage,
    SerialRead,
)
from fleetkeeper.stock.naming import NamedRecords, read_named, with_names
from fleetkeeper.stock.parts.service import check_variant, visible_part


class Levels(NamedRecords[LevelWrite, LevelRead]):
    """The stock of parts at locations; people enter when to reorder, the rest follows from movements."""

    async def list(
        self,
        session: AsyncSession,
        actor: Actor,
        parameters: Sequence[tuple[str, str]],
        *,
        is_counted: bool = True,
    ) -> PageOf[LevelRead]:
        """One page of the stock that the actor may see. Raises InvalidInputError."""
        rest = [(name, text) for name, text in parameters if name != "within"]
        within = next((text for name, text in parameters if name == "within" and text), None)
        visible = self.visible_to(actor)
        if within is not None:
            top = self.listing.fields["id"].parse("within", within)
            visible = visible.where(Inventory.location_id.in_(await ids_below(session, top)))
        return await self._page(session, visible, rest, is_counted=is_counted)

    async def create(self, session: AsyncSession, actor: Actor, wanted: LevelWrite) -> LevelRead:
        """Say when a part is reordered where none lies yet. Raises InvalidInputError, ConflictError."""
        await visible_part(session, actor, wanted.part_id)
        await check_variant(session, wanted.part_id, wanted.variant_id)
        visible = locations.visible_to(actor).where(Location.id == wanted.location_id)
        location = await session.scalar(visible)
        if location is None:
            wrong = FieldError("location_id", "No such location")
            raise InvalidInputError("Nothing was saved.", fields=[wrong])
        self._check_may_write(actor, location.department_id)
        made = await self._insert(session, Inventory(**wanted.model_dump()))
        return await self._told(session, actor, made.id)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: LevelWrite,
        expected_version: int | None = None,
    ) -> LevelRead:
        """Change when a part is reordered. Raises InvalidInputError for another part or location."""
        row = await self.locked(session, actor, key)
        names = [
            name
            for name in ("part_id", "variant_id", "location_id")
            if getattr(row, name) != getattr(wanted, name)
        ]
        if names:
            problem = "Cannot change; move the stock instead"
            raise InvalidInputError(
                "Nothing was saved.", fields=[FieldError(name, problem) for name in names]
            )
        await super().change(session, actor, key, wanted, expected_version)
        return await self._told(session, actor, key)

    async def _told(self, session: AsyncSession, actor: Actor, key: UUID) -> LevelRead:
        await tell_of_place(session, await session.get_one(Inventory, key))
        await session.flush()
        return await self.get(session, actor, key)


levels = Levels(
    model=Inventory,
    listing=queries.LEVELS,
    write_as=LevelWrite,
    read_as=LevelRead,
    page_as=LevelPage,
    noun=("stock of a part", "stock"),
    page="/inventory/{}",
    label="id",
    read=Permission.STOCK_READ,
    write=Permission.STOCK_WRITE,
    is_shared=True,
    meant=queries.MEANT,
)


def _visible(model: Any, actor: Actor) -> Select[Any]:
    """The rows that an actor may see: those of their departments, and those of none."""
    scope = actor.scope(Permission.STOCK_READ)
    if scope.everywhere:
        return select(model)
    return select(model).where(
        or_(model.department_id.in_(sorted(scope.departments)), model.department_id.is_(None))
    )


async def list_movements(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> MovementPage:
    """One page of the movements that the actor may see, the newest first. Raises InvalidInputError."""
    visible = _visible(StockMovement, actor)
    return await queries.MOVEMENTS.read(
        session,
        with_names(visible, StockMovement),
        parameters,
        MovementPage,
        lambda row: read_named(MovementRead, row),
        narrow=visible if not dict(parameters).get("q") else None,
        is_counted=is_counted,
    )


async def get_movement(session: AsyncSession, actor: Actor, key: UUID) -> MovementRead:
    """One movement. Raises NotFoundError."""
    statement = with_names(_visible(StockMovement, actor).where(StockMovement.id == key), StockMovement)
    row = (await session.execute(statement)).first()
    if row is None:
        raise NotFoundError("There is no such movement.")
    return read_named(MovementRead, row)


async def book(session: AsyncSession, actor: Actor, wanted: MoveWrite) -> Moved:
    """Book a movement of stock. Raises InvalidInputError that names the field, ForbiddenError."""
    booked = await move_stock(session, actor, wanted)
    return Moved(movements=[await get_movement(session, actor, one.id) for one in booked])


async def list_serials(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> SerialPage:
    """One page of the pieces that the actor may see. Raises InvalidInputError."""
    visible = _visible(StockSerial, actor)
    return await queries.SERIALS.read(
        session,
        with_names(visible, StockSerial),
        parameters,
        SerialPage,
        lambda row: read_named(SerialRead, row),
        narrow=visible if not dict(parameters).get("q") else None,
    )


async def life_of(session: AsyncSession, actor: Actor, part_id: UUID, serial: str) -> MovementPage:
    """Each movement of a piece, the newest first."""
    visible = _visible(StockMovement, actor).where(
        StockMovement.part_id == part_id,
        StockMovement.serials.contains([serial if is_storable(serial) else ""]),
    )
    return await queries.MOVEMENTS.read(
        session,
        with_names(visible, StockMovement),
        [("limit", "200")],
        MovementPage,
        lambda row: read_named(MovementRead, row),
    )
