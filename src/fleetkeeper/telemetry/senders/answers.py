"""How each protocol says that something went wrong, or went partly wrong."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from starlette.responses import JSONResponse, PlainTextResponse

from fleetkeeper.error_handlers import expected_error
from fleetkeeper.errors import BadRequestError, FleetkeeperError, TooLargeError
from fleetkeeper.kit.request_body import CallerGoneError
from fleetkeeper.telemetry.senders.batches import SenderInputError, TooManyError
from fleetkeeper.telemetry.senders.intake import Outcome

PROTOBUF = "application/x-protobuf"
# Codes of InfluxDB's API, and of gRPC, by HTTP status.
_INFLUX_CODES = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    413: "request too large",
    429: "too many requests",
    503: "unavailable",
}
_GRPC_CODES = {400: 3, 401: 16, 403: 7, 413: 8, 415: 3, 429: 8, 503: 14}


def failures_of(outcome: Outcome) -> Outcome:
    """The outcome without what is left out as a matter of course."""
    loud = [item for item in outcome.refusals if not item.reason.is_quiet]
    return replace(outcome, refusals=loud)


def _plain(text: str) -> str:
    """A message on one line: parts of it may come from the sender."""
    return re.sub(r"[\x00-\x1f\x7f\ufffc]", "?", text)[:2000]


class SenderRoute(APIRoute, ABC):
    """Answers every error in the protocol's own shape, with Retry-After where a retry can help."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors answered."""
        handle = super().get_route_handler()

        async def answering(request: Request) -> Response:
            try:
                return await handle(request)
            except CallerGoneError:
                # Nobody reads it.
                return Response(status_code=400)
            except Exception as error:
                if _known_error(error) is None:
                    raise
                return await self.answer_error(request, error)

        return answering

    async def answer_error(self, request: Request, error: Exception) -> Response:
        """The error as a response, with what a retry needs."""
        known = _known_error(error) or FleetkeeperError("The server made a mistake; its log says more.")
        response = self.answer(request, known)
        if known.retry_after_seconds is not None:
            response.headers["Retry-After"] = str(known.retry_after_seconds)
        if known.status == 401:
            response.headers["WWW-Authenticate"] = 'Bearer, Basic realm="Fleetkeeper"'
        return response

    @abstractmethod
    def answer(self, request: Request, error: FleetkeeperError) -> Response:
        """The error as a response."""


def _known_error(error: Exception) -> FleetkeeperError | None:
    if isinstance(error, TooManyError):
        return TooLargeError(str(error))
    if isinstance(error, SenderInputError):
        return BadRequestError(str(error))
    return expected_error(error)


class PlainRoute(SenderRoute):
    """Text, as Prometheus and collectd log it."""

    def answer(self, request: Request, error: FleetkeeperError) -> Response:
        """A line of text. Prometheus drops what is answered with 429, and sends again after 503."""
        del request
        return PlainTextResponse(_plain(error.detail) + "\n", 503 if error.status == 429 else error.status)


class InfluxRoute(SenderRoute):
    """InfluxDB's JSON: `code` and `message` of version 2, and `error` of version 1."""

    def answer(self, request: Request, error: FleetkeeperError) -> Response:
        """JSON."""
        del request
        status = 400 if error.status == 422 else error.status
        text = _plain(error.detail)
        code = _INFLUX_CODES.get(status, "internal error")
        headers = {"X-Influxdb-Error": text.encode("ascii", "replace").decode()[:500]}
        return JSONResponse({"code": code, "message": text, "error": text}, status, headers)


class OtlpRoute(SenderRoute):
    """`google.rpc.Status`, in the encoding of the request."""

    def answer(self, request: Request, error: FleetkeeperError) -> Response:
        """JSON or protobuf."""
        code, text = _GRPC_CODES.get(error.status, 2), _plain(error.detail)
        if media_type_of(request) == "application/json":
            return JSONResponse({"code": code, "message": text}, error.status)
        message = text.encode()[:4000]
        content = bytes((0x08, code, 0x12)) + _varint(len(message)) + message
        return Response(content, error.status, media_type=PROTOBUF)


def _varint(number: int) -> bytes:
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*result, number))


def media_type_of(request: Request) -> str:
    """The request's media type without parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def remote_write_answer(outcome: Outcome) -> Response:
    """204; or 400 where samples were refused, the good ones being stored. Both say how many were written."""
    outcome = failures_of(outcome)
    headers = {
        "X-Prometheus-Remote-Write-Samples-Written": str(outcome.accepted + outcome.duplicates),
        "X-Prometheus-Remote-Write-Histograms-Written": "0",
        "X-Prometheus-Remote-Write-Exemplars-Written": "0",
    }
    if not outcome.rejected:
        return Response(status_code=204, headers=headers)
    text = f"{outcome.rejected} samples were not stored: {outcome.sentence()}"
    return PlainTextResponse(_plain(text) + "\n", 400, headers)


def influx_answer(outcome: Outcome) -> Response:
    """204; or 400 `partial write` where points were refused, the good ones being stored."""
    outcome = failures_of(outcome)
    if not outcome.rejected:
        return Response(status_code=204)
    text = _plain(f"partial write: {outcome.sentence()} dropped={outcome.rejected}")
    return JSONResponse({"code": "invalid", "message": text, "error": text}, 400)


def otlp_answer(request: Request, outcome: Outcome) -> Response:
    """200 with `partial_success` where data points were refused, in the encoding of the request."""
    message = ExportMetricsServiceResponse()
    if outcome.rejected:
        text = _plain(outcome.sentence(unit=" samples"))
        message.partial_success.CopyFrom(
            ExportMetricsPartialSuccess(rejected_data_points=outcome.rejected_points, error_message=text)
        )
    if media_type_of(request) == "application/json":
        return Response(json_format.MessageToJson(message, indent=None), media_type="application/json")
    return Response(message.SerializeToString(), media_type=PROTOBUF)


def collectd_answer(outcome: Outcome) -> Response:
    """200; or 400 where values were refused, the good ones being stored."""
    outcome = failures_of(outcome)
    if not outcome.rejected:
        return PlainTextResponse("")
    return PlainTextResponse(
        _plain(f"{outcome.rejected} values were not stored: {outcome.sentence()}") + "\n", 400
    )
