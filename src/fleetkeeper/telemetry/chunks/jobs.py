"""Sealing and merging, device after device."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from psycopg import AsyncConnection, errors

from fleetkeeper.database.context import WHOLE_FLEET_OPTION
from fleetkeeper.settings.telemetry import TelemetrySettings
from fleetkeeper.telemetry.chunks import queries, service
from fleetkeeper.telemetry.chunks.blocks import DAY

log = structlog.get_logger(__name__)

_SECOND = 1_000_000
_DEVICES_AT_ONCE = 500
_DAYS_AT_ONCE = 500
# Another process changed the device's rows in between; the next run finds them again.
_MET_ANOTHER = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.UniqueViolation,
    errors.CheckViolation,
)


@dataclass
class Work:
    """What a run did."""

    devices: int = 0
    frames: int = 0
    samples: int = 0
    blob_bytes: int = 0
    merged_days: int = 0
    dropped_days: int = 0


@asynccontextmanager
async def sealing_connection(url: str) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection that sees the whole fleet and is idle between steps."""
    connection = await AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        application_name="fleetkeeper sealer",
        options=f"-c timezone=UTC -c lock_timeout=10s -c statement_timeout=600s {WHOLE_FLEET_OPTION}",
    )
    async with connection:
        yield connection


async def seal_frames(url: str, settings: TelemetrySettings, *, now: float | None = None) -> Work:
    """Seal what is due: old frames, and frames of devices that have many. Any number of workers may do so at once."""
    now_us = round((time.time() if now is None else now) * _SECOND)
    settled_us = now_us - settings.seal_settle_seconds * _SECOND
    aged_us = now_us - settings.seal_after_minutes * 60 * _SECOND
    work, after = Work(), None
    async with sealing_connection(url) as connection:
        while True:
            due = await queries.due_devices(
                connection,
                settled_us=settled_us,
                aged_us=aged_us,
                frames=settings.seal_after_frames,
                after=after,
                limit=_DEVICES_AT_ONCE,
            )
            for device_id in due:
                await _seal_device(connection, device_id, settled_us, work)
            if len(due) < _DEVICES_AT_ONCE:
                break
            after = due[-1]
        cursor = await connection.execute("SELECT drop_empty_frame_days()")
        row = await cursor.fetchone()
        work.dropped_days = int(row[0]) if row else 0
    return work


async def merge_chunks(url: str, *, now: float | None = None) -> Work:
    """Make day-sized chunks of the days that are over. Any number of workers may do so at once."""
    today_us = round((time.time() if now is None else now) * _SECOND) // DAY * DAY
    work, after = Work(), (-1, UUID(int=0))
    async with sealing_connection(url) as connection:
        while True:
            days = await queries.scattered_days(connection, today_us, after, _DAYS_AT_ONCE)
            for day, device_id in days:
                try:
                    work.merged_days += bool(await service.merge_day(connection, device_id, day))
                except _MET_ANOTHER as error:
                    log.info("a day was left for later", device=str(device_id), reason=type(error).__name__)
            if len(days) < _DAYS_AT_ONCE:
                return work
            after = days[-1]


async def _seal_device(connection: AsyncConnection[Any], device_id: UUID, until_us: int, work: Work) -> None:
    work.devices += 1
    while True:
        try:
            sealed = await service.seal_device(connection, device_id, until_us)
        except _MET_ANOTHER as error:
            log.info("a device was left for later", device=str(device_id), reason=type(error).__name__)
            return
        if sealed is None:
            return
        work.frames += sealed.frames
        work.samples += sealed.samples
        work.blob_bytes += sealed.blob_bytes
        if sealed.is_finished:
            return
