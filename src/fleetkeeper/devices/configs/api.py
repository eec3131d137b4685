"""`/api/v1/device-configs`, and those of a device."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.configs import service
from fleetkeeper.devices.configs.queries import LISTING
from fleetkeeper.devices.configs.schemas import (
    MAX_BYTES,
    ConfigDiff,
    ConfigPage,
    ConfigStored,
    ConfigText,
    ConfigWrite,
)
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(tags=["device-configs"])
# Texts in JSON, in which some characters take two.
MAX_BODY_BYTES = 2 * MAX_BYTES


@router.get("/device-configs", responses=problem_responses(401, 403, 422))
async def list_configs(
    request: Request,
    actor: DevicesRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(LISTING)],
) -> ConfigPage:
    """List versions of configurations, newest first; `q` searches their texts."""
    return with_links(await service.list_configs(session, actor, asked), request.url.path)


@router.get("/device-configs/{config_id}", responses=problem_responses(401, 403, 404, 422))
async def get_config(config_id: UUID, actor: DevicesRead, session: Session) -> ConfigText:
    """Get a version with its text, in which secrets are masked."""
    return await service.get_config(session, actor, config_id)


@router.get("/device-configs/{config_id}/diff/{other_id}", responses=problem_responses(401, 403, 404, 422))
async def compare_configs(
    config_id: UUID, other_id: UUID, actor: DevicesRead, session: Session
) -> ConfigDiff:
    """Compare two versions, of one device or of two."""
    return await service.compare_configs(session, actor, config_id, other_id)


@router.post(
    "/devices/{device_id}/configs",
    status_code=201,
    responses=problem_responses(400, 401, 403, 404, 413, 422) | {200: {"model": ConfigStored}},
)
async def store_config(
    device_id: UUID, wanted: ConfigWrite, actor: DevicesWrite, session: Session, response: Response
) -> ConfigStored:
    """Store a configuration. The answer is 200 and nothing is stored where it is the newest version's."""
    stored = await service.store_config(session, actor, device_id, wanted, utc_now())
    if not stored.is_new:
        response.status_code = 200
    return stored
