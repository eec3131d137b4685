"""`/api/v1/device-changes`, and what became of devices between two times."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import DevicesRead
from fleetkeeper.devices.revisions import service
from fleetkeeper.devices.revisions.schemas import ChangeFeed, Differences, ObjectType
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.moments import From, To

router = APIRouter(tags=["devices"])
Limit = Annotated[int, Query(ge=1, le=1000)]


@router.get("/device-changes", responses=problem_responses(401, 403, 422))
async def list_changes(
    actor: DevicesRead,
    session: Session,
    after: Annotated[str | None, Query(max_length=100, description="`next` of the answer before")] = None,
    device_id: UUID | None = None,
    object_type: ObjectType | None = None,
    limit: Limit = 100,
) -> ChangeFeed:
    """Follow all changes of devices and their parts, oldest first, each with before and after, none left out."""
    return await service.list_changes(
        session, actor, after=after, limit=limit, device_id=device_id, object_type=object_type
    )


@router.get("/device-differences", responses=problem_responses(401, 403, 422))
async def list_differences(
    actor: DevicesRead, session: Session, start: From, end: To, limit: Limit = 1000
) -> Differences:
    """Compare the fleet at two times: what was added, removed and changed."""
    return await service.list_differences(session, actor, start, end, limit=limit)


@router.get("/devices/{device_id}/differences", responses=problem_responses(401, 403, 404, 422))
async def differences_of_device(
    device_id: UUID, actor: DevicesRead, session: Session, start: From, end: To, limit: Limit = 1000
) -> Differences:
    """Compare a device and its parts at two times."""
    await devices.get_device(session, actor, device_id)
    return await service.list_differences(session, actor, start, end, device_id=device_id, limit=limit)
