"""Who waits for something to happen to a request: one reader per process asks the database for all of them."""

import asyncio
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.device_requests.responses.queries import marks_of, ready_of
from fleetkeeper.kit.periodic import Periodic

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
_CONTEXT = product_context("job", "device_requests.watch")
# The newest responses of all connected devices that one look finds; the rest is found by the next ones.
MOST_READY = 10_000
Mark = tuple[int, int]


@dataclass(eq=False)
class _Waiter:
    known: Mark
    changed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(eq=False)
class _DeviceWaiter:
    sent: Collection[UUID]
    has_news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class RequestWatch:
    """Everyone who waits in this process. Nobody holds a database session meanwhile."""

    database: Database
    _waiters: dict[UUID, set[_Waiter]] = field(default_factory=lambda: defaultdict(set))
    _devices: dict[UUID, set[_DeviceWaiter]] = field(default_factory=lambda: defaultdict(set))
    _closing: bool = False
    _reader: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._reader = Periodic("request watch", POLL_SECONDS, self._ask)

    def start(self) -> None:
        """Begin to ask."""
        self._reader.start()

    async def stop(self) -> None:
        """Let all go who wait, and end the asking."""
        self._closing = True
        self._wake_all()
        await self._reader.stop()

    async def wait(self, request_id: UUID, known: Mark, seconds: float) -> bool:
        """Wait until a request is another than the `known` one, so long at most; returns whether it is."""
        if self._closing:
            return False
        waiter = _Waiter(known)
        self._waiters[request_id].add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter.changed.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters[request_id].discard(waiter)
            if not self._waiters[request_id]:
                del self._waiters[request_id]
        return True

    async def wait_for_device(self, device_id: UUID, sent: Collection[UUID], seconds: float) -> None:
        """Wait until a device has a response that is ready and not among the `sent` requests, so long at most."""
        if self._closing:
            return
        waiter = _DeviceWaiter(sent)
        self._devices[device_id].add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter.has_news.wait()
        except TimeoutError:
            return
        finally:
            self._devices[device_id].discard(waiter)
            if not self._devices[device_id]:
                del self._devices[device_id]

    def _wake_all(self) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.changed.set()
        for devices in self._devices.values():
            for device in devices:
                device.has_news.set()

    async def _ask(self) -> None:
        if not self._waiters and not self._devices:
            return
        try:
            async with self.database.session(_CONTEXT) as session:
                marks = await marks_of(session, list(self._waiters)) if self._waiters else {}
                ready = await ready_of(session, list(self._devices), MOST_READY) if self._devices else []
        except (SQLAlchemyError, OSError) as error:
            log.warning("waiting devices wait for the database", reason=str(error).splitlines()[:1])
            return
        for request_id, waiters in self._waiters.items():
            for waiter in waiters:
                if marks.get(request_id) != waiter.known:
                    waiter.changed.set()
        for device_id, request_id in ready:
            for device in self._devices.get(device_id, ()):
                if request_id not in device.sent:
                    device.has_news.set()
