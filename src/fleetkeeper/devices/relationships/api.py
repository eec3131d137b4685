"""`/api/v1/device-relationships`, and the topology around a device."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.relationships import service
from fleetkeeper.devices.relationships.schemas import RelationshipType, Topology
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.records.api import record_router

router = APIRouter()
router.include_router(record_router(service.relationships))


@router.get(
    "/devices/{device_id}/topology", tags=["devices"], responses=problem_responses(401, 403, 404, 422)
)
async def topology(
    device_id: UUID,
    actor: DevicesRead,
    session: Session,
    relationship_type: Annotated[list[RelationshipType] | None, Query(max_length=10)] = None,
    depth: Annotated[int, Query(ge=1, le=10)] = 2,
    limit: Annotated[int, Query(ge=1, le=service.MOST_NODES)] = 500,
) -> Topology:
    """Get the devices around one, nearest first, and how they are related."""
    return await service.topology_around(session, actor, device_id, relationship_type or (), depth, limit)
