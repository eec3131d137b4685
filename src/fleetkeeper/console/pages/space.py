"""`/telemetry/space`: what telemetry takes, whether it keeps up, and how many channels there are."""

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.space import Measurement, SpacePage, SpaceParts
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.panels import done, list_parameters, neighbour, search_of
from fleetkeeper.console.rendering import names_of, render
from fleetkeeper.console.requests import WantsFragment
from fleetkeeper.console.space_panels import (
    HOME,
    arrivals_table,
    cardinality_facts,
    devices_table,
    groups_table,
    growth_chart,
    health_facts,
    new_channels_chart,
    offenders_table,
    rate_chart,
    summary_facts,
    tiers_table,
)
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.space import service
from fleetkeeper.telemetry.space.counting import TIERS

router = APIRouter(prefix=HOME)
declare(
    Place(
        "/telemetry/space",
        "Storage",
        "database",
        Permission.CONFIG_READ,
        group="System",
        order=60,
        key="v",
        words="space disk ingest",
    )
)

GROWTH_DAYS = 30
REFRESH_SECONDS, MEASURING_SECONDS = 30, 2


@router.get("")
async def show_space(
    request: Request,
    actor: ConfigRead,
    session: Session,
    database: AppDatabase,
    settings: AppSettings,
    wants_fragment: WantsFragment,
) -> Response:
    """All figures; a search narrows the devices."""
    parts = await _parts(request, actor, session, database, settings)
    if wants_fragment:
        return render("telemetry/_space.html", parts)
    page = SpacePage(
        **names_of(parts), shell=shell_for(actor, HOME), search=search_of(request, "Device name")
    )
    return render("telemetry/space.html", page)


@router.post("/measure")
async def ask_for_measurement(request: Request, actor: ConfigWrite, session: Session) -> Response:
    """Measure as soon as the worker can."""
    del actor
    await service.ask_for_measurement(session)
    return done(request, HOME)


async def _parts(
    request: Request, actor: Actor, session: AsyncSession, database: Database, settings: Settings
) -> SpaceParts:
    space = await service.read_space(session)
    path, parameters = request.url.path, list_parameters(request)
    devices = await service.list_devices(session, actor, parameters)
    health = await service.read_health(database, settings.telemetry)
    cardinality = await service.read_cardinality(session, actor, settings.telemetry)
    is_search = bool(request.query_params.get("q"))
    token = actor.csrf_token or ""
    return SpaceParts(
        measurement=Measurement(
            space.measured_at,
            space.next_measurement_at,
            space.is_measuring,
            space.measured_tiers,
            len(TIERS),
            actor.may(Permission.CONFIG_WRITE),
            token,
        ),
        panels=(
            summary_facts(space),
            health_facts(health),
            tiers_table(space),
            growth_chart(await service.read_history(session, GROWTH_DAYS)),
            rate_chart(health),
            arrivals_table(health),
            groups_table(space),
            devices_table(
                devices.results,
                devices.count,
                neighbour(path, devices.previous),
                neighbour(path, devices.next),
                is_search=is_search,
            ),
            cardinality_facts(cardinality),
            new_channels_chart(cardinality),
            offenders_table(cardinality),
        ),
        refresh_seconds=MEASURING_SECONDS if space.is_measuring else REFRESH_SECONDS,
        csrf_token=token,
        query=str(request.url.query),
    )
