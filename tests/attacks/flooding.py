"""What floods are made of: raw connections that send as much, or as little, as they like."""

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

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

    @contextlib.contextmanager
    def processor_kept(self, most_seconds: float) -> Iterator[None]:
        """The web process works no longer than that for a block."""
        before = self._processor_seconds()
        yield
        used = self._processor_seconds() - before
        assert used < most_seconds, f"{used:.1f} seconds of a processor"

    def _processor_seconds(self) -> float:
        used = self.web.cpu_times()
        return used.user + used.system


@contextlib.contextmanager
def watching(home: Path, settings: Mapping[str, str]) -> Iterator[Watched]:
    """The product as it runs, with a first agent."""
    product = Product(home, settings=settings)
    product.start()
    try:
        (web,) = [
            child for child in psutil.Process(product.process.pid).children() if "serve" in child.cmdline()
        ]
        ((device, key),) = product.enroll("flooded-01")
        watched = Watched(product, web, device, key)
        with watched.agent():
            wait_for("a first report", lambda: watched.statuses[200] > 20)
        yield watched
    finally:
        product.stop()
