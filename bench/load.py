"""A load generator for HTTP on loopback that leaves the processors to what is measured.

One thread, one epoll object, requests built before the run; only timestamps are patched between two uses of
the same bytes, so that each (device, ts) is sent once. A closed loop: each connection has one request in
flight. Each answer is read to its end and checked.
"""

import math
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

LOOPBACK = "127.0.0.1"
_READ_BYTES = 65_536


@dataclass
class Request:
    """One request's bytes and where its timestamps stand."""

    data: bytearray
    offsets: tuple[int, ...]
    """Where the timestamp of each frame begins."""


@dataclass
class Plan:
    """What to send: requests in the order of use, `devices` of them for each moment."""

    name: str
    requests: Sequence[Request]
    devices: int
    frames_per_request: int
    values_per_frame: int
    nanoseconds: bool
    """Whether timestamps are whole nanoseconds (Influx line protocol) or seconds with three decimals."""
    expect: bytes
    """A part of each good answer."""
    start_ms: int
    step_ms: int

    def prepare(self, number: int) -> bytearray:
        """Return the bytes of the number-th request, with timestamps that were not sent before."""
        request = self.requests[number % len(self.requests)]
        data = request.data
        moment = self.start_ms + (number // self.devices) * self.frames_per_request * self.step_ms
        for offset in request.offsets:
            if self.nanoseconds:
                data[offset : offset + 19] = b"%d000000" % moment
            else:
                data[offset : offset + 14] = b"%d.%03d" % divmod(moment, 1000)
            moment += self.step_ms
        return data


@dataclass
class Outcome:
    """What came of a run. Latencies are in seconds."""

    seconds: float = 0.0
    acknowledged: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    generator_cpu_seconds: float = 0.0
    acknowledged_in_all: int = 0
    """The warm-up included: what must be found in the database afterwards, at least."""
    sent: int = 0
    """Number of requests sent, the warm-up included: where the next run's timestamps may begin."""

    @property
    def requests_per_second(self) -> float:
        """Acknowledged requests per second."""
        return self.acknowledged / self.seconds if self.seconds else 0.0

    def quantile_ms(self, share: float) -> float:
        """Return a quantile of the latencies, in milliseconds; NaN when nothing was acknowledged."""
        return float(np.quantile(np.frombuffer(self.latencies), share)) * 1e3 if self.latencies else math.nan


class _Connection:
    """One socket with one request in flight."""

    __slots__ = ("_address", "answer", "rest", "sent_at", "sock")

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self.answer = b""
        self.rest: memoryview | None = None
        self.sent_at = 0.0
        self.connect()

    def connect(self) -> None:
        self.sock = socket.create_connection(self._address, timeout=5.0)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.setblocking(False)

    def send(self, data: bytearray) -> bool:
        """Send; returns False when the socket's buffer is full and a part is left in `rest`."""
        self.answer = b""
        try:
            done = self.sock.send(data)
        except BlockingIOError:
            done = 0
        if done == len(data):
            return True
        self.rest = memoryview(data)[done:]
        return False

    def send_rest(self) -> bool:
        assert self.rest is not None
        try:
            self.rest = self.rest[self.sock.send(self.rest) :]
        except BlockingIOError:
            return False
        if len(self.rest):
            return False
        self.rest = None
        return True


def _end_of_answer(answer: bytes) -> tuple[int, bool]:
    """Return the answer's status (0 while it is not complete) and whether the server will close."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return 0, False
    status = int(answer[9:12])
    fields = answer[:head].lower()
    closes = b"connection: close" in fields
    if status == 204:
        return status, closes
    at = fields.find(b"content-length:")
    if at < 0:
        chunked = answer.endswith(b"0\r\n\r\n") and b"chunked" in fields
        return (status if chunked else 0), closes
    end = fields.find(b"\r", at)
    length = int(fields[at + 15 : end if end > 0 else None])
    return (status if len(answer) >= head + 4 + length else 0), closes


def _retry_after(answer: bytes) -> float:
    fields = answer.lower()
    at = fields.find(b"retry-after:")
    if at < 0:
        return 0.1
    try:
        return min(float(fields[at + 12 : fields.find(b"\r", at)]), 5.0)
    except ValueError:
        return 0.1


class Generator:
    """Sends a plan over a number of connections for a number of seconds, or up to `max_requests`."""

    def __init__(self, plan: Plan, port: int, *, connections: int, rate: float = math.inf) -> None:
        """With a `rate`, at most so many requests per second are sent, evenly spread."""
        self._plan = plan
        self._interval = 1 / rate
        self._next_at = 0.0
        self._epoll = select.epoll()
        self._number = 0
        self._most = 0
        self._unanswered = 0
        self._by_fd: dict[int, _Connection] = {}
        self._paused: list[tuple[float, _Connection]] = []
        for _ in range(connections):
            connection = _Connection((LOOPBACK, port))
            self._by_fd[connection.sock.fileno()] = connection
            self._epoll.register(connection.sock, select.EPOLLIN)

    def run(
        self,
        seconds: float,
        *,
        warm_up: float = 1.0,
        max_requests: int = 50_000_000,
        on_counting: Callable[[], None] = lambda: None,
    ) -> Outcome:
        """Send and count. What is answered within the first `warm_up` seconds is sent, but not counted.

        The answers to the last of `max_requests` are waited for; those to what is under way at the end of the time
        are not.
        """
        outcome = Outcome()
        self._most = max_requests
        clock = time.perf_counter
        begin = clock()
        counting_from = begin + warm_up
        deadline = counting_from + seconds
        cpu = time.process_time()
        counted, warm = False, 0
        self._next_at = begin
        for connection in list(self._by_fd.values()):
            self._send_in_turn(connection, clock())
        while (now := clock()) < deadline and (self._unanswered or self._paused):
            if not counted and now >= counting_from:
                warm = outcome.acknowledged
                counted, outcome, cpu, counting_from = True, Outcome(), time.process_time(), now
                on_counting()
            for connection in self._due(now):
                self._send(connection, now)
            for fd, event in self._epoll.poll(self._patience(now)):
                connection = self._by_fd[fd]
                if event & select.EPOLLOUT and connection.rest is not None:
                    if connection.send_rest():
                        self._epoll.modify(fd, select.EPOLLIN)
                    continue
                self._receive(connection, outcome)
        outcome.seconds = clock() - counting_from
        outcome.generator_cpu_seconds = time.process_time() - cpu
        outcome.acknowledged_in_all = outcome.acknowledged + warm
        outcome.sent = self._number
        self._close()
        return outcome

    def _due(self, now: float) -> list[_Connection]:
        if not self._paused:
            return []
        due = [connection for at, connection in self._paused if at <= now]
        self._paused = [(at, connection) for at, connection in self._paused if at > now]
        return due

    def _patience(self, now: float) -> float:
        """Seconds to wait for an answer: until the next request is due, 50 ms at most."""
        return max(0.0, min([0.05, *(at - now for at, _ in self._paused)]))

    def _send_in_turn(self, connection: _Connection, now: float) -> None:
        """Send now, or when the rate allows it."""
        at = self._next_at
        self._next_at = max(at, now - 1.0) + self._interval
        if at <= now:
            self._send(connection, now)
        else:
            self._paused.append((at, connection))

    def _send(self, connection: _Connection, now: float) -> None:
        if self._number >= self._most:
            return
        self._unanswered += 1
        data = self._plan.prepare(self._number)
        self._number += 1
        connection.sent_at = now
        if not connection.send(data):
            self._epoll.modify(connection.sock, select.EPOLLIN | select.EPOLLOUT)

    def _receive(self, connection: _Connection, outcome: Outcome) -> None:
        try:
            data = connection.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            outcome.unexpected["connection closed"] += 1
            self._unanswered -= 1
            self._reconnect(connection)
            self._send(connection, time.perf_counter())
            return
        answer = connection.answer + data if connection.answer else data
        status, closes = _end_of_answer(answer)
        if not status:
            connection.answer = answer
            return
        now = time.perf_counter()
        self._unanswered -= 1
        outcome.statuses[str(status)] += 1
        if 200 <= status < 300 and self._plan.expect in answer:
            outcome.acknowledged += 1
            outcome.latencies.append(now - connection.sent_at)
        else:
            text = answer.partition(b"\r\n\r\n")[2][:200].decode(errors="replace")
            outcome.unexpected[f"{status} {text}"] += 1
        if closes:
            self._reconnect(connection)
        if status in {429, 503}:
            self._paused.append((now + _retry_after(answer), connection))
        else:
            self._send_in_turn(connection, now)

    def _reconnect(self, connection: _Connection) -> None:
        self._epoll.unregister(connection.sock)
        del self._by_fd[connection.sock.fileno()]
        connection.sock.close()
        connection.rest = None
        connection.connect()
        self._by_fd[connection.sock.fileno()] = connection
        self._epoll.register(connection.sock, select.EPOLLIN)

    def _close(self) -> None:
        for connection in self._by_fd.values():
            connection.sock.close()
        self._epoll.close()
