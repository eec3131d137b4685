"""Serves the ingest route straight from ASGI, in front of the web framework; everything else passes through."""

from typing import Any
from uuid import uuid4

import structlog

from fleetkeeper.error_handlers import expected_error, problem_response
from fleetkeeper.errors import FleetkeeperError, OverloadedError, UnauthenticatedError
from fleetkeeper.kit.addresses import customer_of
from fleetkeeper.kit.http_shell import SECURITY_HEADERS, HttpShell, RequestLimits, is_request_id, sender_of
from fleetkeeper.kit.places import Places
from fleetkeeper.kit.request_body import CallerGoneError, Pace, read_body
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.stream import FrameStream

log = structlog.get_logger(__name__)

PATH = "/api/v1/telemetry"
MAX_KNOWN_HOSTS = 100
# Keys that are looked up at once, and those of them that come from one address.
MAX_LOOKUPS = 512
MAX_LOOKUPS_PER_ADDRESS = 128


class IngestFront:
    """An ASGI application around another. `door` is set when the process has opened its connections."""

    def __init__(
        self, app: HttpShell, *, limits: RequestLimits, places: Places, pace: Pace, max_body_bytes: int
    ) -> None:
        self.app = app
        self._limits = limits
        self._places = places
        self._lookups = Places(MAX_LOOKUPS, MAX_LOOKUPS_PER_ADDRESS)
        self._pace = pace
        self._max_body_bytes = max_body_bytes
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
        door = self.door
        if door is None or scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST":
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
        try:
            key = authorization.decode("latin-1")
            device_id = door.keys.known(key) or await self._device_of(door, key, scope)
            with self._places.take(device_id) as place:
                body = await read_body(scope, receive, self._max_body_bytes, place, self._pace)
                answer = await door.receive_for(device_id, encoding.decode("latin-1"), body)
        except CallerGoneError:
            return
        except Exception as error:  # noqa: BLE001 - every error becomes an answer
            door.note_refusal(error)
            await self._answer_error(error, request_id.decode("latin-1"), scope, receive, send)
            return
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

    async def _device_of(self, door: TelemetryDoor, authorization: str, scope: Any) -> bytes:
        """Whose key this is. Guessing is limited by address; who has a key that is known goes on behind the same."""
        address = sender_of(scope)
        wait = self._limits.guess_wait_seconds(address)
        if wait:
            raise OverloadedError("Too many failed authentications.", retry_after_seconds=wait)
        with self._lookups.take(customer_of(address)):
            try:
                return await door.keys.device_of(authorization)
            except UnauthenticatedError:
                self._limits.note_failed_authentication(address)
                raise

    def _remember_host(self, host: bytes) -> bool:
        good = self.app.is_served_host(host.decode("latin-1"))
        if good and len(self._good_hosts) < MAX_KNOWN_HOSTS:
            self._good_hosts.add(host)
        return good

    @staticmethod
    async def _answer_error(error: Exception, request_id: str, scope: Any, receive: Any, send: Any) -> None:
        known = expected_error(error)
        request_id = request_id if is_request_id(request_id) else uuid4().hex
        if known is None:
            log.error("frames were not stored", request_id=request_id, exc_info=error)
            known = FleetkeeperError("Internal error. The server's log has the details under the request ID.")
        response = problem_response(known, request_id)
        response.headers.update(SECURITY_HEADERS | {"Cache-Control": "no-store", "X-Request-ID": request_id})
        if known.status in {401, 408, 413, 429}:
            # The rest of the body is not read, so the connection cannot be used again.
            response.headers["Connection"] = "close"
        await response(scope, receive, send)
