"""`/api/v1/device-relationships`, and the topology around a device."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.relationships import service
from fleetkeeper.devices.relationships.dependents import dependents_of
from fleetkeeper.devices.relationships.schemas import Dependents, RelationshipType, Topology
from fleetkeeper.devices.schemas import DeviceType
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.records.api import record_router

router = APIRouter()
router.include_router(record_router(service.relationships))


Kinds = Annotated[list[RelationshipType] | None, Query(max_length=10)]
Limit = Annotated[int, Query(ge=1, le=service.MOST_NODES)]


@router.get("/topology", tags=["devices"], responses=problem_responses(401, 403, 422))
async def fleet_topology(
    actor: DevicesRead,
    session: Session,
    location_id: Annotated[UUID | None, Query(description="With all locations in it")] = None,
    department_id: UUID | None = None,
    device_type: Annotated[list[DeviceType] | None, Query(max_length=20)] = None,
    relationship_type: Kinds = None,
    limit: Limit = 500,
) -> Topology:
    """Get the devices of a location, a department or a type, or all, that are related, and how."""
    return await service.topology_of(
        session,
        actor,
        relationship_type or (),
        limit,
        location_id=location_id,
        department_id=department_id,
        device_types=device_type or (),
    )


@router.get(
    "/devices/{device_id}/dependents", tags=["devices"], responses=problem_responses(401, 403, 404, 422)
)
async def dependents(device_id: UUID, actor: DevicesRead, session: Session, limit: Limit = 500) -> Dependents:
    """Get what fails if a device fails, nearest first, as far as you see it.

    What it hosts fails with it; what it powers, once nothing else that works powers it; what a network device
    connects, once no other network device that works connects it.
    """
    return await dependents_of(session, actor, device_id, limit)


@router.get(
    "/devices/{device_id}/topology", tags=["devices"], responses=problem_responses(401, 403, 404, 422)
)
async def topology(
    device_id: UUID,
    actor: DevicesRead,
    session: Session,
    relationship_type: Kinds = None,
    depth: Annotated[int, Query(ge=1, le=10)] = 2,
    limit: Limit = 500,
) -> Topology:
    """Get the devices around one, nearest first, and how they are related."""
    return await service.topology_around(session, actor, device_id, relationship_type or (), depth, limit)
