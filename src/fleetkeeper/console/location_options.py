"""Locations to choose from, each by its path."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.devices.locations.schemas import LocationRead
from fleetkeeper.devices.locations.service import all_locations
from fleetkeeper.identity.actor import Actor

_DEEPEST = 20


def paths_of(locations: Sequence[LocationRead]) -> dict[UUID, str]:
    """Each location's name behind the names of those that it lies in, such as `Berlin / Room 1 / Rack 3`."""
    known = {one.id: one for one in locations}
    return {one.id: " / ".join(_names(known, one)) for one in locations}


def _names(known: Mapping[UUID, LocationRead], one: LocationRead) -> list[str]:
    names: list[str] = []
    above: LocationRead | None = one
    while above is not None and len(names) < _DEEPEST:
        names.insert(0, above.name)
        above = known.get(above.parent_id) if above.parent_id is not None else None
    return names


async def location_options(session: AsyncSession, actor: Actor, chosen: UUID | None = None) -> list[Option]:
    """The choices of a field for a location, none first."""
    paths = paths_of(await all_locations(session, actor))
    ordered = sorted(paths.items(), key=lambda pair: pair[1].casefold())
    nothing = Option("", "None", chosen is None)
    return [nothing, *(Option(str(key), path, key == chosen) for key, path in ordered)]


async def location_path(session: AsyncSession, actor: Actor, location_id: UUID | None) -> str:
    """The path of a location that the reader may see."""
    if location_id is None:
        return ""
    return paths_of(await all_locations(session, actor)).get(location_id, "")
