"""`/api/v1/requests/…` for those who answer: lease, extend, release, fail, answer."""

import asyncio
import time
from uuid import UUID

from fastapi import APIRouter, Request

from fleetkeeper.database.request_session import AppDatabase, Session, context_of
from fleetkeeper.device_requests.access import RequestsWrite
from fleetkeeper.device_requests.handling import service
from fleetkeeper.device_requests.handling.schemas import (
    AnswerWrite,
    LeaseAsk,
    Leased,
    LeasedRequest,
    LeaseExtend,
    LeaseFail,
    LeaseRelease,
)
from fleetkeeper.device_requests.schemas import DeviceRequestDetail
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.while_connected import while_connected

router = APIRouter(prefix="/requests", tags=["requests"])
LOOK_SECONDS = 1.0


@router.post("/lease", responses=problem_responses(400, 401, 403, 409, 422))
async def lease_requests(
    wanted: LeaseAsk, request: Request, actor: RequestsWrite, database: AppDatabase
) -> Leased:
    """Take pending requests on, oldest first. With `wait_seconds` the answer comes once there is one."""

    async def look() -> list[LeasedRequest]:
        # No session is held between two looks.
        async with database.session(context_of(request)) as session:
            return await service.lease(session, actor, wanted)

    until = time.monotonic() + wanted.wait_seconds
    found = await look()
    while not found and time.monotonic() < until:
        left = until - time.monotonic()
        await while_connected(request.receive, asyncio.sleep(max(0.0, min(LOOK_SECONDS, left))))
        found = await look()
    return Leased(requests=found)


@router.post("/{request_id}/take", responses=problem_responses(401, 403, 404, 409, 422))
async def take_request(request_id: UUID, actor: RequestsWrite, session: Session) -> LeasedRequest:
    """Take one pending request on by yourself, without a handler."""
    return await service.take(session, actor, request_id)


@router.post("/{request_id}/extend", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def extend_lease(
    request_id: UUID, wanted: LeaseExtend, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Let a lease last longer."""
    return await service.extend(session, actor, request_id, wanted.lease_token, wanted.seconds)


@router.post("/{request_id}/release", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def release_request(
    request_id: UUID, wanted: LeaseRelease, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Give a request back: it is pending again, and the attempt does not count."""
    return await service.release(session, actor, request_id, wanted.lease_token, wanted.reason)


@router.post("/{request_id}/fail", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def fail_request(
    request_id: UUID, wanted: LeaseFail, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Say that an attempt failed. It is tried again after a while, or has failed for good."""
    return await service.fail(
        session, actor, request_id, wanted.lease_token, wanted.reason, is_retried=wanted.retry
    )


@router.post("/{request_id}/answer", responses=problem_responses(400, 401, 403, 404, 409, 413, 422))
async def answer_request(
    request_id: UUID, wanted: AnswerWrite, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Answer a request. What an agent answers without enough confidence waits for a person's verdict."""
    return await service.answer(session, actor, request_id, wanted)
