"""The doors that senders write to; each speaks its protocol, errors included."""

import codecs
import time
from functools import partial
from typing import Any

import cramjam
from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse, PlainTextResponse

from fleetkeeper.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError
from fleetkeeper.kit.services import services_of
from fleetkeeper.kit.wire import decompress
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.senders import collectd, line_protocol, otlp, remote_write, remote_write_v2
from fleetkeeper.telemetry.senders.access import Sending
from fleetkeeper.telemetry.senders.answers import (
    PROTOBUF,
    InfluxRoute,
    OtlpRoute,
    PlainRoute,
    collectd_answer,
    influx_answer,
    media_type_of,
    otlp_answer,
    remote_write_answer,
)
from fleetkeeper.telemetry.senders.batches import SenderInputError
from fleetkeeper.telemetry.senders.body_reading import Packed
from fleetkeeper.telemetry.senders.intake import SenderIntake

prometheus_router = APIRouter(prefix="/prometheus", tags=["senders"], route_class=PlainRoute)
influx_router = APIRouter(prefix="/influx", tags=["senders"], route_class=InfluxRoute)
otlp_router = APIRouter(prefix="/otlp", tags=["senders"], route_class=OtlpRoute)
collectd_router = APIRouter(tags=["senders"], route_class=PlainRoute)
ROUTERS = (prometheus_router, influx_router, otlp_router, collectd_router)
# Where senders knock, which the limits of requests do not count: they have limits of their own.
PATHS = (
    "/prometheus/api/v1/write",
    "/influx/api/v2/write",
    "/influx/write",
    "/otlp/v1/metrics",
    "/collectd",
)

# Snappy writes at most 64 bytes for three; a body that claims more lies.
_SNAPPY_RATIO = 32
_V1 = "prometheus.WriteRequest"
_V2 = "io.prometheus.write.v2.Request"
INFLUX_VERSION = "2.7.0"
# Some SDKs of OpenTelemetry pack by deflate.
_ENCODINGS = ("gzip", "deflate", "zstd")


_OTLP_CONTENT: dict[str, Any] = {PROTOBUF: {}, "application/json": {"schema": {"type": "object"}}}


def _answers(media_type: str, *statuses: int) -> dict[int | str, dict[str, Any]]:
    content: dict[str, Any] = {media_type: {"schema": {"type": "object"}}}
    if media_type == "text/plain":
        content = {media_type: {"schema": {"type": "string"}}}
    elif media_type == PROTOBUF:
        content = _OTLP_CONTENT
    return {status: {"description": "Refused", "content": content} for status in statuses}


def _body_of(media_type: str) -> dict[str, Any]:
    schema = {"type": "string"} if media_type.startswith("text") else {}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema}}}}


def _max_decompressed_bytes(request: Request) -> int:
    settings = services_of(request).get(Settings)
    return settings.telemetry.max_decompressed_bytes


def _intake(request: Request) -> SenderIntake:
    return services_of(request).get(SenderIntake)


def _unsnap(body: bytes, max_bytes: int) -> bytes:
    """Undo a snappy block. Raises SenderInputError, and TooLargeError past `max_bytes`."""
    try:
        claimed = cramjam.snappy.decompress_raw_len(body)
        if claimed > max_bytes:
            raise TooLargeError(f"The body has more than {max_bytes} bytes once decompressed.")
        if claimed > _SNAPPY_RATIO * len(body):
            raise SenderInputError("the snappy block claims to be larger than it can be")
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise SenderInputError(f"the body is no snappy block: {str(error)[:200]}") from None


def _plain(body: bytes, max_bytes: int, encoding: str) -> bytes:
    """A body as it was before it was packed, without the mark that some put before a text."""
    return decompress(body, encoding, max_bytes, encodings=_ENCODINGS).removeprefix(codecs.BOM_UTF8)


async def _packed(request: Request) -> Packed:
    encoding = request.headers.get("content-encoding", "")
    unpack = partial(_plain, encoding=encoding)
    return Packed(await request.body(), unpack, _max_decompressed_bytes(request), request.receive)


def _remote_write_version(request: Request) -> int:
    """1 or 2, by Content-Type. Raises UnsupportedMediaTypeError for what is neither."""
    encoding = request.headers.get("content-encoding", "snappy").strip().lower()
    media_type, _, parameters = request.headers.get("content-type", PROTOBUF).partition(";")
    proto = _V1
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "proto":
            proto = value.strip().strip('"')
    if encoding != "snappy" or media_type.strip().lower() != PROTOBUF or proto not in {_V1, _V2}:
        raise UnsupportedMediaTypeError(
            f"Send {PROTOBUF} with proto={_V1} or proto={_V2}, and Content-Encoding: snappy."
        )
    return 1 if proto == _V1 else 2


@prometheus_router.post(
    "/api/v1/write",
    status_code=204,
    responses=_answers("text/plain", 400, 401, 403, 413, 415, 503),
    openapi_extra=_body_of(PROTOBUF),
)
async def receive_remote_write(request: Request, caller: Sending) -> Response:
    """Store samples by Prometheus remote_write 1.0 or 2.0."""
    read = remote_write.read_write_request
    if _remote_write_version(request) == 2:
        read = remote_write_v2.read_request
    body = Packed(await request.body(), _unsnap, _max_decompressed_bytes(request), request.receive)
    return remote_write_answer(await _intake(request).take("prometheus", caller, read, body))


@influx_router.post(
    "/api/v2/write",
    status_code=204,
    responses=_answers("application/json", 400, 401, 403, 413, 422, 429, 503),
    openapi_extra=_body_of("text/plain"),
)
async def receive_influx(
    request: Request, caller: Sending, precision: str = "ns", org: str = "", bucket: str = ""
) -> Response:
    """Store lines, as InfluxDB 2 does. Organization and bucket are accepted and mean nothing here."""
    del org, bucket
    return await _receive_lines(request, caller, precision)


@influx_router.post(
    "/write",
    status_code=204,
    responses=_answers("application/json", 400, 401, 403, 413, 422, 429, 503),
    openapi_extra=_body_of("text/plain"),
)
async def receive_influx_v1(
    request: Request, caller: Sending, precision: str = "ns", db: str = "", rp: str = ""
) -> Response:
    """Store lines, as InfluxDB 1 does. Database and retention policy are accepted and mean nothing here."""
    del db, rp
    return await _receive_lines(request, caller, precision)


async def _receive_lines(request: Request, caller: Sending, precision: str) -> Response:
    precision = precision or "ns"
    if precision not in line_protocol.PRECISIONS:
        raise BadRequestError("The precision is ns, us, ms or s.")
    read = partial(line_protocol.read_lines, precision=precision, now_us=time.time_ns() // 1000)
    return influx_answer(await _intake(request).take("influx", caller, read, await _packed(request)))


@influx_router.post("/query", responses=_answers("application/json", 400, 401, 403, 413, 422, 503))
async def answer_influx_query(request: Request, caller: Sending, q: str = "") -> Response:
    """Say that a database is there, which clients of InfluxDB 1 want to make before they write."""
    del request, caller
    if not q.strip().upper().startswith("CREATE DATABASE"):
        raise BadRequestError("Only CREATE DATABASE is understood here; read through /prometheus or /api/v1.")
    return JSONResponse({"results": [{"statement_id": 0}]})


@influx_router.head("/ping", status_code=204, include_in_schema=False)
@influx_router.get("/ping", status_code=204)
async def answer_influx_ping() -> Response:
    """Say that this speaks InfluxDB's protocol."""
    return Response(status_code=204, headers={"X-Influxdb-Version": INFLUX_VERSION})


@influx_router.get("/health")
async def answer_influx_health() -> Response:
    """The same as JSON."""
    body = {
        "name": "influxdb",
        "message": "Fleetkeeper takes line protocol here",
        "status": "pass",
        "checks": [],
        "version": INFLUX_VERSION,
    }
    return JSONResponse(body)


@otlp_router.post(
    "/v1/metrics",
    response_class=Response,
    responses={200: {"content": _OTLP_CONTENT}, **_answers(PROTOBUF, 400, 401, 403, 413, 415, 429, 503)},
    openapi_extra=_body_of(PROTOBUF),
)
async def receive_otlp(request: Request, caller: Sending) -> Response:
    """Store an OTLP ExportMetricsServiceRequest, in protobuf or JSON."""
    media_type = media_type_of(request)
    if media_type not in {PROTOBUF, "application/json"}:
        raise UnsupportedMediaTypeError(f"Send {PROTOBUF} or application/json.")
    read = otlp.read_json if media_type == "application/json" else otlp.read_protobuf
    return otlp_answer(request, await _intake(request).take("otlp", caller, read, await _packed(request)))


@collectd_router.post(
    "/collectd",
    response_class=PlainTextResponse,
    responses=_answers("text/plain", 400, 401, 403, 413, 503),
    openapi_extra=_body_of("application/json"),
)
async def receive_collectd(request: Request, caller: Sending) -> Response:
    """Store value lists that collectd's plugin write_http posts as JSON."""
    body = await _packed(request)
    return collectd_answer(await _intake(request).take("collectd", caller, collectd.read_values, body))
