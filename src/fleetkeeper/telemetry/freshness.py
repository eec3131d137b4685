"""Keeps `latest`, vital signs and `last_seen` current: once a second for all that reported, not per frame."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
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
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Freshness:
    """What devices reported since the last flush of this process."""

    database: Database
    presence_seconds: float
    _newest: dict[bytes, PendingFrame] = field(default_factory=dict)
    _flushed_ts: dict[bytes, int] = field(default_factory=dict)
    _present_until: dict[bytes, float] = field(default_factory=dict)
    _flusher: Periodic = field(init=False)

    def __post_init__(self) -> None:
        self._flusher = Periodic("freshness", FLUSH_SECONDS, self._try_flush)

    def note(self, frame: PendingFrame) -> None:
        """A frame became durable."""
        known = self._newest.get(frame.device_id)
        if known is None or known.ts_us < frame.ts_us:
            self._newest[frame.device_id] = frame

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

    async def flush(self, newest: dict[bytes, PendingFrame]) -> None:
        """Write what is newer than before, in one transaction."""
        now = time.monotonic()
        newer = {key: item for key, item in newest.items() if item.ts_us > self._flushed_ts.get(key, 0)}
        present = [key for key in newest if self._present_until.get(key, 0) <= now]
        ordered = sorted(newer)
        async with self.database.session(product_context("job", "telemetry.freshness")) as session:
            if ordered:
                await queries.store_latest(
                    session, [(UUID(bytes=key), _moment(newer[key].ts_us)) for key in ordered]
                )
                await devices.record_vitals(session, [_vitals(newer[key]) for key in ordered])
            if present:
                seen = datetime.now(UTC)
                await devices.record_presence(session, [(UUID(bytes=key), seen) for key in sorted(present)])
        self._flushed_ts.update((key, item.ts_us) for key, item in newer.items())
        self._present_until.update(dict.fromkeys(present, now + self.presence_seconds))


def _moment(ts_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=ts_us)


def _vitals(frame: PendingFrame) -> dict[str, Any]:
    signs: dict[str, Any] = {
        sign: float(frame.values[place]) if (place := frame.plan.vitals.get(sign)) is not None else None
        for sign in ("cpu_percent", "memory_percent", "disk_percent")
    }
    return {"device_id": UUID(bytes=frame.device_id), "ts": _moment(frame.ts_us)} | signs
