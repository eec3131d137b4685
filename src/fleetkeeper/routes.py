"""All HTTP doors: one line per room, who may call without a permission, and how large a body may be."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from fleetkeeper.alerts import api as alerts
from fleetkeeper.alerts.alertmanager import api as alertmanager
from fleetkeeper.alerts.prometheus import api as prometheus_rules
from fleetkeeper.annotations.attachments import api as attachments
from fleetkeeper.annotations.bookmarks import api as bookmarks
from fleetkeeper.annotations.fields import api as custom_fields
from fleetkeeper.annotations.notes import api as notes
from fleetkeeper.annotations.tags import api as tags
from fleetkeeper.annotations.views import api as saved_views
from fleetkeeper.approvals import api as approvals
from fleetkeeper.approvals.delegations import api as approval_delegations
from fleetkeeper.approvals.rules import api as approval_rules
from fleetkeeper.cloud_files import api as cloud_files
from fleetkeeper.device_requests import api as device_requests
from fleetkeeper.devices import api as devices
from fleetkeeper.devices.access import calling_device, device_ahead
from fleetkeeper.devices.components import api as components
from fleetkeeper.devices.configs import api as device_configs
from fleetkeeper.devices.discovery import api as discovery
from fleetkeeper.devices.identity import api as identity_reviews
from fleetkeeper.devices.importing import api as device_imports
from fleetkeeper.devices.importing.files.table import MOST_BYTES as MOST_IMPORT_BYTES
from fleetkeeper.devices.locations import api as locations
from fleetkeeper.devices.merging import api as merging
from fleetkeeper.devices.precedence import api as attribute_rules
from fleetkeeper.devices.relationships import api as relationships
from fleetkeeper.devices.revisions import api as revisions
from fleetkeeper.devices.sources import api as sources
from fleetkeeper.fleet import api as fleet
from fleetkeeper.fleet import downloads_api
from fleetkeeper.identity import api as identity
from fleetkeeper.identity.access import signed_in_ahead
from fleetkeeper.identity.departments import api as departments
from fleetkeeper.identity.groups import api as groups
from fleetkeeper.identity.oidc import api as providers
from fleetkeeper.identity.roles import api as roles
from fleetkeeper.identity.scim import api as scim
from fleetkeeper.identity.sessions import api as sessions
from fleetkeeper.identity.sign_in import api as sign_in
from fleetkeeper.identity.tokens import api as tokens
from fleetkeeper.identity.users import account_api
from fleetkeeper.identity.users import api as users
from fleetkeeper.kit.body_front import Door, Doors
from fleetkeeper.netbox import api as netbox
from fleetkeeper.notifications.channels import api as notification_channels
from fleetkeeper.notifications.deliveries import api as notification_deliveries
from fleetkeeper.notifications.inbox import api as inbox
from fleetkeeper.notifications.preferences import api as notification_preferences
from fleetkeeper.notifications.rules import api as notification_rules
from fleetkeeper.operations import audit_api, config_api, health_api, jobs_api
from fleetkeeper.orders import api as orders
from fleetkeeper.orders.work import api as work_orders
from fleetkeeper.replenishment import api as replenishment
from fleetkeeper.search import api as search
from fleetkeeper.settings import Settings
from fleetkeeper.stock.counting import api as stock_counts
from fleetkeeper.stock.levels import api as stock_levels
from fleetkeeper.stock.parts import api as parts
from fleetkeeper.stock.suppliers import api as suppliers
from fleetkeeper.telemetry import api as telemetry
from fleetkeeper.telemetry.archive import api as archive
from fleetkeeper.telemetry.dashboards import api as dashboards
from fleetkeeper.telemetry.explore import api as explore
from fleetkeeper.telemetry.exporting import api as exporting
from fleetkeeper.telemetry.promql import api as promql
from fleetkeeper.telemetry.refusals import api as refusals
from fleetkeeper.telemetry.senders import api as sender_rules
from fleetkeeper.telemetry.senders import write_api as senders
from fleetkeeper.telemetry.senders.access import sender_ahead, sending
from fleetkeeper.telemetry.space import api as space
from fleetkeeper.telemetry.states import api as states

API = "/api/v1"

# Path -> why it needs no permission.
PUBLIC_ROUTES = {
    "/health/live": "probes have no credential",
    "/health/ready": "probes have no credential",
    "/api/v1/enroll": "the enrollment token in the body is the credential",
    "/api/v1/openapi.json": "the description of the API holds no data",
    "/api/v1/sign-in/passkey": "the passkey in the body is the credential",
    "/api/v1/sign-in/passkey/options": "one cannot be signed in yet",
    "/sign-in": "one cannot be signed in yet",
    "/sign-in/oidc/{slug}": "one cannot be signed in yet",
    "/sign-in/oidc/{slug}/callback": "the provider's answer is the credential",
    "/sign-in/second-factor": "one cannot be signed in yet",
    "/static/{path:path}": "the console's own assets",
    "/alertmanager/-/healthy": "probes have no credential",
    "/alertmanager/-/ready": "probes have no credential",
    "/netbox/api/schema/": "pynetbox asks for it without a credential; the description of the API holds no data",
    "/influx/ping": "clients of InfluxDB ask without a credential",
    "/influx/health": "clients of InfluxDB ask without a credential",
    "/agent/install.sh": "machines fetch it before they have a credential; it holds no secret",
    "/agent/{file_name}": "machines fetch the agent before they have a credential; it holds no secret",
}

# The largest body of a route (bytes): what nobody needs to be known for, what rooms ask for, and everything else.
PUBLIC_BODY_BYTES = 128 * 1024
BODY_BYTES = 1024 * 1024
# Whose bodies are too large for memory, and go to a file.
SPOOLED_PATHS = tuple(f"{API}{path}" for path in cloud_files.UPLOADS)
# Each writes a row for somebody unknown, which people cause a few times a minute.
RARE_PATHS = ("/api/v1/sign-in/passkey/options", "/sign-in/oidc/")


def body_bounds(settings: Settings) -> Mapping[str, int]:
    """The largest body of the routes that differ from the rest, by path (bytes)."""
    telemetry_paths = ("/api/v1/telemetry", "/api/v1/telemetry/devices/{device_id}", *senders.PATHS)
    report_paths = ("/api/v1/telemetry/processes", "/api/v1/telemetry/sessions")
    return (
        dict.fromkeys(PUBLIC_ROUTES, PUBLIC_BODY_BYTES)
        | dict.fromkeys(report_paths, telemetry.MAX_REPORT_BYTES)
        | {"/api/v1/attachments": settings.attachments.max_file_bytes}
        | {f"{API}{device_imports.PATH}": MOST_IMPORT_BYTES}
        | {"/api/v1/devices/{device_id}/configs": device_configs.MAX_BODY_BYTES}
        | {f"{API}{path}": bound for path, bound in device_requests.BODY_BOUNDS.items()}
        | dict.fromkeys(SPOOLED_PATHS, settings.cloud_files.max_file_bytes)
        | {"/alertmanager/api/v2/alerts": alertmanager.MAX_ALERTS_BYTES}
        | dict.fromkeys(netbox.BULK_PATHS, netbox.MAX_BODY_BYTES)
        | dict.fromkeys(telemetry_paths, settings.telemetry.max_body_bytes)
    )


def callables_of(dependant: Any) -> Iterator[object]:
    """All functions that a route depends on, however deep."""
    for item in dependant.dependencies:
        yield item.call
        yield from callables_of(item)


def find_doors(app: FastAPI, settings: Settings) -> Doors:
    """Every route that may take a body, with the guard that is asked before it is read."""
    bounds = body_bounds(settings)
    doors = []
    for route in iter_route_contexts(app.routes):
        path, methods = str(route.path), frozenset(getattr(route, "methods", None) or ()) - {"GET", "HEAD"}
        dependant = getattr(route, "dependant", None)
        if not methods or dependant is None:
            continue
        guards = set(callables_of(dependant))
        find_caller = signed_in_ahead
        if calling_device in guards:
            find_caller = device_ahead
        elif sending in guards:
            find_caller = sender_ahead
        answer = getattr(route.original_route, "answer_error", None)
        doors.append(
            Door(
                path,
                methods,
                bounds.get(path, BODY_BYTES),
                None if path in PUBLIC_ROUTES else find_caller,
                answer,
                path in SPOOLED_PATHS,
            )
        )
    return Doors(doors)


def include_routes(app: FastAPI) -> None:
    """Add every room's routes."""
    app.include_router(health_api.router)
    app.include_router(downloads_api.router)
    app.include_router(scim.router)
    app.include_router(promql.router)
    app.include_router(prometheus_rules.router)
    app.include_router(alertmanager.health)
    app.include_router(alertmanager.router)
    app.include_router(netbox.router)
    for sender in senders.ROUTERS:
        app.include_router(sender)
    for administration in (users, account_api, roles, groups, departments, tokens, sessions):
        app.include_router(administration.router, prefix=API)
    for door in (sign_in, providers):
        app.include_router(door.router, prefix=API)
    for router in (
        identity.router,
        inbox.router,
        notification_channels.router,
        notification_rules.router,
        notification_deliveries.router,
        notification_preferences.router,
        saved_views.router,
        tags.router,
        notes.router,
        custom_fields.router,
        attachments.router,
        bookmarks.router,
        search.router,
        approvals.router,
        approval_rules.router,
        approval_delegations.router,
        devices.router,
        sources.router,
        merging.router,
        identity_reviews.router,
        attribute_rules.router,
        device_imports.router,
        components.router,
        device_configs.router,
        discovery.router,
        locations.router,
        parts.router,
        suppliers.router,
        stock_levels.router,
        stock_counts.router,
        replenishment.router,
        orders.router,
        work_orders.router,
        relationships.router,
        revisions.router,
        fleet.router,
        telemetry.router,
        states.router,
        archive.router,
        explore.router,
        dashboards.router,
        exporting.router,
        sender_rules.router,
        refusals.router,
        space.router,
        config_api.router,
        jobs_api.router,
        audit_api.router,
        *alerts.routers,
        *device_requests.routers,
        *cloud_files.routers,
    ):
        app.include_router(router, prefix=API)
