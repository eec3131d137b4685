"""All pages: one line per room."""

from fastapi import APIRouter

from fleetkeeper.console import static_files
from fleetkeeper.console.pages import agents, devices, identity, overview, settings


def console_router() -> APIRouter:
    """The console's routes; none of them is part of the API's description."""
    router = APIRouter(include_in_schema=False)
    for room in (identity, overview, devices, agents, settings, static_files):
        router.include_router(room.router)
    return router
