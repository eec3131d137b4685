"""What floods are made of: raw connections that send as much, or as little, as they like."""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx
import psutil

from tests.fixtures.product import Product, wait_for

CHUNK = b"a" * 65_536


@dataclass
class Flooder:
    """One connection, from an address of loopback of its own choice."""

    product: Product
    address: str = "127.0.0.1"
    answer: bytes = b""
    sent_bytes: int = 0
    connection: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self.connection = socket.create_connection(
            ("127.0.0.1", self.product.port), timeout=30, source_address=(self.address, 0)
        )

    def close(self) -> None:
        self.connection.close()

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent_bytes += len(data)

    def send_endlessly(self, most_bytes: int) -> None:
        """Send until the other side has had enough, or so much."""
        with contextlib.suppress(OSError):
            while self.sent_bytes < most_bytes:
                self.send(CHUNK)
        self.read_to_the_end()

    def read_to_the_end(self) -> bytes:
        """What is answered before the other side closes."""
        with contextlib.suppress(ConnectionError):
            while part := self.connection.recv(65_536):
                self.answer += part
        self.connection.close()
        return self.answer

    @property
    def status(self) -> int:
        return int(self.answer.split(b" ", 2)[1])


def head(path: str, *headers: str, method: str = "POST") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@dataclass
class Watched:
    """An installation with one web process, and an agent that reports all the while."""

    product: Product
    web: psutil.Process
    device: str
    key: str
    statuses: Counter[int] = field(default_factory=Counter)
    slowest_seconds: float = 0.0

    @contextlib.contextmanager
    def agent(self) -> Iterator[None]:
        """Report for the time of a block, in which nothing may be refused."""
        stop, self.slowest_seconds = threading.Event(), 0.0
        self.statuses.clear()
        thread = threading.Thread(target=self._report, args=(stop,))
        thread.start()
        try:
            yield
            wait_for("a report after it", lambda: self.statuses.total() > 3)
        finally:
            stop.set()
            thread.join()
        assert set(self.statuses) == {200}, self.statuses

    def _report(self, stop: threading.Event) -> None:
        with self.product.client(self.key) as client:
            while not stop.is_set():
                began = time.monotonic()
                frame = {"ts": time.time(), "values": {"a": 1.0}}
                try:
                    status = client.post("/api/v1/telemetry", json={"frames": [frame]}).status_code
                except httpx.HTTPError:
                    status = 0
                self.statuses[status] += 1
                self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - began)
                stop.wait(0.02)

    @contextlib.contextmanager
    def memory_kept(self, most_megabytes: int = 64) -> Iterator[None]:
        """The web process holds no more than that beyond what it held before the block."""
        before = self.web.memory_info().rss
        yield
        grown = (self.web.memory_info().rss - before) / 1024 / 1024
        assert grown < most_megabytes, f"{grown:.0f} MiB more than before"
