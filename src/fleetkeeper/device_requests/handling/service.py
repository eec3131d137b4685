"""Taking requests on by leases, and what becomes of them. A lease that has ended counts for nothing."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.device_requests import queries as requests
from fleetkeeper.device_requests.handlers.schemas import HandlerKind
from fleetkeeper.device_requests.handlers.service import find_handler
from fleetkeeper.device_requests.handling import queries
from fleetkeeper.device_requests.handling.schemas import AnswerWrite, LeaseAsk, LeasedRequest
from fleetkeeper.device_requests.models import (
    DeviceRequest,
    RequestHandler,
    RequestResponse,
    ResponseMetadata,
)
from fleetkeeper.device_requests.payloads import MOST_BYTES, canonical
from fleetkeeper.device_requests.responses.readiness import make_ready
from fleetkeeper.device_requests.schemas import DeviceRequestDetail
from fleetkeeper.device_requests.service import get_request, locked_to_write, move_request
from fleetkeeper.device_requests.status import DEVICE_REQUESTS, DeviceRequestStatus, ResponseStatus
from fleetkeeper.device_requests.submitting import HAND_OUT
from fleetkeeper.device_requests.words import FAILED
from fleetkeeper.devices.models import Device
from fleetkeeper.errors import ConflictError, FieldError, TooLargeError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.events import ObjectRef, emit

# Of a person who took a request by hand.
PERSON_LEASE_SECONDS = 8 * 3600
PERSON_ATTEMPTS = 20
LEASE_ENDED = "The lease has ended: the request is pending again, or somebody else has it."
_BACKOFF_SECONDS = (5, 30, 120, 300)


async def lease(session: AsyncSession, actor: Actor, wanted: LeaseAsk) -> list[LeasedRequest]:
    """Hand pending requests to a handler, oldest first. Raises InvalidInputError, ConflictError."""
    handler = await find_handler(session, actor, wanted.handler)
    if not handler.enabled:
        raise ConflictError("This handler is disabled.")
    if handler.kind in {HandlerKind.WEBHOOK, HandlerKind.AUTOMATION}:
        raise ConflictError("Fleetkeeper serves this handler itself; only people and agents lease requests.")
    scope = actor.scope(Permission.REQUESTS_WRITE)
    found = await queries.next_waiting(session, handler, scope, wanted.types, wanted.limit)
    who = f"{handler.name} ({actor.name})"
    return [await _taken_on(session, one, handler, who, handler.lease_seconds) for one in found]


async def hand_to(session: AsyncSession, request: DeviceRequest, handler: RequestHandler) -> LeasedRequest:
    """Hand a locked request to a handler that the product serves itself."""
    return await _taken_on(session, request, handler, handler.name, handler.lease_seconds)


async def take(session: AsyncSession, actor: Actor, request_id: UUID) -> LeasedRequest:
    """Let a person take a pending request on. Raises NotFoundError, ForbiddenError, ConflictError."""
    request = await locked_to_write(session, actor, request_id)
    if request.status == DeviceRequestStatus.PROCESSING:
        raise ConflictError(f"{request.handled_by or 'Somebody'} has this request already.")
    return await _taken_on(session, request, None, actor.name, PERSON_LEASE_SECONDS)


async def own_lease(session: AsyncSession, actor: Actor, request_id: UUID) -> UUID | None:
    """The token of a request that a person has taken by hand, for that person."""
    token: UUID | None = await session.scalar(
        select(DeviceRequest.lease_token).where(
            DeviceRequest.id == request_id,
            DeviceRequest.handler_id.is_(None),
            DeviceRequest.handled_by == actor.name[:255],
            DeviceRequest.lease_expires_at > func.now(),
        )
    )
    return token


async def extend(
    session: AsyncSession, actor: Actor, request_id: UUID, token: UUID, seconds: int | None
) -> DeviceRequestDetail:
    """Let a lease last longer. Raises NotFoundError, ForbiddenError, ConflictError for one that has ended."""
    request = await _leased(session, actor, request_id, token)
    handler = await _handler_of(session, request)
    length = seconds or (handler.lease_seconds if handler else PERSON_LEASE_SECONDS)
    request.lease_expires_at = utc_now() + timedelta(seconds=length)
    request.version += 1
    await session.flush()
    return await get_request(session, actor, request_id)


async def release(
    session: AsyncSession, actor: Actor, request_id: UUID, token: UUID, reason: str
) -> DeviceRequestDetail:
    """Give a request back; the attempt does not count. Raises NotFoundError, ForbiddenError, ConflictError."""
    request = await _leased(session, actor, request_id, token)
    request.attempts = max(0, request.attempts - 1)
    await _return(session, request, reason or "Given back")
    return await get_request(session, actor, request_id)


async def fail(
    session: AsyncSession, actor: Actor, request_id: UUID, token: UUID, reason: str, *, is_retried: bool
) -> DeviceRequestDetail:
    """Say that an attempt failed. Raises NotFoundError, ForbiddenError, ConflictError."""
    request = await _leased(session, actor, request_id, token)
    await note_failure(session, request, reason, is_retried=is_retried)
    return await get_request(session, actor, request_id)


async def answer(
    session: AsyncSession, actor: Actor, request_id: UUID, wanted: AnswerWrite
) -> DeviceRequestDetail:
    """Answer a request. An agent that is not sure enough waits for a person.

    Raises NotFoundError, ForbiddenError, TooLargeError, ConflictError for a lease that has ended.
    """
    request = await _leased(session, actor, request_id, wanted.lease_token)
    await store_answer(session, request, actor.name, wanted)
    return await get_request(session, actor, request_id)


async def store_answer(
    session: AsyncSession, request: DeviceRequest, answered_by: str, wanted: AnswerWrite
) -> RequestResponse:
    """Keep the answer of a locked request whose lease is good. Raises TooLargeError."""
    if len(canonical(wanted.content)) > MOST_BYTES:
        problem = FieldError("content", f"Must not be larger than {MOST_BYTES // 1024} KiB")
        raise TooLargeError("The answer is too large.", fields=[problem])
    handler = await _handler_of(session, request)
    is_agent = wanted.ai_processed or (handler is not None and handler.kind == HandlerKind.AGENT)
    waits = is_agent and await _is_unsure(session, request)
    now = utc_now()
    response = RequestResponse(
        id=uuid7(),
        request_id=request.id,
        status=ResponseStatus.PROCESSING,
        content=wanted.content,
        ai_processed=is_agent,
        answered_by=answered_by[:255],
    )
    session.add(response)
    await session.flush()
    session.add_all(
        ResponseMetadata(id=uuid7(), response_id=response.id, key=key, value=value)
        for key, value in wanted.metadata.items()
    )
    request.answered_at = now
    request.lease_token = request.lease_expires_at = None
    if waits:
        request.version += 1
        await session.flush()
    else:
        await make_ready(session, request, response, "Answered")
    return response


async def note_failure(
    session: AsyncSession, request: DeviceRequest, reason: str, *, is_retried: bool = True
) -> None:
    """Let a locked request that is processed be tried again later, or fail for good; people are told of that once."""
    handler = await _handler_of(session, request)
    most = handler.max_attempts if handler else PERSON_ATTEMPTS
    request.failure = reason[:500]
    if is_retried and request.attempts < most:
        wait = _BACKOFF_SECONDS[min(request.attempts, len(_BACKOFF_SECONDS)) - 1]
        await _return(session, request, reason, timedelta(seconds=wait))
        return
    request.dead_at = utc_now()
    await move_request(session, request, DeviceRequestStatus.FAILED, reason)
    device = await session.scalar(select(Device.name).where(Device.id == request.device_id))
    about = ObjectRef(
        "device_requests", str(request.id), request.request_type, f"/device-requests/{request.id}"
    )
    await emit(
        session,
        FAILED,
        subject=about,
        department_id=request.department_id,
        device=device or "a device",
        attempts=request.attempts,
        reason=reason,
    )


async def end_leases(session: AsyncSession, limit: int = 200) -> int:
    """Return requests whose handler said nothing more; returns how many there were."""
    ended = await queries.ended_leases(session, limit)
    for request in ended:
        await note_failure(session, request, f"{request.handled_by or 'The handler'} did not answer in time.")
    return len(ended)


async def _is_unsure(session: AsyncSession, request: DeviceRequest) -> bool:
    threshold = (await read_config(session)).requests.confidence_threshold
    if threshold <= 0:
        return False
    lowest = await queries.lowest_confidence(session, request.id, request.leased_at)
    # What no decision vouches for is not sure at all.
    return lowest is None or float(lowest) < threshold


async def _taken_on(
    session: AsyncSession, request: DeviceRequest, handler: RequestHandler | None, who: str, seconds: int
) -> LeasedRequest:
    DEVICE_REQUESTS.check(DeviceRequestStatus(request.status), DeviceRequestStatus.PROCESSING)
    # The database's clock, which stamps decisions too.
    now = await session.scalar(select(func.now()))
    request.attempts += 1
    request.handler_id = None if handler is None else handler.id
    request.handled_by = who[:255]
    request.leased_at = now
    request.lease_token = uuid4()
    request.lease_expires_at = utc_now() + timedelta(seconds=seconds)
    await move_request(session, request, DeviceRequestStatus.PROCESSING)
    device = await session.scalar(select(Device.name).where(Device.id == request.device_id))
    return LeasedRequest(
        id=request.id,
        type=request.request_type,
        device_id=request.device_id,
        device_name=device or "",
        payload=request.payload,
        metadata=await requests.metadata_of(session, request.id),
        attempt=request.attempts,
        lease_token=request.lease_token,
        lease_expires_at=request.lease_expires_at,
        created_at=request.created_at,
    )


async def _return(
    session: AsyncSession, request: DeviceRequest, reason: str, wait: timedelta = timedelta()
) -> None:
    request.available_at = utc_now() + wait
    await move_request(session, request, DeviceRequestStatus.PENDING, reason)
    if not wait:
        await wake(session, HAND_OUT)


async def _leased(session: AsyncSession, actor: Actor, request_id: UUID, token: UUID) -> DeviceRequest:
    request = await locked_to_write(session, actor, request_id)
    is_current = request.status == DeviceRequestStatus.PROCESSING and request.lease_token == token
    if not is_current or request.lease_expires_at is None or request.lease_expires_at <= utc_now():
        raise ConflictError(LEASE_ENDED)
    return request


async def _handler_of(session: AsyncSession, request: DeviceRequest) -> Any:
    if request.handler_id is None:
        return None
    return await session.get(RequestHandler, request.handler_id)
