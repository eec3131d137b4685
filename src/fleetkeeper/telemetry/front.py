"""Serves the ingest route straight from ASGI, in front of the web framework; everything else passes through."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog

from fleetkeeper.error_handlers import expected_error, problem_response
from fleetkeeper.errors import FieldError, FleetkeeperError, OverloadedError, TooLargeError
from fleetkeeper.kit.http_shell import SECURITY_HEADERS, is_request_id
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.stream import FrameStream

log = structlog.get_logger(__name__)

PATH = "/api/v1/telemetry"
MAX_KNOWN_HOSTS = 100


class IngestFront:
    """An ASGI application around another. `door` is set when the process has opened its connections."""

    def __init__(self, app: Any, limits: TelemetrySettings, is_served_host: Callable[[str], bool]) -> None:
        self.app = app
        self._max_body_bytes = limits.max_body_bytes
        self._max_in_flight = limits.max_requests_in_flight
        self._in_flight = 0
        self._is_served_host = is_served_host
        # Hosts that were found good before, as they stand in the header.
        self._good_hosts: set[bytes] = set()
        self.door: TelemetryDoor | None = None
        # Tells agents, with each answer, which configuration is the newest.
        self.config_tag: bytes = b""
        self.stream: FrameStream | None = None

    def end_streams(self) -> None:
        """End all live views, as the server begins to shut down."""
        if self.stream is not None:
            self.stream.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer `POST /api/v1/telemetry`, hand over anything else."""
        if self.door is None or scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        authorization = encoding = request_id = host = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                authorization = value
            elif name == b"content-encoding":
                encoding = value
            elif name == b"x-request-id":
                request_id = value
            elif name == b"host":
                host = value
        if host not in self._good_hosts and not self._remember_host(host):
            # The application behind refuses it in its own words.
            await self.app(scope, receive, send)
            return
        self._in_flight += 1
        try:
            self._check_load()
            body = await self._read(receive)
            answer = await self.door.receive(
                authorization.decode("latin-1"), encoding.decode("latin-1"), body
            )
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            self.door.note_refusal(error)
            await self._answer_error(error, request_id.decode("latin-1"), scope, receive, send)
            return
        finally:
            self._in_flight -= 1
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(answer)),
            (b"x-content-type-options", b"nosniff"),
            (b"fleetkeeper-config", self.config_tag),
        ]
        good = is_request_id(request_id.decode("latin-1"))
        headers.append((b"x-request-id", request_id if good else uuid4().hex.encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _check_load(self) -> None:
        if self._in_flight > self._max_in_flight:
            raise OverloadedError("Too many requests at once.", retry_after_seconds=1)

    def _remember_host(self, host: bytes) -> bool:
        good = self._is_served_host(host.decode("latin-1"))
        if good and len(self._good_hosts) < MAX_KNOWN_HOSTS:
            self._good_hosts.add(host)
        return good

    async def _read(self, receive: Any) -> bytes:
        message = await receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            parts, length = [body], len(body)
            while message.get("more_body"):
                message = await receive()
                parts.append(message.get("body", b""))
                length += len(parts[-1])
                if length > self._max_body_bytes:
                    break
            body = b"".join(parts)
        if len(body) > self._max_body_bytes:
            raise TooLargeError(
                "The body is too large.",
                fields=[FieldError("body", f"has at most {self._max_body_bytes} bytes")],
            )
        return body

    @staticmethod
    async def _answer_error(error: Exception, request_id: str, scope: Any, receive: Any, send: Any) -> None:
        known = expected_error(error)
        request_id = request_id if is_request_id(request_id) else uuid4().hex
        if known is None:
            log.error("frames were not stored", request_id=request_id, exc_info=error)
            known = FleetkeeperError("The server made a mistake; its log has the request's id.")
        response = problem_response(known, request_id)
        response.headers.update(SECURITY_HEADERS | {"Cache-Control": "no-store", "X-Request-ID": request_id})
        if known.status in {413, 429}:
            # The rest of the body is not read, so the connection cannot be used again.
            response.headers["Connection"] = "close"
        await response(scope, receive, send)
