"""Server-Sent Events of new frames: one reader per process asks the database once a second for all who watch."""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.addresses import customer_of
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.kit.places import Places
from fleetkeeper.telemetry import catalogue, queries
from fleetkeeper.telemetry.host_mark import HOST_MARK, key_with_host

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
# A device's parts of one moment come one by one, and not always in order: so much before its newest frame is looked
# at, and all that is ahead of the clock. What is older when it comes is history.
WINDOW = timedelta(seconds=15)
# What is told to the first who watches a device: so much of the past, and of the future so many frames.
FIRST_WINDOW = timedelta(seconds=2 * POLL_SECONDS)
FIRST_AHEAD = 20
_EVER = datetime(1970, 1, 1, tzinfo=UTC)
# Frames that are told at once; the rest comes with the next look.
MAX_FRAMES = 2000
# How long somebody goes on seeing what they may no longer see.
RECHECK_SECONDS = 5.0
# Events that a slow browser may leave unread before the oldest are dropped.
MAX_UNREAD = 100
_encoder = msgspec.json.Encoder()


@dataclass(eq=False)
class Watcher:
    """One open stream."""

    devices: frozenset[UUID]
    events: "asyncio.Queue[bytes]" = field(default_factory=lambda: asyncio.Queue(MAX_UNREAD))

    def put(self, event: bytes) -> None:
        """Hand an event over; the oldest gives way when too many are unread."""
        if self.events.full():
            self.events.get_nowait()
        self.events.put_nowait(event)


@dataclass
class FrameStream:
    """Everyone who watches in this process."""

    database: Database
    # How many there may be, of one user and of one address.
    places: Places
    places_by_address: Places
    _watchers: set[Watcher] = field(default_factory=set)
    # Of those frames the ones that were told already: their times and parts.
    _told: dict[UUID, set[tuple[datetime, int]]] = field(default_factory=dict)
    # Where each device's window began.
    _since: dict[UUID, datetime] = field(default_factory=dict)
    _keys: dict[int, list[str]] = field(default_factory=dict)
    _closing: bool = False
    _reader: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._reader = Periodic("frame stream", POLL_SECONDS, self._ask)

    def start(self) -> None:
        """Begin to ask."""
        self._reader.start()

    def close(self) -> None:
        """End all streams; a server that shuts down waits for them."""
        self._closing = True
        for watcher in self._watchers:
            watcher.put(b"")

    async def stop(self) -> None:
        """End all streams and the asking."""
        self.close()
        await self._reader.stop()

    def take_place(self, user: Hashable, address: str) -> contextlib.ExitStack:
        """Places for one view, which end with it. Raises OverloadedError when too many are open."""
        with contextlib.ExitStack() as taken:
            taken.enter_context(self.places.take(user))
            taken.enter_context(self.places_by_address.take(customer_of(address)))
            return taken.pop_all()

    async def events(
        self, devices: frozenset[UUID], may_still_watch: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[bytes]:
        """The events of some devices as SSE, from now on, for as long as the watcher may see them."""
        watcher = Watcher(devices)
        self._watchers.add(watcher)
        try:
            yield b"retry: 2000\n\n"
            check_at = time.monotonic() + RECHECK_SECONDS
            while not self._closing:
                event = b": still here\n\n"
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RECHECK_SECONDS):
                        event = await watcher.events.get()
                if time.monotonic() >= check_at:
                    if not await self._is_allowed(may_still_watch):
                        return
                    check_at = time.monotonic() + RECHECK_SECONDS
                yield event
        finally:
            self._watchers.discard(watcher)

    @staticmethod
    async def _is_allowed(may_still_watch: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await may_still_watch()
        except (SQLAlchemyError, OSError):
            # Without a database there is nothing to show either.
            return True

    async def _ask(self) -> None:
        if not self._watchers:
            self._told.clear()
            self._since.clear()
            return
        try:
            await self._deliver()
        except (SQLAlchemyError, OSError) as error:
            log.warning("live views wait for the database", reason=str(error).splitlines()[0])

    async def _deliver(self) -> None:
        watched: dict[UUID, list[Watcher]] = defaultdict(list)
        for watcher in self._watchers:
            for device in watcher.devices:
                watched[device].append(watcher)
        now = utc_now()
        async with self.database.session(product_context("job", "telemetry.stream")) as session:
            since = [(device, self._since.get(device, _EVER)) for device in sorted(watched)]
            there: dict[UUID, list[tuple[datetime, int]]] = {device: [] for device in watched}
            for row in await queries.newest_frame_keys(session, since, now, WINDOW):
                there[row.device_id].append((row.ts, row.part))
            self._told = {device: self._told_of(device, keys, now) for device, keys in there.items()}
            self._since = {device: _window_begin(there[device], before, now) for device, before in since}
            new = sorted(
                (*key, device)
                for device, keys in there.items()
                for key in keys
                if key not in self._told[device]
            )
            wanted = [(device, ts, part) for ts, part, device in new[:MAX_FRAMES]]
            frames = await queries.frames_by_key(session, wanted) if wanted else ()
            unknown = {frame.layout_id for frame in frames} - self._keys.keys()
            if unknown:
                self._keys.update(await queries.layout_keys(session, sorted(unknown)))
            marked = {frame.device_id for frame in frames if self._is_marked(frame.layout_id)}
            hosts = await catalogue.hosts_of(session, marked) if marked else {}
        for frame in frames:
            self._told[frame.device_id].add((frame.ts, frame.part))
            keys = self._keys.get(frame.layout_id, [])
            if frame.device_id in hosts:
                keys = [key_with_host(key, hosts[frame.device_id]) for key in keys]
            event = _event(frame, keys)
            for watcher in watched[frame.device_id]:
                watcher.put(event)

    def _told_of(
        self, device: UUID, there: Sequence[tuple[datetime, int]], now: datetime
    ) -> set[tuple[datetime, int]]:
        """Which of a device's frames (newest first) are not told: they were, or were there before it was watched."""
        told = self._told.get(device)
        if told is not None:
            return told.intersection(there)
        ahead = [key for key in there if key[0] > now]
        return {key for key in there if key[0] <= now - FIRST_WINDOW} | set(ahead[FIRST_AHEAD:])

    def _is_marked(self, layout_id: int) -> bool:
        return any(HOST_MARK in key for key in self._keys.get(layout_id, ()))


def _window_begin(there: Sequence[tuple[datetime, int]], before: datetime, now: datetime) -> datetime:
    """Where the window of a device with these frames (newest first) begins; it never moves back."""
    newest = next((ts for ts, _ in there if ts <= now), None)
    return before if newest is None else max(before, newest - WINDOW)


class LiveView(StreamingResponse):
    """An answer that goes on, and gives its places back whatever becomes of it."""

    def __init__(self, events: AsyncIterator[bytes], places: contextlib.ExitStack) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(events, media_type="text/event-stream", headers=headers)
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until one side ends."""
        with self._places:
            await super().__call__(scope, receive, send)


def _event(frame: Any, keys: list[str]) -> bytes:
    values = {key: value for key, value in zip(keys, frame.values, strict=False) if value is not None}
    document = {"device": str(frame.device_id), "ts": frame.ts.timestamp(), "values": values}
    return b"event: frame\ndata: " + _encoder.encode(document) + b"\n\n"
