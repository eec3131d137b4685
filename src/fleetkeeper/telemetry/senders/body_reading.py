"""Reads bodies for one web process: small ones at once, others in threads, of which no caller has them all."""

import asyncio
from collections.abc import Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass

from fleetkeeper.errors import OverloadedError, TooLargeError
from fleetkeeper.kit.fair_places import FairPlaces
from fleetkeeper.kit.while_connected import Receive, while_connected
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.senders.batches import SampleBatch, SeriesCache
from fleetkeeper.telemetry.senders.effort import Effort

# Larger bodies, packed or unpacked, are read in a thread, so that other requests go on meanwhile.
AT_ONCE_BYTES = 16 * 1024
# One for whoever asks, and one more for callers who have none: two callers are read for at once.
READERS, MORE_READERS = 1, 1
PATIENCE_SECONDS = 20.0

Reader = Callable[[bytes, SeriesCache, Effort], SampleBatch]


@dataclass(frozen=True)
class Packed:
    """A body as it came.

    `unpack` makes at most so many bytes of it, or raises TooLargeError; `receive` says when the sender has gone.
    """

    content: bytes
    unpack: Callable[[bytes, int], bytes]
    max_bytes: int
    receive: Receive

    def whole(self) -> bytes:
        """The body. Raises SenderInputError, BadRequestError and TooLargeError."""
        return self.unpack(self.content, self.max_bytes)

    def small(self) -> bytes | None:
        """The body, if it is small both ways."""
        if len(self.content) > AT_ONCE_BYTES:
            return None
        with suppress(TooLargeError):
            return self.unpack(self.content, min(AT_ONCE_BYTES, self.max_bytes))
        return None


class BodyReading:
    """The readers, and who waits for one."""

    def __init__(self, limits: TelemetrySettings) -> None:
        self._limits = limits
        most = limits.max_sender_requests_in_flight
        self._places = FairPlaces(READERS, MORE_READERS, waiting=most, waiting_of_one=most // 2)

    async def read(self, reader: Reader, body: Packed, known: SeriesCache, caller: Hashable) -> SampleBatch:
        """What is in a body. Raises SenderInputError, OverloadedError, TooLargeError and CallerGoneError."""
        effort = Effort(self._limits.max_samples_per_request, seconds=self._limits.max_reading_seconds)
        small = body.small()
        if small is not None:
            return reader(small, known, effort)

        async def read_aside() -> SampleBatch:
            async with self._places.place(caller, PATIENCE_SECONDS):
                return await _in_thread(lambda: reader(body.whole(), known, effort), effort)

        try:
            return await while_connected(body.receive, read_aside())
        except TimeoutError:
            raise OverloadedError("Too many large requests at once.", retry_after_seconds=5) from None


async def _in_thread(read: Callable[[], SampleBatch], effort: Effort) -> SampleBatch:
    """What `read` makes, or its end soon after a cancellation: the thread is at work until then."""
    work = asyncio.ensure_future(asyncio.to_thread(read))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        effort.drop()
        await asyncio.gather(work, return_exceptions=True)
        raise
