"""A server of the agents' door in memory: enough of it to play a fleet against."""

import asyncio
import contextlib
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import httptools
import msgspec
import zstandard

MAX_FUTURE_SECONDS = 300.0


class FakeClock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, now: float) -> None:
        self._now = now
        self.slept = 0.0

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        self._now += seconds
        self.slept += seconds
        await asyncio.sleep(0)


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeServer:
    """Keeps what it gets. `interfere` may answer instead: it gets the path and the request's number."""

    clock: FakeClock
    interfere: Callable[[str, int], Reply | None] = lambda path, number: None
    enrolled: dict[str, str] = field(default_factory=dict)
    frames: dict[tuple[str, float], dict[str, float]] = field(default_factory=dict)
    bodies: dict[str, list[dict]] = field(default_factory=dict)
    paths: Counter = field(default_factory=Counter)
    tokens: list[dict] = field(default_factory=list)
    entered: dict[str, dict] = field(default_factory=dict)
    relationships: list[tuple[str, str, str]] = field(default_factory=list)
    port: int = 0
    requests: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["FakeServer"]:
        server = await asyncio.get_running_loop().create_server(lambda: _Door(self), "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> Reply:  # noqa: PLR0911 - one per path
        self.requests += 1
        self.paths[path] += 1
        reply = self.interfere(path, self.requests)
        if reply is not None:
            return reply
        coding = headers.get("content-encoding")
        if coding == "zstd":
            body = zstandard.ZstdDecompressor().decompress(body)
        elif coding == "gzip":
            body = gzip.decompress(body)
        content = msgspec.json.decode(body)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if path in {"/api/v1/enrollment-tokens", "/api/v1/devices", "/api/v1/device-relationships"}:
            return self._make(path, bearer, content)
        if path == "/api/v1/enroll":
            if content["token"] != "enrol-me":
                return Reply(401, b'{"title":"Unknown token"}')
            key = f"key-{content['hostname']}"
            self.enrolled[key] = content["hostname"]
            return Reply(201, msgspec.json.encode({"device_id": content["hostname"], "device_key": key}))
        if bearer not in self.enrolled:
            return Reply(401, b'{"title":"Sign-in needed"}')
        self.bodies.setdefault(path, []).append(content)
        if path != "/api/v1/telemetry":
            return Reply(204)
        return Reply(200, msgspec.json.encode(self._take(self.enrolled[bearer], content["frames"])))

    def _make(self, path: str, bearer: str, content: dict) -> Reply:
        if bearer != "api-token":
            return Reply(401, b'{"title":"Sign-in needed"}')
        if path == "/api/v1/enrollment-tokens":
            self.tokens.append(content)
            return Reply(201, b'{"token":"enrol-me"}')
        if path == "/api/v1/devices":
            self.entered[content["name"]] = content
            return Reply(201, msgspec.json.encode({"id": f"id-of-{content['name']}"}))
        ends = content["parent_device_id"], content["child_device_id"]
        self.relationships.append((*ends, content["relationship_type"]))
        return Reply(201, b"{}")

    def _take(self, hostname: str, frames: list[dict]) -> dict:
        counts = {"accepted": 0, "duplicates": 0, "rejected": []}
        for index, frame in enumerate(frames):
            if frame["ts"] > self.clock.now() + MAX_FUTURE_SECONDS:
                error = f"{frame['ts'] - self.clock.now():.0f} seconds ahead"
                counts["rejected"].append({"index": index, "field": "ts", "error": error})
                continue
            key = (hostname, frame["ts"])
            counts["duplicates" if key in self.frames else "accepted"] += 1
            self.frames[key] = frame["values"]
        return counts


class _Door(asyncio.Protocol):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._begin()

    def _begin(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._headers: dict[str, str] = {}
        self._url = ""
        self._body = b""

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        reply = self._server.answer(self._url, self._headers, self._body)
        head = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in reply.headers.items())]
        if reply.status != 204:
            head.append(f"Content-Length: {len(reply.body)}")
        self._transport.write("\r\n".join([*head, "", ""]).encode() + reply.body)
        if reply.headers.get("Connection") == "close":
            self._transport.close()
        self._begin()
