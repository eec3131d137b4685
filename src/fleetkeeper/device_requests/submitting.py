"""Taking on requests: by a device with its key, or by a person for a device of theirs."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.device_requests import queries
from fleetkeeper.device_requests.models import DeviceRequest
from fleetkeeper.device_requests.payloads import MOST_BYTES, canonical, digest
from fleetkeeper.device_requests.schemas import RequestSubmit, RequestSubmitted
from fleetkeeper.device_requests.status import DeviceRequestStatus
from fleetkeeper.devices.models import Device
from fleetkeeper.errors import FieldError, ForbiddenError, NotFoundError, OverloadedError, TooLargeError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7

HAND_OUT = "device_requests.hand_out"
# When a device with too many open requests may try again.
RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True)
class _Submission:
    device_id: UUID
    wanted: RequestSubmit
    created_by: UUID | None


async def submit_as_device(session: AsyncSession, device_id: UUID, wanted: RequestSubmit) -> RequestSubmitted:
    """Take a device's request on. Raises OverloadedError, TooLargeError."""
    return await _submit(session, _Submission(device_id, wanted, None))


async def submit_for_device(
    session: AsyncSession, actor: Actor, device_id: UUID, wanted: RequestSubmit
) -> RequestSubmitted:
    """Take a person's request for a device on. Raises NotFoundError, ForbiddenError, OverloadedError, TooLargeError."""
    # The database shows only devices that the actor may view.
    device = await session.scalar(select(Device).where(Device.id == device_id))
    if device is None or not actor.may_in(Permission.DEVICES_READ, device.department_id):
        raise NotFoundError("There is no such device.")
    if not actor.may_in(Permission.REQUESTS_WRITE, device.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.REQUESTS_WRITE} in its department.")
    return await _submit(session, _Submission(device_id, wanted, actor.user_id))


async def _submit(session: AsyncSession, one: _Submission) -> RequestSubmitted:
    wanted = one.wanted
    if len(canonical(wanted.payload)) > MOST_BYTES:
        problem = FieldError("payload", f"Must not be larger than {MOST_BYTES // 1024} KiB")
        raise TooLargeError("The request is too large.", fields=[problem])
    rules = (await read_config(session)).requests
    payload_hash = digest(wanted.type, wanted.payload)
    await queries.take_turn(session, one.device_id)
    if rules.duplicate_window_seconds:
        since = utc_now() - timedelta(seconds=rules.duplicate_window_seconds)
        same = await queries.same_since(session, one.device_id, payload_hash, since)
        if same is not None:
            return _read(same, is_duplicate=True)
    if await queries.count_open(session, one.device_id) >= rules.max_open_per_device:
        raise OverloadedError(
            f"The device has {rules.max_open_per_device} open requests. Wait until some are answered.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )
    request = DeviceRequest(
        id=uuid7(),
        device_id=one.device_id,
        request_type=wanted.type,
        payload=wanted.payload,
        payload_hash=payload_hash,
        created_by=one.created_by,
    )
    session.add(request)
    await session.flush()
    queries.add_metadata(session, request.id, wanted.metadata)
    await wake(session, HAND_OUT)
    await session.flush()
    await session.refresh(request)
    return _read(request, is_duplicate=False)


def _read(request: DeviceRequest, *, is_duplicate: bool) -> RequestSubmitted:
    return RequestSubmitted(
        id=request.id,
        type=request.request_type,
        status=DeviceRequestStatus(request.status),
        payload_hash=request.payload_hash or "",
        duplicate=is_duplicate,
        created_at=request.created_at,
    )
