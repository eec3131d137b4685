"""A small real server on loopback that speaks the agent's protocol and does what a test tells it to."""

import gzip
import json
import threading
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeServer:
    """Keeps every request; answers by the path, or by what stands in `overrides`."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        self.overrides: dict[str, list[tuple[int, dict[str, str], bytes]]] = defaultdict(list)
        self.config: dict[str, Any] = {
            "interval_seconds": 5.0,
            "process_interval_seconds": 30.0,
            "inventory_interval_seconds": 3600.0,
            "features": {},
        }
        self.etag = "one"
        self.header_tag: str | None = None
        self.key = "key-of-the-device"
        self.token = "token-of-the-test"
        self.arrived = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer._handle(self, "GET")

            def do_POST(self) -> None:
                outer._handle(self, "POST")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._httpd.daemon_threads = True
        self._thread = threading.Thread(target=self._httpd.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._httpd.server_port}"

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()
        self._thread.join()

    def of(self, path: str) -> list[Any]:
        """The bodies that arrived at a path."""
        return [body for _, where, _, body in list(self.requests) if where == path]

    def wait_for(self, path: str, number: int = 1, seconds: float = 60.0) -> list[Any]:
        """Wait until so many requests have arrived at a path."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.of(path)) >= number, seconds), self.requests
        return self.of(path)

    def _handle(self, handler: BaseHTTPRequestHandler, method: str) -> None:
        raw = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        body = json.loads(raw) if raw else None
        status, headers, answer = self._answer(handler, body)
        # Kept before it is answered, so that whoever has the answer finds the request.
        with self.arrived:
            self.requests.append((method, handler.path, dict(handler.headers), body))
            self.arrived.notify_all()
        handler.send_response(status)
        for name, value in {"Fleetkeeper-Config": f'"{self.header_tag or self.etag}"', **headers}.items():
            handler.send_header(name, value)
        if status != 304:
            handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        if status != 304:
            handler.wfile.write(answer)

    def _answer(self, handler: BaseHTTPRequestHandler, body: Any) -> tuple[int, dict[str, str], bytes]:
        if self.overrides[handler.path]:
            return self.overrides[handler.path].pop(0)
        if handler.path == "/api/v1/enroll":
            return self._enrol(body)
        if handler.headers.get("Authorization") != f"Bearer {self.key}":
            return 401, {}, b"{}"
        if handler.path == "/api/v1/agent/config":
            unchanged = handler.headers.get("If-None-Match") == f'"{self.etag}"'
            answer = b"" if unchanged else json.dumps(self.config).encode()
            return 304 if unchanged else 200, {"ETag": f'"{self.etag}"'}, answer
        if handler.path == "/api/v1/telemetry":
            return 200, {}, json.dumps({"accepted": len(body["frames"]), "duplicates": 0}).encode()
        return 200, {}, b"{}"

    def _enrol(self, body: Any) -> tuple[int, dict[str, str], bytes]:
        if body["token"] != self.token:
            return 403, {}, b'{"title": "this token is not known"}'
        return 200, {}, json.dumps({"device_id": "device-1", "device_key": self.key}).encode()
