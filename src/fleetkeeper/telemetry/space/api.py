"""`/api/v1/telemetry/space`: what telemetry takes, and whether it keeps up."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from fleetkeeper.database.request_session import AppDatabase, AppSettings, Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.schemas import RunAsked
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.telemetry.space import service
from fleetkeeper.telemetry.space.queries import DEVICES as DEVICES_LISTING
from fleetkeeper.telemetry.space.schemas import (
    Cardinality,
    DeviceSpace,
    DeviceSpacePage,
    Health,
    History,
    SpaceRead,
)

router = APIRouter(prefix="/telemetry/space", tags=["telemetry space"])
DevicesQuery = Annotated[ListParameters, listed_by(DEVICES_LISTING)]


@router.get("", responses=problem_responses(401, 403))
async def read_space(actor: ConfigRead, session: Session) -> SpaceRead:
    """Read samples and bytes by tier and by metric group, as last measured."""
    del actor
    return await service.read_space(session)


@router.get("/history", responses=problem_responses(401, 403, 422))
async def read_history(
    actor: ConfigRead, session: Session, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> History:
    """Read how the bytes of each tier grew."""
    del actor
    return await service.read_history(session, days)


@router.get("/devices", responses=problem_responses(401, 403, 422))
async def list_devices(
    request: Request, actor: ConfigRead, session: Session, asked: DevicesQuery
) -> DeviceSpacePage:
    """List devices with samples, bytes and channels, the largest first."""
    page = await service.list_devices(session, actor, asked)
    return with_links(page, request.url.path)


add_export(
    router,
    "devices with what they store",
    Permission.CONFIG_READ,
    DeviceSpace,
    "space_devices",
    service.list_devices,
    path="/devices/export",
)


@router.get("/health", responses=problem_responses(401, 403))
async def read_health(actor: ConfigRead, database: AppDatabase, settings: AppSettings) -> Health:
    """Read how much arrives, what was not taken and why, and how far sealing, rollups and merging lag."""
    del actor
    return await service.read_health(database, settings.telemetry)


@router.get("/cardinality", responses=problem_responses(401, 403))
async def read_cardinality(actor: ConfigRead, session: Session, settings: AppSettings) -> Cardinality:
    """Read how many channels there are, and which devices and labels make the most."""
    return await service.read_cardinality(session, actor, settings.telemetry)


@router.post("/measure", status_code=202, responses=problem_responses(400, 401, 403))
async def ask_for_measurement(actor: ConfigWrite, session: Session) -> RunAsked:
    """Measure as soon as the worker can; it does so each hour by itself."""
    del actor
    return await service.ask_for_measurement(session)
