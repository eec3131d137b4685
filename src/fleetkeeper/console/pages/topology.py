"""`/topology`: who hosts, connects, powers, manages and backs up whom."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.panels import Option
from fleetkeeper.console.contexts.topology import TopologyFilter, TopologyPage
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.location_options import location_options
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.relationships.service import KINDS
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission

HOME = "/topology"
router = APIRouter()
declare(
    Place(
        HOME,
        "Topology",
        "hierarchy-2",
        Permission.DEVICES_READ,
        parent="/devices",
        order=27,
        words="relations graph map dependencies hosts power cables",
    )
)


@router.get(HOME)
async def show_topology(request: Request, actor: DevicesRead, session: Session) -> Response:
    """The page; what it shows is in its address, which the script reads."""
    asked = request.query_params
    departments = await all_departments(session, actor, Permission.DEVICES_READ)
    places = await location_options(session, actor, _key(asked.get("location_id", "")))
    wanted, kind = asked.get("department_id", ""), asked.get("device_type", "")
    own = [Option(str(one.id), one.name, str(one.id) == wanted) for one in departments]
    types = [Option(one.value, one.label, one.value == kind) for one in TYPES]
    filters = (
        TopologyFilter("location_id", "Location", (_every("locations"), *places[1:])),
        TopologyFilter("department_id", "Department", (_every("departments"), *own)),
        TopologyFilter("device_type", "Type", (_every("types"), *types)),
    )
    page = TopologyPage(shell_for(actor, HOME), filters, KINDS)
    return render("topology/detail.html", page)


def _every(what: str) -> Option:
    return Option("", f"All {what}", is_chosen=False)


def _key(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
