"""Reading requests, and what people do with them besides answering: cancel and retry."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.status_history import move
from fleetkeeper.device_requests import queries
from fleetkeeper.device_requests.models import DeviceRequest
from fleetkeeper.device_requests.schemas import (
    DeviceRequestDetail,
    DeviceRequestPage,
    DeviceRequestRead,
    ResponseRead,
)
from fleetkeeper.device_requests.status import (
    DEVICE_REQUESTS,
    RESPONSES,
    DeviceRequestStatus,
    ResponseStatus,
)
from fleetkeeper.device_requests.submitting import HAND_OUT
from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.id_prefix import find_id

NOT_THERE = "There is no such device request."


async def list_requests(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> DeviceRequestPage:
    """One page of the requests that the actor may see; `waiting_for=people` are those that nobody else answers."""
    return await queries.LISTING.read(
        session,
        queries.visible_to(actor),
        parameters,
        DeviceRequestPage,
        _read,
        meant={("waiting_for", "people"): queries.waits_for_people()},
        is_counted=is_counted,
    )


async def get_request(session: AsyncSession, actor: Actor, request_id: UUID) -> DeviceRequestDetail:
    """One request with its payload, metadata and response. Raises NotFoundError."""
    found = queries.visible_to(actor).where(DeviceRequest.id == request_id)
    row = (await session.execute(found.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        raise NotFoundError(NOT_THERE)
    request: DeviceRequest = row[0]
    return DeviceRequestDetail(
        **_read(row).model_dump(),
        created_by=request.created_by,
        payload=request.payload,
        metadata=await queries.metadata_of(session, request_id),
        response=await read_response(session, request_id),
    )


async def read_response(session: AsyncSession, request_id: UUID) -> ResponseRead | None:
    """A request's response with its metadata."""
    response = await queries.response_of(session, request_id)
    if response is None:
        return None
    await session.refresh(response)
    said = await queries.metadata_of_responses(session, [response.id])
    values = {name: getattr(response, name) for name in ResponseRead.model_fields if name != "metadata"}
    return ResponseRead(**values, metadata=said[response.id])


async def find_request(session: AsyncSession, beginning: str) -> UUID:
    """A request by its ID, or by a beginning that no other has. Raises NotFoundError, InvalidInputError."""
    return await find_id(
        session, select(DeviceRequest.id), DeviceRequest.id.expression, beginning, "device request"
    )


async def cancel(session: AsyncSession, actor: Actor, request_id: UUID, reason: str) -> DeviceRequestDetail:
    """End a request without an answer. Raises NotFoundError, ForbiddenError, ConflictError."""
    request = await locked_to_write(session, actor, request_id)
    response = await queries.response_of(session, request_id, is_locked=True)
    await move_request(session, request, DeviceRequestStatus.CANCELLED, reason)
    if response is not None and response.status == ResponseStatus.PROCESSING:
        response.failure = "The request was cancelled."
        response.version += 1
        await move(session, RESPONSES, response, ResponseStatus.FAILED, reason=reason)
    return await get_request(session, actor, request_id)


async def retry(session: AsyncSession, actor: Actor, request_id: UUID, reason: str) -> DeviceRequestDetail:
    """Let a request that failed be tried again from the start. Raises NotFoundError, ForbiddenError, ConflictError."""
    request = await locked_to_write(session, actor, request_id)
    await move_request(session, request, DeviceRequestStatus.PENDING, reason)
    request.attempts = 0
    request.dead_at = None
    request.failure = ""
    request.available_at = utc_now()
    await wake(session, HAND_OUT)
    await session.flush()
    return await get_request(session, actor, request_id)


async def locked_to_write(session: AsyncSession, actor: Actor, request_id: UUID) -> DeviceRequest:
    """A request, locked, for who may handle it. Raises NotFoundError, ForbiddenError."""
    place = await session.scalar(select(DeviceRequest).where(DeviceRequest.id == request_id))
    known = actor.scope(Permission.REQUESTS_READ) | actor.scope(Permission.REQUESTS_WRITE)
    if place is None or place.department_id not in known:
        raise NotFoundError(NOT_THERE)
    if not actor.may_in(Permission.REQUESTS_WRITE, place.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.REQUESTS_WRITE} in its department.")
    request = await queries.locked(session, request_id)
    if request is None or not actor.may_in(Permission.REQUESTS_WRITE, request.department_id):
        raise NotFoundError(NOT_THERE)
    return request


async def move_request(
    session: AsyncSession, request: DeviceRequest, wanted: DeviceRequestStatus, reason: str = ""
) -> None:
    """Move a locked request; but for one that is taken on, its lease ends. Raises ConflictError."""
    if wanted != DeviceRequestStatus.PROCESSING:
        request.lease_token = request.lease_expires_at = request.leased_at = None
    request.version += 1
    await move(session, DEVICE_REQUESTS, request, wanted, reason=reason)


def _read(row: Any) -> DeviceRequestRead:
    read = DeviceRequestRead.model_validate(row[0])
    return read.model_copy(update={"device_name": row.device_name, "waits_for_person": row.waits})
