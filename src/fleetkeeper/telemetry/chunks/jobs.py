"""Sealing and merging, device after device."""

import time
from collections.abc import AsyncIterator, Sequence
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
_FILL = 0.7
# A step holds as much on the server as it does here; and one core is enough for what nobody waits for.
_PLANNING = "-c work_mem=64MB -c max_parallel_workers_per_gather=0"
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
        options=f"-c timezone=UTC -c lock_timeout=10s -c statement_timeout=600s {_PLANNING} {WHOLE_FLEET_OPTION}",
    )
    async with connection:
        yield connection


async def seal_frames(url: str, settings: TelemetrySettings, *, now: float | None = None) -> Work:
    """Seal what is due: old frames, and frames of devices that have many. Any number of workers may do so at once."""
    now_us = round((time.time() if now is None else now) * _SECOND)
    settled_us = now_us - settings.seal_settle_seconds * _SECOND
    aged_us = now_us - settings.seal_after_minutes * 60 * _SECOND
    work, after, at_once = Work(), None, 8
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
            work.devices += len(due)
            place = 0
            while place < len(due):
                some = due[place : place + at_once]
                fullness = await _seal(connection, some, settled_us, work)
                place += len(some)
                # As many as fill most of what one step may hold, found out step by step.
                at_once = round(min(len(some) * _FILL / max(fullness, 0.001), 4 * at_once)) or 1
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


async def _seal(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], until_us: int, work: Work
) -> float:
    """Seal devices together, or in halves where that does not go; returns how full the fullest step was."""
    fullest = 0.0
    while True:
        try:
            sealed = await service.seal_devices(connection, device_ids, until_us)
        except (queries.TooManyFramesError, *_MET_ANOTHER) as error:
            if len(device_ids) == 1:
                log.info(
                    "a device was left for later", device=str(device_ids[0]), reason=type(error).__name__
                )
                return fullest
            half = len(device_ids) // 2
            first = await _seal(connection, device_ids[:half], until_us, work)
            second = await _seal(connection, device_ids[half:], until_us, work)
            # Together they were too much.
            return max(1.0, first + second)
        if sealed is None:
            return fullest
        work.frames += sealed.frames
        work.samples += sealed.samples
        work.blob_bytes += sealed.blob_bytes
        fullest = max(fullest, sealed.fullness)
        if sealed.is_finished:
            return fullest
