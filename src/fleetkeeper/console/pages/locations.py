"""`/locations`."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell
from fleetkeeper.console.details import Panels
from fleetkeeper.console.device_list import device_list
from fleetkeeper.console.forms.form import Widget
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Column, ListPage
from fleetkeeper.console.lists.showing import related_panel
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.objects import Options, departments
from fleetkeeper.console.records import record_pages
from fleetkeeper.devices.locations.schemas import LocationRead
from fleetkeeper.devices.locations.service import locations
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

PAGE: ListPage[LocationRead] = ListPage(
    path=HOME,
    title="Locations",
    noun=locations.noun,
    listing=locations.listing,
    search="Name or address",
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("location_type", "Type", lambda one: Cell(words_of(one.location_type)), sort="location_type"),
        Column("address", "Address", lambda one: Cell(one.address, is_soft=True)),
        Column("is_active", "Active", lambda one: Cell("Yes" if one.is_active else "No"), sort="is_active"),
    ),
    titles={"id": "ID", "department_id": "Department ID", "parent_id": "Location ID"},
    empty=Empty("No locations yet", "A location is a site, a room, a rack or a depot that devices are in."),
    export="/api/v1/locations/export",
)


async def _options(session: AsyncSession, actor: Actor) -> Options:
    where = await departments(Permission.DEVICES_WRITE, "Everybody")(session, actor)
    return {**where, "parent_id": await location_options(session, actor)}


async def _devices(session: AsyncSession, actor: Actor, location: Any, may_write: bool) -> Panels:
    del may_write
    asked = [("location_id", str(location.id)), ("limit", "25")]
    found = await list_devices(session, actor, asked)
    return [related_panel(device_list(utc_now()), found, all_href=f"/devices?location_id={location.id}")]


router = record_pages(
    locations,
    PAGE,
    {
        "name": "Name",
        "location_type": "Type",
        "parent_id": Widget("In", hint="The location that it lies in"),
        "department_id": Widget("Department", hint="Who sees it"),
        "address": "Address",
        "description": "Description",
        "is_active": "Active",
    },
    options=_options,
    more=_devices,
    deletion="Devices in it stay, without a location. This cannot be undone.",
)
