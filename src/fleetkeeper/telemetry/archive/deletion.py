"""Deletes telemetry of a device in every tier, step by step; whoever is killed leaves it to be gone on with.

What arrives after the request stays, unless the device itself is gone.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import psycopg
import structlog
from psycopg import IsolationLevel
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import deletion_queries as queries
from fleetkeeper.telemetry.archive import queries as archive
from fleetkeeper.telemetry.archive import service
from fleetkeeper.telemetry.archive.deletion_queries import Request
from fleetkeeper.telemetry.archive.files import DamagedError, Segment
from fleetkeeper.telemetry.archive.models import TelemetryDeletion
from fleetkeeper.telemetry.archive.queries import Connection
from fleetkeeper.telemetry.archive.status import DELETIONS, DeletionState
from fleetkeeper.telemetry.archive.store import StoreError
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY, by_day
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.chunks.service import merge_in, seal_device
from fleetkeeper.telemetry.rollups import queries as rollups
from fleetkeeper.telemetry.rollups import service as rolling
from fleetkeeper.telemetry.rollups.keeping import without
from fleetkeeper.telemetry.rollups.periods import Tier, end_of

log = structlog.get_logger(__name__)

DELETE_TASK = "telemetry.delete"
_ORPHANS_AT_ONCE = 100
_FOR_EVER_US = queries.LAST_DAY * DAY
_LENGTH_DAYS = {Tier.HOUR: 1, Tier.DAY: 1, Tier.WEEK: 7, Tier.MONTH: 31}


class BusyError(Exception):
    """Somebody else is at the device; the job comes again."""


async def carry_out(database: Database, settings: Settings) -> int:
    """Carry out all requests; returns how many are done. Only for the one that holds the archive's lock.

    Devices that are gone and have left telemetry get a request of the product's own.
    """
    done = 0
    async with sealing_connection(database.url) as connection:
        for device_id in await queries.orphans(connection, _ORPHANS_AT_ONCE):
            await connection.execute(
                "INSERT INTO telemetry_deletions (id, device_id, requested_by, reason) "
                "VALUES (%s, %s, 'the product', 'The device was deleted.')",
                (uuid7(), device_id),
            )
        seen: set[UUID] = set()
        while (request := await queries.next_request(connection)) is not None and request.id not in seen:
            seen.add(request.id)
            await _move(database, request, DeletionState.RUNNING)
            try:
                outcome = await delete(connection, settings, request)
            except (BusyError, service.Conflict, psycopg.errors.SerializationFailure):
                log.info("a deletion was left for later", device=str(request.device_id))
                break
            except FileNotFoundError:
                problem = "A file of the archive is not there; `fleetkeeper archive verify` names it."
                await _move(database, request, DeletionState.FAILED, problem)
                continue
            except (StoreError, DamagedError) as error:
                problem = f"The archive could not be rewritten: {error}"
                await _move(database, request, DeletionState.FAILED, problem)
                continue
            await _move(database, request, DeletionState.DONE, outcome=outcome)
            done += 1
    return done


async def _move(
    database: Database,
    request: Request,
    wanted: DeletionState,
    problem: str = "",
    outcome: Mapping[str, Any] | None = None,
) -> None:
    """Keep how far a request is; the audit log keeps what went."""
    async with database.session(product_context("job", DELETE_TASK)) as session:
        deletion = await session.get_one(TelemetryDeletion, request.id, with_for_update=True)
        if deletion.state == wanted:
            # It was interrupted, and goes on.
            return
        await move(session, DELETIONS, deletion, wanted, reason=problem, column="state")
        if wanted in DELETIONS.final:
            deletion.step, deletion.problem, deletion.finished_at = "", problem, utc_now()
        if outcome is not None:
            details = {"request": str(request.id), "metric": request.metric} | dict(outcome)
            await record_event(
                session, "telemetry.deleted", "telemetry", str(request.device_id), details=details
            )


async def cancel(session: AsyncSession, key: str) -> None:
    """Let a deletion not begin, as its run was cancelled; `key` is its ID, or empty for a run of all that wait."""
    deletion = await session.get(TelemetryDeletion, UUID(key), with_for_update=True) if key else None
    if deletion is not None and deletion.state == DeletionState.WAITING:
        deletion.finished_at = utc_now()
        await move(session, DELETIONS, deletion, DeletionState.CANCELLED, column="state")


async def delete(connection: Connection, settings: Settings, request: Request) -> dict[str, int]:
    """Delete what a request names; returns how much went, by tier. Each step may be done again.

    Raises BusyError, and what `rewrite_file` raises.
    """
    channels = await queries.channels_of_metric(connection, request.metric)
    is_gone = request.is_everything and not await queries.is_known(connection, request.device_id)
    outcome: dict[str, int] = {}

    async def step(name: str, count: int) -> None:
        outcome[name] = outcome.get(name, 0) + count
        await queries.note_step(connection, request.id, name, outcome)

    if request.is_everything:
        await step("frames", await queries.delete_frames(connection, request, at_any_time=is_gone))
    else:
        # Frames hold many metrics; sealed, each is by itself.
        await step("frames", await _seal(connection, request))
    await step("latest", await queries.clear_latest(connection, request, channels))
    await step("chunks", await _delete_chunks(connection, request, channels, is_gone=is_gone))
    await step("archive_files", await _rewrite_files(connection, settings, request, channels))
    await step("rollups", await _delete_rollups(connection, request, channels))
    states = await queries.delete_by_device(
        connection, "states", "ts", request, channels=channels, at_any_time=is_gone
    )
    await step("states", states)
    if request.metric is None:
        for table, column in (("process_snapshots", "ts"), ("user_sessions", "login_time")):
            count = await queries.delete_by_device(connection, table, column, request, at_any_time=is_gone)
            await step(table, count)
    if request.is_everything:
        for table in ("rollup_changes", "raw_removed"):
            await step(table, await queries.delete_by_device(connection, table, None, request))
    if is_gone:
        # Last, for they are what an interrupted deletion is found by.
        for table in ("latest", "device_layouts"):
            await step(table, await queries.delete_by_device(connection, table, None, request))
    return outcome


async def _seal(connection: Connection, request: Request) -> int:
    until_us = round(request.requested_at.timestamp() * 1_000_000) + 1
    frames = 0
    try:
        while True:
            sealed = await seal_device(connection, request.device_id, until_us)
            if sealed is None:
                raise BusyError
            frames += sealed.frames
            if sealed.is_finished:
                return frames
    finally:
        await connection.set_isolation_level(None)


async def _delete_chunks(
    connection: Connection, request: Request, channels: Sequence[int] | None, *, is_gone: bool
) -> int:
    await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
    try:
        async with connection.transaction():
            if not await chunks.lock_device(connection, request.device_id):
                raise BusyError
            # What came after the request, and was sealed since, stays.
            after_us = round(request.requested_at.timestamp() * 1_000_000) + 1
            late = await chunks.read_blocks(connection, request.device_id, after_us, _FOR_EVER_US, channels)
            count = await queries.delete_chunks(connection, request, channels)
            if not is_gone and request.days[1] * DAY > after_us:
                parts = [part for block in late for part in by_day(block.between(after_us, _FOR_EVER_US))]
                await merge_in(connection, {request.device_id: parts})
            await archive.delete_lone_axes(connection, request.device_id, *request.days)
            return count
    finally:
        await connection.set_isolation_level(None)


async def _rewrite_files(
    connection: Connection, settings: Settings, request: Request, channels: Sequence[int] | None
) -> int:
    wanted = None if channels is None else frozenset(channels)

    def keep(segment: Segment) -> Segment | None:
        is_theirs = segment.device_id == request.device_id
        return None if is_theirs and (wanted is None or segment.channel_id in wanted) else segment

    file_ids = await queries.files_with(connection, request, channels)
    for file_id in file_ids:
        file = await archive.live_file(connection, file_id)
        if file is not None:
            await service.rewrite_file(connection, settings, file, keep)
    return len(file_ids)


async def _delete_rollups(connection: Connection, request: Request, channels: Sequence[int] | None) -> int:
    """Rollups of whole periods go; of weeks and months that are partly in it, the rest is summed up anew."""
    first, following = request.days
    count = 0
    async with connection.transaction():
        if not await chunks.lock_device(connection, request.device_id):
            raise BusyError
        for tier in Tier:
            for day in await queries.rollup_rows(connection, request, int(tier), _LENGTH_DAYS[tier]):
                if end_of(tier, day) <= first:
                    continue
                count += 1
                if day >= first and end_of(tier, day) <= following:
                    await _take_out(connection, request.device_id, tier, day, channels)
                else:
                    await rolling.refresh_upward(connection, request.device_id, tier, day)
    return count


async def _take_out(
    connection: Connection, device_id: UUID, tier: Tier, day: int, channels: Collection[int] | None
) -> None:
    for _, row in await rollups.rows_between(connection, device_id, tier, day, day + 1):
        kept = None if channels is None else without(row, channels)
        await rollups.store(connection, device_id, tier, day, kept)
