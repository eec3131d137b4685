"""A response becomes ready: the request is completed, and who listens is told."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import move
from fleetkeeper.device_requests.models import DeviceRequest, RequestHandler, RequestResponse
from fleetkeeper.device_requests.service import move_request
from fleetkeeper.device_requests.status import RESPONSES, DeviceRequestStatus, ResponseStatus
from fleetkeeper.device_requests.words import RESPONSE_READY
from fleetkeeper.devices.models import Device
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.events import ObjectRef, Way, emit


async def make_ready(
    session: AsyncSession, request: DeviceRequest, response: RequestResponse, reason: str
) -> None:
    """Complete a locked request with its response, and send that to the handler's channel, if it has one."""
    response.ready_at = utc_now()
    response.version += 1
    await move(session, RESPONSES, response, ResponseStatus.READY, reason=reason)
    await move_request(session, request, DeviceRequestStatus.COMPLETED, reason)
    channel = await session.scalar(
        select(RequestHandler.response_channel_id).where(RequestHandler.id == request.handler_id)
    )
    if channel is None:
        return
    device = await session.scalar(select(Device.name).where(Device.id == request.device_id))
    about = ObjectRef(
        "device_requests", str(request.id), request.request_type, f"/device-requests/{request.id}"
    )
    response.event_id = await emit(
        session,
        RESPONSE_READY,
        subject=about,
        department_id=request.department_id,
        way=Way(channels=(channel,)),
        device=device or "",
        request_id=str(request.id),
        request_type=request.request_type,
        content=response.content,
    )
    await session.flush()
