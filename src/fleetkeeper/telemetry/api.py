"""`/api/v1/telemetry/…` and `/api/v1/archive-policy`. The ingest route itself is served by the door in front."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import AppSettings, PlannedSession, Session, context_of
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.access import CallingDevice
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.access import client_address, find_actor, request_context
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.moments import At, From, To
from fleetkeeper.kit.request_body import read_message
from fleetkeeper.kit.services import services_of, shared
from fleetkeeper.telemetry import service
from fleetkeeper.telemetry.access import TelemetryRead, TelemetryWrite
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.parameters import DeviceId, DeviceIds, MaybeDeviceId
from fleetkeeper.telemetry.range_query import DEFAULT_POINTS, RangeQuery, query_range
from fleetkeeper.telemetry.schemas import (
    FramesAccepted,
    FramesBody,
    LatestRead,
    MetricCatalogue,
    ProcessesRead,
    RangeRead,
    SessionsRead,
)
from fleetkeeper.telemetry.stream import FrameStream, LiveView
from fleetkeeper_protocol.messages import ProcessReport, SessionReport

router = APIRouter(prefix="/telemetry", tags=["telemetry"])

MAX_REPORT_BYTES = 4 * 1024 * 1024
_processes_decoder = msgspec.json.Decoder(ProcessReport)
_sessions_decoder = msgspec.json.Decoder(SessionReport)
_encoder = msgspec.json.Encoder()

Door = Annotated[TelemetryDoor, Depends(shared(TelemetryDoor))]
LiveFrames = Annotated[FrameStream, Depends(shared(FrameStream))]


@router.post(
    "",
    response_model=FramesAccepted,
    responses=problem_responses(400, 401, 413, 422, 429, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": FramesBody.model_json_schema()}},
        }
    },
)
async def receive_frames(request: Request, device: CallingDevice, door: Door) -> Response:
    """Store frames; answered once they are durable. Known frames (same device and time) count as duplicates."""
    encoding, body = request.headers.get("content-encoding", ""), await request.body()
    answer = await door.receive_for(device.device_id.bytes, encoding, body)
    return Response(answer, media_type="application/json")


@router.post(
    "/devices/{device_id}",
    response_model=FramesAccepted,
    responses=problem_responses(400, 401, 403, 404, 413, 422, 429, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": FramesBody.model_json_schema()}},
        }
    },
)
async def collect_frames(
    request: Request, device_id: UUID, actor: TelemetryWrite, session: Session, door: Door
) -> Response:
    """Store frames of a device on its behalf, as a collector with an API token does."""
    await devices.check_permission(session, actor, Permission.TELEMETRY_WRITE, device_id)
    body = await request.body()
    encoding = request.headers.get("content-encoding", "")
    answer = await door.receive_for(device_id.bytes, encoding, body)
    return Response(answer, media_type="application/json")


@router.get("/range", response_model=RangeRead, responses=problem_responses(401, 403, 404, 422))
async def read_range(
    actor: TelemetryRead,
    session: PlannedSession,
    settings: AppSettings,
    device: DeviceIds,
    metric: Annotated[
        list[str], Query(description='Metrics, or channels such as cpu_core_usage_percent{core="0"}')
    ],
    start: From,
    end: To,
    step: Annotated[float | None, Query(description="Seconds; default: fits `points`")] = None,
    points: Annotated[
        int, Query(ge=1, le=11_000, description="Approximate number of points")
    ] = DEFAULT_POINTS,
    agg: Annotated[
        list[str] | None, Query(description="avg, min, max, last, sum, count, rate or raw")
    ] = None,
    explain: Annotated[
        bool, Query(description="Also return which tier answered which part of the range")
    ] = False,
) -> Response:
    """Read series over a range of time."""
    query = RangeQuery(
        devices=device,
        metrics=list(dict.fromkeys(metric)),
        start=start,
        end=end,
        step_seconds=step,
        points=points,
        aggregates=list(dict.fromkeys(agg or ["avg"])),
        explain=explain,
    )
    answer = await query_range(session, actor, query, settings.telemetry)
    return Response(_encoder.encode(answer), media_type="application/json")


@router.get("/latest", responses=problem_responses(401, 403, 404, 422))
async def read_latest(actor: TelemetryRead, session: Session, device: DeviceId) -> LatestRead:
    """Read the newest frame of a device."""
    return await service.latest(session, actor, device)


@router.get("/metrics", responses=problem_responses(401, 403, 404, 422))
async def read_metrics(
    actor: TelemetryRead, session: Session, device: MaybeDeviceId = None
) -> MetricCatalogue:
    """List metrics with their units: those of a device, or those of all agents and of all visible devices."""
    return await service.metric_catalogue(session, actor, device)


@router.get(
    "/stream",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {}}}, **problem_responses(401, 403, 404, 422, 429)},
)
async def stream_frames(
    request: Request, actor: TelemetryRead, stream: LiveFrames, wanted: DeviceIds
) -> StreamingResponse:
    """Follow new frames of some devices as Server-Sent Events."""
    if not 0 < len(wanted) <= 50:
        raise InvalidInputError(
            "The devices are wrong.", fields=[FieldError("device", "give 1 to 50 devices")]
        )
    await _check_visible(request, actor, wanted)

    async def may_still_watch() -> bool:
        try:
            now = await find_actor(request)
            if now is None or not now.may(Permission.TELEMETRY_READ):
                return False
            request.state.transaction_context = await request_context(request, now)
            await _check_visible(request, now, wanted)
        except FleetkeeperError:
            return False
        return True

    # Whoever gets none hears so before the answer begins.
    places = stream.take_place(actor.user_id, client_address(request))
    return LiveView(stream.events(frozenset(wanted), may_still_watch), places)


async def _check_visible(request: Request, actor: Actor, wanted: Sequence[UUID]) -> None:
    # A stream stays open for hours, and its own transaction would too.
    async with services_of(request).get(Database).session(context_of(request)) as session:
        for item in wanted:
            await devices.check_permission(session, actor, Permission.TELEMETRY_READ, item)


@router.get("/processes", responses=problem_responses(401, 403, 404, 422))
async def read_processes(
    actor: TelemetryRead, session: Session, device: DeviceId, at: At = None
) -> ProcessesRead:
    """Read the top processes of a device at a moment; now, when none is given."""
    return await service.processes(session, actor, device, at or utc_now())


@router.get("/sessions", responses=problem_responses(401, 403, 404, 422))
async def read_sessions(
    actor: TelemetryRead,
    session: Session,
    device: DeviceId,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> SessionsRead:
    """Read login sessions of a device, open ones first."""
    return await service.sessions(session, actor, device, limit)


@router.post("/processes", status_code=204, responses=problem_responses(400, 401, 413, 422))
async def receive_processes(
    request: Request, device: CallingDevice, session: Session, settings: AppSettings
) -> None:
    """Take an agent's lists of top processes."""
    body = await request.body()
    report = read_message(
        body, request.headers.get("content-encoding", ""), _processes_decoder, MAX_REPORT_BYTES
    )
    max_age = timedelta(days=settings.telemetry.max_age_days)
    await service.store_processes(session, device.device_id, report, utc_now(), max_age)


@router.post("/sessions", status_code=204, responses=problem_responses(400, 401, 413, 422))
async def receive_sessions(
    request: Request, device: CallingDevice, session: Session, settings: AppSettings
) -> None:
    """Take an agent's list of who is logged in."""
    body = await request.body()
    report = read_message(
        body, request.headers.get("content-encoding", ""), _sessions_decoder, MAX_REPORT_BYTES
    )
    max_age = timedelta(days=settings.telemetry.max_age_days)
    await service.store_sessions(session, device.device_id, report, utc_now(), max_age)
