"""`/api/v1/devices/{id}/merges`."""

from uuid import UUID

from fastapi import APIRouter

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.merging import service
from fleetkeeper.devices.merging.schemas import MergeList, MergePreview, MergeRead, MergeWrite
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.kit.clock import utc_now

router = APIRouter(prefix="/devices/{device_id}", tags=["devices"])


@router.get("/merges", responses=problem_responses(401, 403, 404, 422))
async def list_merges(device_id: UUID, actor: DevicesRead, session: Session) -> MergeList:
    """List what was merged into a device, the newest first."""
    return await service.list_merges(session, actor, device_id)


@router.post("/merges/preview", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def preview_merge(
    device_id: UUID, wanted: MergeWrite, actor: DevicesWrite, session: Session
) -> MergePreview:
    """Say what merging another device with this one would do, attribute by attribute; change nothing."""
    return await service.preview_merge(
        session, actor, device_id, wanted.other_device_id, wanted.take_from_other, utc_now()
    )


@router.post("/merges", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422))
async def merge_devices(
    device_id: UUID, wanted: MergeWrite, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> MergeRead:
    """Merge another device with this one, for a reason. The answer names the device that stays."""
    return await service.merge_devices(
        session, actor, device_id, wanted.other_device_id, wanted.take_from_other, reason, utc_now()
    )


@router.post("/merges/{merge_id}/undo", responses=problem_responses(401, 403, 404, 409, 422))
async def undo_merge(
    device_id: UUID, merge_id: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> MergeRead:
    """Let two merged devices be two again, for a reason. They are not merged by evidence any more."""
    return await service.undo_merge(session, actor, device_id, merge_id, reason, utc_now())
