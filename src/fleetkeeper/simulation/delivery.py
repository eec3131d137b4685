"""Sending: a bounded number of connections, a bounded queue, retries as the server asks for them."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, Protocol

import msgspec

from fleetkeeper.simulation.http import Address, Answer, Connection
from fleetkeeper.simulation.tally import Tally, without_numbers
from fleetkeeper_protocol.messages import TelemetryAccepted

TELEMETRY_PATH: Final = "/api/v1/telemetry"
_RETRIED: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_DELAY_SECONDS: Final = 60.0
_MAX_ATTEMPTS: Final = 30


class Clock(Protocol):
    """Where time comes from; tests bring their own."""

    def now(self) -> float:
        """Return epoch seconds."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return epoch seconds."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class Message(NamedTuple):
    """One request to send."""

    path: str
    headers: dict[str, str]
    body: bytes
    frames: int = 0
    """Number of frames in a telemetry request, 0 in others."""
    samples: int = 0
    give_up_at: float | None = None
    """When the message has lost its worth (epoch seconds): the device would have dropped it from its spool.
    """


async def deliver(connection: Connection, message: Message, clock: Clock, tally: Tally) -> Answer | None:
    """Send a message until the server answers with something final; None when it was given up.

    Waits as long as `Retry-After` says on 429 and 503, and ever longer where the server does not say.
    """
    for attempt in range(_MAX_ATTEMPTS):
        begin = time.perf_counter()
        delay: float | None = None
        try:
            answer = await connection.post(message.path, message.headers, message.body)
        except OSError as error:
            tally.retries[f"no answer ({type(error).__name__})"] += 1
        else:
            if answer.status not in _RETRIED:
                tally.requests += 1
                tally.latencies.add((time.perf_counter() - begin) * 1e3)
                return answer
            tally.retries[f"HTTP {answer.status}"] += 1
            delay = answer.retry_after_seconds
        if delay is None:
            delay = min(0.25 * 2.0**attempt, 10.0)
        delay = min(delay, _LONGEST_DELAY_SECONDS)
        if message.give_up_at is not None and clock.now() + delay > message.give_up_at:
            tally.late += message.frames
            return None
        await clock.sleep(delay)
    tally.failures[f"given up after {_MAX_ATTEMPTS} attempts"] += 1
    return None


def count_answer(answer: Answer, message: Message, tally: Tally) -> None:
    """Count what the server made of a message."""
    if not 200 <= answer.status < 300:
        if message.frames:
            tally.reject(f"HTTP {answer.status}; {answer.problem()}", message.frames)
        else:
            why = without_numbers(f"HTTP {answer.status}; {answer.problem()}")
            tally.failures[f"{why} ({message.path})"] += 1
        return
    if not message.frames:
        return
    try:
        accepted = msgspec.json.decode(answer.body, type=TelemetryAccepted)
    except msgspec.DecodeError as error:
        tally.failures[f"unreadable answer: {error}"] += 1
        return
    tally.accepted += accepted.accepted
    tally.duplicates += accepted.duplicates
    tally.samples += message.samples * accepted.accepted // message.frames
    for rejected in accepted.rejected:
        tally.reject(f"{rejected.field}: {rejected.error}")


class Outbox:
    """A queue of messages, and the connections that empty it."""

    def __init__(
        self, address: Address, clock: Clock, tally: Tally, *, connections: int, capacity: int
    ) -> None:
        self._clock = clock
        self._tally = tally
        self._queue: asyncio.Queue[Message] = asyncio.Queue(capacity)
        self._connections = [Connection(address) for _ in range(connections)]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator["Outbox"]:
        """Send what is put into the queue; on leaving without an error, wait until all of it is sent."""
        try:
            # The group ends the caller, too, when a sender fails: nobody waits for a queue that none empties.
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._work(connection)) for connection in self._connections]
                yield self
                await self._queue.join()
                for task in tasks:
                    task.cancel()
        finally:
            for connection in self._connections:
                connection.close()

    async def put(self, message: Message) -> None:
        """Queue a message; waits while the queue is full."""
        await self._queue.put(message)

    def offer(self, message: Message) -> None:
        """Queue a message, or count it as late when the queue is full."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._tally.late += message.frames

    async def _work(self, connection: Connection) -> None:
        while True:
            message = await self._queue.get()
            answer = await deliver(connection, message, self._clock, self._tally)
            if answer is not None:
                count_answer(answer, message, self._tally)
            self._queue.task_done()
