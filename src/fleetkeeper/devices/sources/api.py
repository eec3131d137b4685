"""`/api/v1/devices/{id}/sources`, and values pinned against them."""

from uuid import UUID

from fastapi import APIRouter

from fleetkeeper.database.request_session import Session
from fleetkeeper.devices.access import DevicesRead, DevicesWrite
from fleetkeeper.devices.sources import service
from fleetkeeper.devices.sources.schemas import DeviceSources, PinWrite, SplitResult
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import ReasonGiven
from fleetkeeper.kit.clock import utc_now

router = APIRouter(prefix="/devices/{device_id}", tags=["devices"])


@router.get("/sources", responses=problem_responses(401, 403, 404, 422))
async def list_sources(device_id: UUID, actor: DevicesRead, session: Session) -> DeviceSources:
    """Get who says what of a device, what counts, and why."""
    return await service.sources_and_attributes(session, actor, device_id, utc_now())


@router.post(
    "/sources/{source_row_id}/split", status_code=201, responses=problem_responses(401, 403, 404, 409, 422)
)
async def split_source(
    device_id: UUID, source_row_id: UUID, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> SplitResult:
    """Make what a source tells a device of its own, for a reason. Telemetry stays where it is."""
    return await service.split(session, actor, device_id, source_row_id, reason, utc_now())


@router.put("/pins/{attribute}", status_code=204, responses=problem_responses(400, 401, 403, 404, 422))
async def pin_attribute(
    device_id: UUID,
    attribute: str,
    wanted: PinWrite,
    actor: DevicesWrite,
    reason: ReasonGiven,
    session: Session,
) -> None:
    """Let a value count against all sources, for a reason."""
    await service.pin(session, actor, device_id, attribute, wanted, reason, utc_now())


@router.delete("/pins/{attribute}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def unpin_attribute(
    device_id: UUID, attribute: str, actor: DevicesWrite, reason: ReasonGiven, session: Session
) -> None:
    """Let sources decide again, for a reason."""
    del reason
    await service.unpin(session, actor, device_id, attribute, utc_now())
