"""What a device is told of its requests, and that it took a response."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.database.status_history import move
from fleetkeeper.device_requests import queries as requests
from fleetkeeper.device_requests.connections import close_connection, open_connection
from fleetkeeper.device_requests.models import DeviceRequest, RequestResponse
from fleetkeeper.device_requests.responses import queries
from fleetkeeper.device_requests.responses.schemas import DeviceResponse
from fleetkeeper.device_requests.status import RESPONSES, DeviceRequestStatus, ResponseStatus
from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.kit.clock import utc_now

MOST_UNDELIVERED = 100
_SHOWN = (ResponseStatus.READY, ResponseStatus.DELIVERED)


async def read_for_device(
    session: AsyncSession, device_id: UUID, request_id: UUID
) -> tuple[DeviceResponse, str]:
    """How far a device's own request is, and the ETag of that. Raises NotFoundError."""
    row = await queries.own_request(session, device_id, request_id)
    if row is None:
        raise NotFoundError("There is no such request of this device.")
    request, response = row
    metadata: dict[str, str] = {}
    if response is not None and response.status in _SHOWN:
        metadata = (await requests.metadata_of_responses(session, [response.id]))[response.id]
    etag = f'"{request.version}.{0 if response is None else response.version}"'
    return _told(request, response, metadata), etag


async def hand_out(
    session: AsyncSession, device_id: UUID, request_id: UUID, known: str
) -> tuple[DeviceResponse, str]:
    """The same; a ready response counts as handed to the device, unless that knows its ETag. Raises NotFoundError."""
    told, etag = await read_for_device(session, device_id, request_id)
    if told.status == ResponseStatus.READY and etag != known:
        response = await requests.response_of(session, request_id)
        if response is not None:
            await queries.count_handed_out(session, [response.id])
    return told, etag


async def list_undelivered(
    session: AsyncSession, device_id: UUID, limit: int = MOST_UNDELIVERED, skipped: Collection[UUID] = ()
) -> list[DeviceResponse]:
    """Responses that are ready and that the device has not acknowledged, oldest first, without the `skipped`."""
    rows = await queries.undelivered(session, device_id, limit, skipped)
    ids = [row[1].id for row in rows]
    said = await requests.metadata_of_responses(session, ids) if ids else {}
    if ids:
        await queries.count_handed_out(session, ids)
    return [_told(row[0], row[1], said[row[1].id]) for row in rows]


async def acknowledge(session: AsyncSession, device_id: UUID, request_id: UUID) -> DeviceResponse:
    """Keep that a device took its response; saying it twice changes nothing. Raises NotFoundError, ConflictError."""
    row = await queries.own_request(session, device_id, request_id)
    if row is None:
        raise NotFoundError("There is no such request of this device.")
    response = await requests.response_of(session, request_id, is_locked=True)
    if response is None or response.status == ResponseStatus.PROCESSING:
        raise ConflictError("There is no response yet.")
    if response.status != ResponseStatus.DELIVERED:
        await note_delivery(session, response, "Acknowledged by the device")
    return (await read_for_device(session, device_id, request_id))[0]


async def note_delivery(session: AsyncSession, response: RequestResponse, how: str) -> None:
    """Move a locked response to delivered. Raises ConflictError for one that was given up."""
    response.delivered_at = utc_now()
    response.version += 1
    await move(session, RESPONSES, response, ResponseStatus.DELIVERED, reason=how)


async def note_undeliverable(session: AsyncSession, response: RequestResponse, why: str) -> None:
    """Give a locked response up."""
    response.failure = why[:500]
    response.version += 1
    await move(session, RESPONSES, response, ResponseStatus.FAILED, reason=why)


async def give_up(session: AsyncSession, limit: int = 500) -> int:
    """Give up responses that nobody took; returns how many."""
    rules = (await read_config(session)).requests
    hours = timedelta(hours=rules.delivery_hours)
    found = await queries.given_up(session, hours, rules.max_deliveries, limit)
    for response in found:
        why = (
            f"The device did not acknowledge it after {response.delivery_attempts} attempts."
            if response.delivery_attempts >= rules.max_deliveries
            else f"The device did not take it within {rules.delivery_hours} hours."
        )
        await note_undeliverable(session, response, why)
    return len(found)


async def note_pushed(session: AsyncSession, limit: int = 500) -> int:
    """Move responses to delivered that a webhook has taken; returns how many."""
    found = await queries.pushed(session, limit)
    for response in found:
        request = await session.get(DeviceRequest, response.request_id)
        if request is not None:
            connection = await open_connection(session, request.device_id, "webhook", "")
            await close_connection(session, connection)
        await note_delivery(session, response, "Taken by the webhook")
    return len(found)


def _told(request: DeviceRequest, response: Any, metadata: dict[str, str]) -> DeviceResponse:
    is_shown = response is not None and response.status in _SHOWN
    failure = request.failure if request.status == "failed" else ""
    return DeviceResponse(
        request_id=request.id,
        type=request.request_type,
        request_status=DeviceRequestStatus(request.status),
        status=None if response is None else response.status,
        content=response.content if is_shown else None,
        metadata=metadata,
        ai_processed=is_shown and response.ai_processed,
        failure=response.failure if response is not None and response.failure else failure,
        ready_at=None if response is None else response.ready_at,
        delivered_at=None if response is None else response.delivered_at,
    )
