"""All HTTP doors: one line per room. A route that may be called without a permission is on the list below."""

from fastapi import FastAPI

from fleetkeeper.devices import api as devices
from fleetkeeper.fleet import api as fleet
from fleetkeeper.fleet import downloads_api
from fleetkeeper.identity import api as identity
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
from fleetkeeper.operations import audit_api, config_api, health_api
from fleetkeeper.telemetry import api as telemetry
from fleetkeeper.telemetry.archive import api as archive
from fleetkeeper.telemetry.dashboards import api as dashboards
from fleetkeeper.telemetry.explore import api as explore
from fleetkeeper.telemetry.exporting import api as exporting
from fleetkeeper.telemetry.promql import api as promql
from fleetkeeper.telemetry.senders import api as sender_rules
from fleetkeeper.telemetry.senders import write_api as senders
from fleetkeeper.telemetry.space import api as space
from fleetkeeper.telemetry.states import api as states

API = "/api/v1"

# Path -> why it needs no permission.
PUBLIC_ROUTES = {
    "/health/live": "probes have no credential",
    "/health/ready": "probes have no credential",
    "/api/v1/enroll": "the enrolment token in the body is the credential",
    "/api/v1/openapi.json": "the description of the API holds no data",
    "/api/v1/sign-in/passkey": "the passkey in the body is the credential",
    "/api/v1/sign-in/passkey/options": "one cannot be signed in yet",
    "/sign-in": "one cannot be signed in yet",
    "/sign-in/oidc/{slug}": "one cannot be signed in yet",
    "/sign-in/oidc/{slug}/callback": "the provider's answer is the credential",
    "/sign-in/second-factor": "one cannot be signed in yet",
    "/static/{path:path}": "the console's own assets",
    "/influx/ping": "clients of InfluxDB ask without a credential",
    "/influx/health": "clients of InfluxDB ask without a credential",
    "/agent/install.sh": "machines fetch it before they have a credential; it holds no secret",
    "/agent/{file_name}": "machines fetch the agent before they have a credential; it holds no secret",
}


def include_routes(app: FastAPI) -> None:
    """Add every room's routes."""
    app.include_router(health_api.router)
    app.include_router(downloads_api.router)
    app.include_router(scim.router)
    app.include_router(promql.router)
    for sender in senders.ROUTERS:
        app.include_router(sender)
    for administration in (users, account_api, roles, groups, departments, tokens, sessions):
        app.include_router(administration.router, prefix=API)
    for door in (sign_in, providers):
        app.include_router(door.router, prefix=API)
    for router in (
        identity.router,
        devices.router,
        fleet.router,
        telemetry.router,
        states.router,
        archive.router,
        explore.router,
        dashboards.router,
        exporting.router,
        sender_rules.router,
        space.router,
        config_api.router,
        audit_api.router,
    ):
        app.include_router(router, prefix=API)
