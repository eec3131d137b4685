"""`/devices` and `/devices/{id}`."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.console.contexts.devices import DeviceListPage, SessionRow
from fleetkeeper.console.device_list import (
    STATUS_CHOICES,
    TYPE_CHOICES,
    device_results,
    read_query,
    service_parameters,
)
from fleetkeeper.console.device_page import device_page
from fleetkeeper.console.device_rows import shown_status, silence_allowed
from fleetkeeper.console.navigation import shell_for
from fleetkeeper.console.rendering import names_of, render
from fleetkeeper.console.requests import AppSettings, WantsFragment
from fleetkeeper.database.request_session import Session
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.fleet import service as fleet
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.access import TelemetryRead

router = APIRouter()

SESSION_LIMIT = 50


@router.get("/devices")
async def list_devices(
    request: Request,
    actor: DevicesRead,
    session: Session,
    settings: AppSettings,
    wants_fragment: WantsFragment,
) -> Response:
    """Devices with search, filters, ordering and paging; htmx gets the table alone."""
    query = read_query(request.query_params)
    stale_before = utc_now() - await silence_allowed(session, settings)
    page = await devices.list_devices(session, actor, service_parameters(query, stale_before))
    results = device_results(query, page, stale_before)
    if wants_fragment:
        return render("devices/_results.html", results)
    whole = DeviceListPage(
        **names_of(results),
        shell=shell_for(actor, "/devices"),
        status_choices=STATUS_CHOICES,
        type_choices=TYPE_CHOICES,
    )
    return render("devices/list.html", whole)


@router.get("/devices/{device_id}")
async def show_device(
    device_id: UUID,
    actor: TelemetryRead,
    session: Session,
    settings: AppSettings,
) -> Response:
    """One device: what is known of it, and the frame that scripts fill with charts."""
    device = await devices.get_device(session, actor, device_id)
    agent = await fleet.get_agent(session, actor, device_id)
    logins = await telemetry.sessions(session, actor, device_id, SESSION_LIMIT)
    stale_before = utc_now() - await silence_allowed(session, settings)
    page = device_page(
        shell_for(actor, "/devices"),
        device,
        shown_status(device.status, device.last_seen, stale_before),
        agent.collectors if agent else (),
        [
            SessionRow(one.username, one.terminal, one.host, one.login_time, one.logout_time)
            for one in logins.results
        ],
    )
    return render("devices/detail.html", page)
