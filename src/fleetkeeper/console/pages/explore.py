"""`/explore`: the fleet's telemetry, asked for by metric or in PromQL."""

import json

from fastapi import APIRouter, Response

from fleetkeeper.console.contexts.explore import ExplorePage
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.database.request_session import Session
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.promql.signatures import FUNCTIONS

router = APIRouter()
declare(
    Place(
        "/explore",
        "Explore",
        "chart-line",
        Permission.TELEMETRY_READ,
        group="Telemetry",
        order=10,
        key="x",
        words="metrics promql query",
    )
)


@router.get("/explore")
async def show_explore(actor: TelemetryRead, session: Session) -> Response:
    """The page; its state is in its address, which the script reads."""
    departments = await all_departments(session, actor, Permission.TELEMETRY_READ)
    names = sorted({one.name for one in departments}, key=str.casefold)
    page = ExplorePage(
        shell=shell_for(actor, "/explore"),
        departments_json=json.dumps(names),
        device_types_json=json.dumps([[choice.value, choice.label] for choice in TYPES]),
        functions_json=json.dumps(sorted(FUNCTIONS)),
        may_save=actor.may(Permission.DASHBOARDS_WRITE),
    )
    return render("explore/detail.html", page)
