"""`/locations`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Facts, Row, Table
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_list import device_list
from fleetkeeper.console.forms.form import Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import Rows, SomeRows, related_panel
from fleetkeeper.console.location_options import location_options, paths_of
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options, departments
from fleetkeeper.console.records import record_pages
from fleetkeeper.devices.locations.schemas import LocationRead
from fleetkeeper.devices.locations.service import all_locations, locations
from fleetkeeper.devices.service import list_devices
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

HOME = "/locations"
declare(
    Place(
        HOME,
        "Locations",
        "map-pin",
        Permission.DEVICES_READ,
        parent="/devices",
        order=24,
        words="sites rooms racks depots places inventory",
    )
)


class PlacedLocation(LocationRead):
    """A location with the path of the one that it lies in."""

    above: str = ""


def _name(one: LocationRead) -> Cell:
    return Cell(
        one.name, f"{HOME}/{one.id}", detail=f"in {above}" if (above := getattr(one, "above", "")) else ""
    )


PAGE: ListPage[LocationRead] = ListPage(
    path=HOME,
    title="Locations",
    noun=locations.noun,
    listing=locations.listing,
    search="Name or address",
    columns=(
        Column("name", "Name", _name, sort="name"),
        Column("location_type", "Type", lambda one: Cell(words_of(one.location_type)), sort="location_type"),
        Column("address", "Address", lambda one: Cell(one.address, is_soft=True)),
        Column("is_active", "Active", lambda one: Cell("Yes" if one.is_active else "No"), sort="is_active"),
    ),
    titles={"id": "ID", "department_id": "Department ID", "parent_id": "Parent location ID"},
    empty=Empty(
        "No locations yet",
        "A location is a site, a room, a rack or a depot that devices are in. Create the outermost "
        "first, such as a site, then those that lie in it.",
    ),
    export="/api/v1/locations/export",
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    where = await departments(Permission.DEVICES_WRITE, "Everybody")(session, actor)
    return {**where, "parent_id": await location_options(session, actor)}


async def _list(session: AsyncSession, actor: Actor, asked: Sequence[tuple[str, str]]) -> Rows:
    """Locations, each with where it lies: many are named alike."""
    page = await locations.list(session, actor, asked)
    paths = paths_of(await all_locations(session, actor))
    rows = [
        PlacedLocation(**one.model_dump(), above=paths.get(one.parent_id, "") if one.parent_id else "")
        for one in page.results
    ]
    return SomeRows.of(page, rows)


def _place(location: LocationRead, known: Sequence[LocationRead], paths: dict[UUID, str]) -> Panels:
    """Where a location lies, and what lies in it."""
    parent = location.parent_id
    above = (
        Cell(paths[parent], f"{HOME}/{parent}") if parent is not None and parent in paths else Cell("Nothing")
    )
    inside = tuple(
        Row((Cell(one.name, f"{HOME}/{one.id}"), Cell(words_of(one.location_type))))
        for one in known
        if one.parent_id == location.id
    )
    return [
        Facts("place", "Position", (("Lies in", above),)),
        Table(
            "inside",
            "Locations in it",
            ("Name", "Type"),
            inside,
            empty="None. Create one under Locations and choose this one as its parent.",
            is_stacked=True,
        ),
    ]


async def _devices(session: AsyncSession, actor: Actor, location: Any, may_write: bool) -> Panels:
    del may_write
    known = await all_locations(session, actor)
    asked = [("location_id", str(location.id)), ("limit", "25")]
    found = await list_devices(session, actor, asked)
    page = replace(
        device_list(utc_now()),
        empty=Empty("No devices here", "Choose this location in the settings of a device."),
    )
    return [
        *_place(location, known, paths_of(known)),
        related_panel(page, found, all_href=f"/devices?location_id={location.id}"),
    ]


router = record_pages(
    locations,
    PAGE,
    {
        "name": "Name",
        "location_type": "Type",
        "parent_id": Widget("Parent location", hint="The location that it lies in"),
        "department_id": Widget("Department", hint="Who sees it"),
        "address": "Address",
        "description": "Description",
        "is_active": "Active",
    },
    options=_options,
    listed=_list,
    hidden=("parent_id",),
    more=_devices,
    deletion="Devices in it stay, without a location. This cannot be undone.",
)
