"""Finding the devices that match the filters of their list, with all that other programs are told of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import service
from fleetkeeper.devices.discovery import queries
from fleetkeeper.devices.discovery.found import FoundDevice
from fleetkeeper.devices.locations.service import all_locations
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission

# Programs want all that match in one answer.
MOST = 20_000
MOST_LOCATIONS = 20_000
_PAGING = frozenset({"limit", "cursor", "ordering"})


async def find_devices(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    stale_before: datetime | None = None,
) -> list[FoundDevice]:
    """All devices that match, by name. Raises InvalidInputError for a wrong filter, and where more than MOST match."""
    if (paged := next((name for name, _ in parameters if name in _PAGING), None)) is not None:
        wrong = FieldError(paged, "Leave it out; all that match come in one answer")
        raise InvalidInputError("There are no pages.", fields=[wrong])
    ids = await service.matching_ids(session, actor, parameters, stale_before=stale_before, limit=MOST + 1)
    if len(ids) > MOST:
        wrong = FieldError("q", f"More than {MOST:,} devices match; add a filter, such as department")
        raise InvalidInputError("Too many devices match.", fields=[wrong])
    rows = await queries.devices_by_name(session, actor, ids)
    addresses = await queries.addresses_of(session, ids)
    departments = {one.id: one.path for one in await all_departments(session, actor, Permission.DEVICES_READ)}
    places = _paths(await all_locations(session, actor, MOST_LOCATIONS))
    return [_found(row, addresses.get(row.id, []), departments, places) for row in rows]


def _found(
    row: Any, addresses: Sequence[tuple[str, bool]], departments: dict[UUID, str], places: dict[UUID, str]
) -> FoundDevice:
    texts = (
        "name", "hostname", "fqdn", "device_type", "status", "lifecycle", "os_name", "os_version", "manufacturer",
        "model", "serial_number", "asset_tag", "owner",
    )  # fmt: skip
    return FoundDevice(
        id=row.id,
        **{name: getattr(row, name) or "" for name in texts},
        department=departments.get(row.department_id, ""),
        location=places.get(row.location_id, row.location or ""),
        tags=row.tags,
        custom_fields=row.custom_fields,
        addresses=[address for address, _ in addresses],
        primary_address=addresses[0][0] if addresses and addresses[0][1] else "",
    )


def _paths(locations: Sequence[Any]) -> dict[UUID, str]:
    """Each location with those that it lies in, as in Berlin/Room 1."""
    known = {one.id: one for one in locations}
    found: dict[UUID, str] = {}
    for one in locations:
        names, seen, place = [], set(), one
        while place is not None and place.id not in seen:
            names.append(place.name)
            seen.add(place.id)
            place = known.get(place.parent_id)
        found[one.id] = "/".join(reversed(names))
    return found
