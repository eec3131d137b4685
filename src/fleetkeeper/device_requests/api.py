"""`/api/v1/requests` for people and scripts, and all doors of this room."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests import service
from fleetkeeper.device_requests.access import RequestsRead, RequestsWrite
from fleetkeeper.device_requests.archiving import api as archiving
from fleetkeeper.device_requests.decisions import api as decisions
from fleetkeeper.device_requests.handlers import api as handlers
from fleetkeeper.device_requests.handling import api as handling
from fleetkeeper.device_requests.queries import LISTING
from fleetkeeper.device_requests.responses import api as responses
from fleetkeeper.device_requests.responses import sockets
from fleetkeeper.device_requests.schemas import (
    Because,
    DeviceRequestDetail,
    DeviceRequestPage,
    DeviceRequestRead,
    RequestSubmit,
    RequestSubmitted,
)
from fleetkeeper.device_requests.submitting import submit_for_device
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.etags import tagged
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/requests", tags=["requests"])
of_devices = APIRouter(prefix="/devices", tags=["requests"])
RequestsQuery = Annotated[ListParameters, listed_by(LISTING)]
# The largest bodies, by path.
BODY_BOUNDS = {
    "/requests": responses.MAX_BODY_BYTES,
    "/devices/{device_id}/requests": responses.MAX_BODY_BYTES,
    "/requests/{request_id}/answer": responses.MAX_BODY_BYTES,
}


@router.get("", responses=problem_responses(401, 403, 422))
async def list_requests(
    request: Request, actor: RequestsRead, session: Session, asked: RequestsQuery
) -> DeviceRequestPage:
    """List device requests, newest first; `waiting_for=people` are those that nobody else answers."""
    return with_links(await service.list_requests(session, actor, asked), request.url.path)


add_export(
    router,
    "device requests",
    Permission.REQUESTS_READ,
    DeviceRequestRead,
    "device_requests",
    service.list_requests,
)


@router.get("/{request_id}", responses=problem_responses(401, 403, 404, 422))
async def get_request(
    request_id: UUID, actor: RequestsRead, session: Session, response: Response
) -> DeviceRequestDetail:
    """Get one device request with its payload, metadata and response, and its ETag."""
    return tagged(response, await service.get_request(session, actor, request_id))


@router.post("/{request_id}/cancel", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def cancel_request(
    request_id: UUID, wanted: Because, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Cancel a request: nobody answers it."""
    return await service.cancel(session, actor, request_id, wanted.reason)


@router.post("/{request_id}/retry", responses=problem_responses(400, 401, 403, 404, 409, 422))
async def retry_request(
    request_id: UUID, wanted: Because, actor: RequestsWrite, session: Session
) -> DeviceRequestDetail:
    """Let a request that failed be tried again from the start."""
    return await service.retry(session, actor, request_id, wanted.reason)


@of_devices.post(
    "/{device_id}/requests",
    status_code=201,
    responses=problem_responses(400, 401, 403, 404, 413, 422, 429) | {200: {"model": RequestSubmitted}},
)
async def submit_for(
    device_id: UUID, wanted: RequestSubmit, actor: RequestsWrite, session: Session, response: Response
) -> RequestSubmitted:
    """Submit a request for a device. The same one of a moment ago is answered 200 with its ID."""
    made = await submit_for_device(session, actor, device_id, wanted)
    if made.duplicate:
        response.status_code = 200
    return made


# Fixed paths come before those with a key.
routers = (
    sockets.router,
    responses.router,
    handling.router,
    router,
    of_devices,
    handlers.router,
    decisions.router,
    archiving.router,
)
