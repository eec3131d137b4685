"""All HTTP doors: one line per room. A route that may be called without a permission is on the list below."""

from fastapi import FastAPI

from fleetkeeper.devices import api as devices
from fleetkeeper.fleet import api as fleet
from fleetkeeper.fleet import downloads_api
from fleetkeeper.identity import api as identity
from fleetkeeper.operations import config_api, health_api
from fleetkeeper.telemetry import api as telemetry

API = "/api/v1"

# Path -> why it needs no permission.
PUBLIC_ROUTES = {
    "/health/live": "probes have no credential",
    "/health/ready": "probes have no credential",
    "/api/v1/enroll": "the enrolment token in the body is the credential",
    "/api/v1/openapi.json": "the description of the API holds no data",
    "/sign-in": "one cannot be signed in yet",
    "/static/{path:path}": "the console's own assets",
    "/agent/install.sh": "machines fetch it before they have a credential; it holds no secret",
    "/agent/{file_name}": "machines fetch the agent before they have a credential; it holds no secret",
}


def include_routes(app: FastAPI) -> None:
    """Add every room's routes."""
    app.include_router(health_api.router)
    app.include_router(downloads_api.router)
    for router in (identity.router, devices.router, fleet.router, telemetry.router, config_api.router):
        app.include_router(router, prefix=API)
