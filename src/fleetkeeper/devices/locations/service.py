"""Locations: a tree, which people keep."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices.locations import queries
from fleetkeeper.devices.locations.models import Location
from fleetkeeper.devices.locations.schemas import LocationPage, LocationRead, LocationWrite
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.records.service import Records


class Locations(Records[LocationWrite, LocationRead]):
    """Locations, none of which lies in itself."""

    async def create(self, session: AsyncSession, actor: Actor, wanted: LocationWrite) -> LocationRead:
        """Make one. Raises ForbiddenError, ConflictError for a name that is taken, InvalidInputError."""
        await self._check_parent(session, actor, None, wanted)
        return await super().create(session, actor, wanted)

    async def change(
        self,
        session: AsyncSession,
        actor: Actor,
        key: UUID,
        wanted: LocationWrite,
        expected_version: int | None = None,
    ) -> LocationRead:
        """Change one. Raises as making one does, NotFoundError, PreconditionError, InvalidInputError for a circle."""
        await self._check_parent(session, actor, key, wanted)
        return await super().change(session, actor, key, wanted, expected_version)

    async def _check_parent(
        self, session: AsyncSession, actor: Actor, key: UUID | None, wanted: LocationWrite
    ) -> None:
        if wanted.parent_id is None:
            return
        if await session.scalar(self.visible_to(actor).where(Location.id == wanted.parent_id)) is None:
            raise _wrong("No such location")
        if key is not None and wanted.parent_id in await queries.ids_below(session, key):
            raise _wrong("Must not be the location itself or one in it")


def _wrong(message: str) -> InvalidInputError:
    return InvalidInputError("The location was not saved.", fields=[FieldError("parent_id", message)])


locations = Locations(
    model=Location,
    listing=queries.LISTING,
    write_as=LocationWrite,
    read_as=LocationRead,
    page_as=LocationPage,
    noun=("location", "locations"),
    page="/locations/{}",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
    is_shared=True,
)


async def all_locations(session: AsyncSession, actor: Actor, limit: int = 2000) -> Sequence[LocationRead]:
    """The locations that an actor may see, by name: for forms."""
    rows: Any = await session.scalars(locations.visible_to(actor).order_by(Location.name).limit(limit))
    return [LocationRead.model_validate(row) for row in rows]


async def check_location(session: AsyncSession, actor: Actor, location_id: UUID | None) -> None:
    """Raise InvalidInputError unless the actor may see a location."""
    if location_id is None:
        return
    visible = locations.visible_to(actor).where(Location.id == location_id)
    if await session.scalar(select(visible.exists())) is not True:
        wrong = FieldError("location_id", "No such location")
        raise InvalidInputError("The device was not saved.", fields=[wrong])
