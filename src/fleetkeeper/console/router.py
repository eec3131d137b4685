"""All pages: one line per room."""

from fastapi import APIRouter

from fleetkeeper.console import static_files
from fleetkeeper.console.pages import (
    account_security,
    agents,
    devices,
    identity,
    oidc,
    overview,
    providers,
    settings,
)


def console_router() -> APIRouter:
    """The console's routes; none of them is part of the API's description."""
    router = APIRouter(include_in_schema=False)
    # `/settings/providers` before `/settings/{key}`.
    for room in (
        identity,
        oidc,
        account_security,
        overview,
        devices,
        agents,
        providers,
        settings,
        static_files,
    ):
        router.include_router(room.router)
    return router
