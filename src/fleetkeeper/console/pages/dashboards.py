"""`/dashboards` and `/dashboards/{key}`."""

import json
import re
from functools import partial

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.dashboards import BuiltInDashboards, DashboardPage, DashboardsMaking
from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.dashboard_list import HOME, dashboard_list
from fleetkeeper.console.device_list import TYPES
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.panels import done
from fleetkeeper.console.rendering import render
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.departments.service import all_departments
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.dashboards import service
from fleetkeeper.telemetry.dashboards.access import DashboardsWrite
from fleetkeeper.telemetry.dashboards.definition import DEVICE_TYPES, FLEET
from fleetkeeper.telemetry.promql.signatures import FUNCTIONS

router = APIRouter(prefix=HOME)
declare(
    Place(
        "/dashboards",
        "Dashboards",
        "layout-board",
        Permission.TELEMETRY_READ,
        group="Telemetry",
        order=20,
        key="b",
        words="panels",
    )
)

_KIND = re.compile(r"[a-z_]{1,50}")


@router.get("")
async def list_dashboards(request: Request, actor: TelemetryRead, session: Session) -> Response:
    """The reader's own and shared dashboards, and those that the product brings."""
    may_write = actor.may(Permission.DASHBOARDS_WRITE)
    making = DashboardsMaking(actor.may(Permission.DASHBOARDS_SHARE))
    return await show_list(
        request,
        session,
        actor,
        dashboard_list(may_write=may_write),
        partial(service.list_dashboards, session, actor),
        before=[Fragment("dashboards/_making.html", making)] if may_write else (),
        after=[
            Fragment("dashboards/_built_in.html", BuiltInDashboards(tuple(service.built_in_dashboards())))
        ],
    )


@router.post("/{key}/delete")
async def delete_dashboard(request: Request, key: str, actor: DashboardsWrite, session: Session) -> Response:
    """Delete a dashboard."""
    await service.delete_dashboard(session, actor, key)
    return done(request, HOME)


@router.get("/default/{kind}")
async def open_default(request: Request, kind: str, actor: TelemetryRead, session: Session) -> Response:
    """The way to the dashboard of the fleet or of a type of devices; what the address chooses stays chosen."""
    if not _KIND.fullmatch(kind):
        raise NotFoundError("There is no such type of devices.")
    known = kind in {FLEET, *DEVICE_TYPES}
    found = await service.default_dashboard(session, actor, kind if known else "other")
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(f"{HOME}/{found.slug}{query}", status_code=303)


@router.get("/{key}")
async def show_dashboard(key: str, actor: TelemetryRead, session: Session) -> Response:
    """One dashboard; its state is in its address, which the script reads."""
    dashboard = await service.get_dashboard(session, actor, key)
    departments = await all_departments(session, actor, Permission.TELEMETRY_READ)
    names = sorted({one.name for one in departments}, key=str.casefold)
    page = DashboardPage(
        shell=shell_for(actor, HOME),
        dashboard=dashboard,
        dashboard_json=dashboard.model_dump_json(),
        departments_json=json.dumps(names),
        device_types_json=json.dumps([[choice.value, choice.label] for choice in TYPES]),
        functions_json=json.dumps(sorted(FUNCTIONS)),
        may_write=actor.may(Permission.DASHBOARDS_WRITE),
        may_share=actor.may(Permission.DASHBOARDS_SHARE),
    )
    return render("dashboards/detail.html", page)
