"""`/api/v1/requests` for devices, by their keys: submit, poll, acknowledge."""

import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response

from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import AppDatabase, Session, context_of
from fleetkeeper.device_requests.connections import note_poll
from fleetkeeper.device_requests.responses import service
from fleetkeeper.device_requests.responses.schemas import DeviceResponse, Undelivered
from fleetkeeper.device_requests.responses.waiting import RequestWatch
from fleetkeeper.device_requests.schemas import RequestSubmit, RequestSubmitted
from fleetkeeper.device_requests.status import OPEN, ResponseStatus
from fleetkeeper.device_requests.submitting import submit_as_device
from fleetkeeper.devices.access import CallingDevice
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import client_address
from fleetkeeper.kit.services import shared
from fleetkeeper.kit.while_connected import while_connected

MAX_BODY_BYTES = 512 * 1024
SUBMIT_PATH = "/requests"
MOST_WAIT_SECONDS = 20
router = APIRouter(prefix="/requests", tags=["requests"])
Watching = Annotated[RequestWatch, Depends(shared(RequestWatch))]
WaitSeconds = Annotated[
    float, Query(ge=0, le=MOST_WAIT_SECONDS, description="How long to wait for news (seconds)")
]


@router.post(
    "",
    status_code=201,
    responses=problem_responses(400, 401, 413, 422, 429) | {200: {"model": RequestSubmitted}},
)
async def submit_request(
    wanted: RequestSubmit, device: CallingDevice, session: Session, response: Response
) -> RequestSubmitted:
    """Submit a request of the calling device. The same one of a moment ago is answered 200 with its ID."""
    made = await submit_as_device(session, device.device_id, wanted)
    if made.duplicate:
        response.status_code = 200
    return made


@router.get("/undelivered", responses=problem_responses(401))
async def list_undelivered(request: Request, device: CallingDevice, session: Session) -> Undelivered:
    """List the calling device's responses that it has not acknowledged, oldest first: at most 100."""
    await note_poll(session, device.device_id, client_address(request))
    return Undelivered(results=await service.list_undelivered(session, device.device_id))


@router.get(
    "/{request_id}/response",
    response_model=DeviceResponse,
    responses={304: {"description": "Not modified"}, **problem_responses(401, 404, 422)},
)
async def get_response(
    request_id: UUID,
    request: Request,
    device: CallingDevice,
    database: AppDatabase,
    watch: Watching,
    wait_seconds: WaitSeconds = 0,
) -> Response:
    """Get the response to a request of the calling device, with an ETag.

    With `wait_seconds` the answer comes once the response is there, or the state is another than `If-None-Match`
    names, and at the latest after so long.
    """
    known = request.headers.get("if-none-match", "")
    poll = _Poll(request, database, device.device_id, request_id, known)
    told, etag = await poll.look()
    until = time.monotonic() + wait_seconds
    # Without an ETag the answer is waited for, and not that somebody takes the request on.
    while etag == known or (not known and _is_under_way(told)):
        left = until - time.monotonic()
        if left <= 0 or not await while_connected(request.receive, watch.wait(request_id, _mark(etag), left)):
            break
        told, etag = await poll.look()
    headers = {"ETag": etag, "Cache-Control": "no-store"}
    if etag == known:
        return Response(status_code=304, headers=headers)
    return Response(told.model_dump_json(), media_type="application/json", headers=headers)


@router.post("/{request_id}/response/ack", responses=problem_responses(401, 404, 409, 422))
async def acknowledge_response(request_id: UUID, device: CallingDevice, session: Session) -> DeviceResponse:
    """Acknowledge a response: it is delivered. Once is enough, and twice does no harm."""
    return await service.acknowledge(session, device.device_id, request_id)


class _Poll:
    """A device that asks; a session is held for each look only."""

    def __init__(
        self, request: Request, database: Database, device_id: UUID, request_id: UUID, known: str
    ) -> None:
        self._request = request
        self._database = database
        self._device_id = device_id
        self._request_id = request_id
        self._known = known

    async def look(self) -> tuple[DeviceResponse, str]:
        async with self._database.session(context_of(self._request)) as session:
            await note_poll(session, self._device_id, client_address(self._request))
            return await service.hand_out(session, self._device_id, self._request_id, self._known)


def _is_under_way(told: DeviceResponse) -> bool:
    return told.request_status in OPEN and told.status in {None, ResponseStatus.PROCESSING}


def _mark(etag: str) -> tuple[int, int]:
    request, _, response = etag.strip('"').partition(".")
    return int(request), int(response)
