"""`/api/v1/config` and `/api/v1/archive-policy`: what administrators change while the product runs."""

from typing import Any

from fastapi import APIRouter

from fleetkeeper.config.schemas import ConfigValues
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.operations import service
from fleetkeeper.telemetry import service as telemetry
from fleetkeeper.telemetry.schemas import ArchivePolicyRead, ArchivePolicyUpdate

router = APIRouter(tags=["config"])


@router.get("/config", responses=problem_responses(401, 403))
async def read_config(actor: ConfigRead, session: Session) -> ConfigValues:
    """Read all settings."""
    del actor
    return await service.read_config(session)


@router.patch("/config/{key}", responses=problem_responses(400, 401, 403, 404, 422))
async def change_config(
    key: str, changes: dict[str, Any], actor: ConfigWrite, session: Session
) -> dict[str, Any]:
    """Change some fields of one key and get the whole value."""
    del actor
    return await service.change_config(session, key, changes)


@router.get("/archive-policy", responses=problem_responses(401, 403))
async def read_archive_policy(actor: ConfigRead, session: Session) -> ArchivePolicyRead:
    """Read how long snapshots are kept."""
    del actor
    return await telemetry.archive_policy(session)


@router.patch("/archive-policy", responses=problem_responses(400, 401, 403, 422))
async def change_archive_policy(
    changes: ArchivePolicyUpdate, actor: ConfigWrite, session: Session
) -> ArchivePolicyRead:
    """Change how long snapshots are kept."""
    del actor
    return await service.change_archive_policy(session, changes)
