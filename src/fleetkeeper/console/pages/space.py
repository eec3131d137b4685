"""`/telemetry/space`: what telemetry takes, whether it keeps up, and how many channels there are."""

from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.contexts.space import Measurement, SpaceParts
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import done, show_page
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import WantsFragment
from fleetkeeper.console.space_devices import SPACE_DEVICES
from fleetkeeper.console.space_panels import (
    DEVICES,
    HOME,
    arrivals_table,
    cardinality_facts,
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
declare(
    Place(
        "/telemetry/space/devices",
        "Storage by device",
        "devices",
        Permission.CONFIG_READ,
        group="System",
        order=61,
        parent="/telemetry/space",
        words="space disk size",
    )
)

GROWTH_DAYS = 30
REFRESH_SECONDS, MEASURING_SECONDS = 30, 2


@router.get("")
async def show_space(
    actor: ConfigRead,
    session: Session,
    database: AppDatabase,
    settings: AppSettings,
    wants_fragment: WantsFragment,
) -> Response:
    """All figures."""
    parts = await _parts(actor, session, database, settings)
    if wants_fragment:
        return render("telemetry/_space.html", parts)
    return show_page(
        actor,
        HOME,
        "Storage",
        [Fragment("telemetry/_space.html", parts)],
        links=((DEVICES, "Storage by device"), ("/settings/retention", "Retention and archive")),
    )


@router.get("/devices")
async def list_devices(request: Request, actor: ConfigRead, session: Session) -> Response:
    """What each device stores."""
    fetch = partial(service.list_devices, session, actor)
    return await show_list(request, session, actor, SPACE_DEVICES, fetch, crumbs=((HOME, "Storage"),))


@router.post("/measure")
async def ask_for_measurement(request: Request, actor: ConfigWrite, session: Session) -> Response:
    """Measure as soon as the worker can."""
    del actor
    await service.ask_for_measurement(session)
    return done(request, HOME)


async def _parts(actor: Actor, session: AsyncSession, database: Database, settings: Settings) -> SpaceParts:
    space = await service.read_space(session)
    health = await service.read_health(database, settings.telemetry)
    cardinality = await service.read_cardinality(session, actor, settings.telemetry)
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
            cardinality_facts(cardinality),
            new_channels_chart(cardinality),
            offenders_table(cardinality),
        ),
        refresh_seconds=MEASURING_SECONDS if space.is_measuring else REFRESH_SECONDS,
        csrf_token=token,
    )
