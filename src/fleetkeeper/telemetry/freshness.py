"""Keeps `latest`, vital signs and `last_seen` current: once a second for all that reported, not per frame.

A frame whose time lies ahead of this server's clock counts as if it were a minute old when it arrived: so a clock that
is wrong once hides nothing that is right, and one that is always wrong shows what it says last.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.devices import queries as devices
from fleetkeeper.kit.periodic import Periodic
from fleetkeeper.telemetry import queries
from fleetkeeper.telemetry.frames import PendingFrame

log = structlog.get_logger(__name__)

FLUSH_SECONDS = 1.0
# Clocks that differ by less are right.
TOLERANCE_US = 5_000_000
DISTRUST_US = 60_000_000
_SIGNS = ("cpu_percent", "memory_percent", "disk_percent")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Arrived(NamedTuple):
    """A frame, and when it arrived, in microseconds since 1970."""

    frame: PendingFrame
    at_us: int

    @property
    def rank(self) -> tuple[int, int]:
        """What decides which of two is newer: the time it counts as, then its own."""
        ts_us = self.frame.ts_us
        is_ahead = ts_us > self.at_us + TOLERANCE_US
        return (self.at_us - DISTRUST_US if is_ahead else ts_us), ts_us

    @property
    def skew_seconds(self) -> float:
        """How far its time lies ahead of its arrival; behind it is below zero, though that may be the way it took."""
        skew_us = self.frame.ts_us - self.at_us
        return round(skew_us / 1e6, 1) if abs(skew_us) > TOLERANCE_US else 0.0


@dataclass
class Freshness:
    """What devices reported since the last flush of this process."""

    database: Database
    presence_seconds: float
    # By device and part.
    _newest: dict[tuple[bytes, int], Arrived] = field(default_factory=dict)
    # What the newest one that was written counts as.
    _flushed: dict[tuple[bytes, int], int] = field(default_factory=dict)
    _present_until: dict[bytes, float] = field(default_factory=dict)
    _flusher: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._flusher = Periodic("freshness", FLUSH_SECONDS, self._try_flush)

    def note(self, frame: PendingFrame) -> None:
        """A frame became durable."""
        key = frame.device_id, frame.part
        known, arrived = self._newest.get(key), Arrived(frame, time.time_ns() // 1000)
        if known is None or known.rank < arrived.rank:
            self._newest[key] = arrived

    def start(self) -> None:
        """Begin to flush."""
        self._flusher.start()

    async def stop(self) -> None:
        """Flush once more and end."""
        await self._flusher.stop()
        await self._try_flush()

    async def _try_flush(self) -> None:
        newest, self._newest = self._newest, {}
        if not newest:
            return
        try:
            await self.flush(newest)
        except (SQLAlchemyError, OSError) as error:
            log.warning("latest values were not written", reason=str(error).splitlines()[0])
            self._newest = newest | self._newest

    async def flush(self, newest: dict[tuple[bytes, int], Arrived]) -> None:
        """Write what is newer than before, in one transaction."""
        now = time.monotonic()
        newer = {key: item for key, item in newest.items() if self._is_newer(key, item)}
        present = [key for key in {device for device, _ in newest} if self._present_until.get(key, 0) <= now]
        async with self.database.session(product_context("job", "telemetry.freshness")) as session:
            if newer:
                await queries.store_latest(
                    session,
                    [
                        (UUID(bytes=device), _moment(newer[device, part].frame.ts_us), part)
                        for device, part in sorted(newer)
                    ],
                )
                await devices.record_vitals(session, _vitals(newer))
            if present:
                seen = datetime.now(UTC)
                await devices.record_presence(session, [(UUID(bytes=key), seen) for key in sorted(present)])
        self._flushed.update((key, item.rank[0]) for key, item in newer.items())
        self._present_until.update(dict.fromkeys(present, now + self.presence_seconds))

    def _is_newer(self, key: tuple[bytes, int], item: Arrived) -> bool:
        # A partial frame may have been completed since, and one that is ahead have come again.
        return item.rank[0] >= self._flushed.get(key, 0)


def _moment(ts_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ts_us)


def _vitals(newest: dict[tuple[bytes, int], Arrived]) -> list[dict[str, Any]]:
    """The vital signs of each device, put together from its parts."""
    found: dict[bytes, dict[str, Any]] = {}
    for (device, _), item in sorted(newest.items(), key=lambda item: (item[0][0], item[1].rank)):
        signs = found.setdefault(device, {"device_id": UUID(bytes=device)} | dict.fromkeys(_SIGNS))
        signs["ts"] = _moment(item.frame.ts_us)
        signs["skew"] = item.skew_seconds
        signs.update((sign, value) for sign in _SIGNS if (value := item.frame.vital(sign)) is not None)
    return list(found.values())
