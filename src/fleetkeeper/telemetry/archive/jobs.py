"""Applying the policies: what is old moves into files, what is past its time goes. One process at a time."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import structlog
from psycopg import AsyncConnection, errors

from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import keeping_queries, queries, service, uniting
from fleetkeeper.telemetry.archive.beside_samples import remove_past
from fleetkeeper.telemetry.archive.files import DamagedError, Segment
from fleetkeeper.telemetry.archive.queries import Connection, FileRow
from fleetkeeper.telemetry.archive.store import StoreError
from fleetkeeper.telemetry.archive.work import (
    ARCHIVE,
    CHUNKS,
    FILES,
    REMOVE,
    Batch,
    FileRemoval,
    RawRemoval,
    RollupRemoval,
    Scope,
    Told,
    add_up,
    amount,
    batches_to_archive,
    files_to_shrink,
    raw_to_remove,
    read_scope,
    rollups_to_remove,
)
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.jobs import sealing_connection
from fleetkeeper.telemetry.rollups import queries as rollups
from fleetkeeper.telemetry.rollups.keeping import without
from fleetkeeper.telemetry.rollups.periods import Tier

log = structlog.get_logger(__name__)

_DAY_SECONDS = 86_400
_ERRORS_KEPT = 100
# Another process changed the same rows in between; the next run finds them again.
_MET_ANOTHER = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
Progress = Callable[[str, int], Awaitable[None]]


@dataclass
class Run:
    """What a run did, or would do."""

    told: Told = field(default_factory=dict)
    dropped_months: list[str] = field(default_factory=list)
    dropped_bytes: int = 0
    written_bytes: int = 0
    removed_files: int = 0
    united_files: int = 0
    errors: list[str] = field(default_factory=list)
    progress: Progress | None = None

    def note(self, message: str) -> None:
        """Keep what went wrong, once."""
        log.warning("the archive", problem=message)
        if len(self.errors) < _ERRORS_KEPT and message not in self.errors:
            self.errors.append(message)

    async def tell(self, step: str, done: int = 1) -> None:
        """Say how far it is."""
        if self.progress is not None:
            await self.progress(step, done)


@asynccontextmanager
async def archive_lock(url: str) -> AsyncIterator[bool]:
    """Whether this process alone may change the archive now. It ends with its connection, however that ends."""
    async with sealing_connection(url) as connection:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtext('fleetkeeper.archive'))")
        row = await cursor.fetchone()
        yield bool(row and row[0])


def today_of(now: float | None = None) -> int:
    """The day (UTC, number since 1970) of a moment in epoch seconds; of this one without it."""
    return int((time.time() if now is None else now) // _DAY_SECONDS)


async def preview(url: str, settings: Settings, *, now: float | None = None) -> Run:
    """What a run would do, by policy, action and tier. Nothing changes."""
    run = Run()
    async with sealing_connection(url) as connection:
        await connection.execute("SET default_transaction_read_only = on")
        scope = await read_scope(connection, today_of(now))
        await _each(connection, settings, scope, run, _Telling())
        run.told |= await remove_past(connection, scope, only_tell=True)
    return run


async def apply_policies(
    url: str, settings: Settings, *, now: float | None = None, progress: Progress | None = None
) -> Run:
    """Do what the policies say. Only for the one that holds the archive's lock."""
    run = Run(progress=progress)
    async with sealing_connection(url) as connection:
        run.removed_files, problems = await service.remove_leftovers(connection, settings)
        for problem in problems:
            run.note(problem)
        scope = await read_scope(connection, today_of(now))
        await _drop_months(connection, scope, run)
        await _each(connection, settings, scope, run, _Doing(connection, settings, scope, run))
        await _unite(connection, settings, run)
        await _drop_months(connection, scope, run)
        run.told |= await remove_past(connection, scope, only_tell=False)
        await keeping_queries.note_policies_ran(connection)
        await chunks_months_of_today(connection)
    return run


async def chunks_months_of_today(connection: Connection) -> None:
    """Make sure that a month that was dropped empty, and is needed, is there again."""
    await connection.execute("SELECT create_chunk_partition(CURRENT_DATE)")


async def _drop_months(connection: Connection, scope: Scope, run: Run) -> None:
    before = scope.rules.everything_raw_before
    if before is not None:
        await keeping_queries.note_months_removed(connection, before)
    for month, size in await keeping_queries.drop_months(connection, before):
        run.dropped_months.append(month)
        run.dropped_bytes += size


class _Telling:
    """Only counts."""

    async def archive(self, batch: Batch) -> Told:
        return batch.told

    async def remove_raw(self, removals: list[RawRemoval]) -> Told:
        told: Told = {}
        for one in removals:
            amount(told, one.policy_id, REMOVE, CHUNKS).add(
                one.device_id, one.pieces, one.samples, one.size_bytes
            )
        return told

    async def shrink(self, removal: FileRemoval) -> Told:
        return removal.told

    async def remove_rollups(self, removal: RollupRemoval) -> Told:
        return removal.told


class _Doing(_Telling):
    """Does it, each piece by itself."""

    def __init__(self, connection: AsyncConnection[Any], settings: Settings, scope: Scope, run: Run) -> None:
        self._connection, self._settings, self._scope, self._run = connection, settings, scope, run

    async def archive(self, batch: Batch) -> Told:
        done = await service.archive_day(self._connection, self._settings, batch.day, batch.wanted)
        for problem in done.problems:
            self._run.note(problem)
        self._run.written_bytes += done.size_bytes
        return batch.told if done.chunks else {}

    async def remove_raw(self, removals: list[RawRemoval]) -> Told:
        told: Told = {}
        async with self._connection.transaction():
            device_id = removals[0].device_id
            if not await chunks.lock_device(self._connection, device_id):
                return told
            for one in removals:
                gone = await keeping_queries.delete_raw_before(
                    self._connection, device_id, one.channel_ids, one.before
                )
                await keeping_queries.note_raw_removed(self._connection, device_id, one.group, one.before)
                if gone[0]:
                    amount(told, one.policy_id, REMOVE, CHUNKS).add(device_id, *gone)
            last = max(one.before for one in removals)
            await queries.delete_lone_axes(self._connection, device_id, 0, last)
        return told

    async def shrink(self, removal: FileRemoval) -> Told:
        groups, gone = self._scope.groups, removal.gone
        async with self._connection.transaction():
            for device_id, past in gone.items():
                for group in past:
                    await keeping_queries.note_raw_removed(
                        self._connection, device_id, group, removal.file.day + 1
                    )
        if removal.is_whole:
            await service.retire(self._connection, removal.file.id)
            return removal.told

        def keep(segment: Segment) -> Segment | None:
            past = gone.get(segment.device_id, frozenset())
            return None if groups.get(segment.channel_id, "") in past else segment

        await service.rewrite_file(self._connection, self._settings, removal.file, keep)
        return removal.told

    async def remove_rollups(self, removal: RollupRemoval) -> Told:
        async with self._connection.transaction():
            if not await chunks.lock_device(self._connection, removal.device_id):
                return {}
            rows = await rollups.rows_between(
                self._connection, removal.device_id, removal.tier, removal.day, removal.day + 1
            )
            for day, row in rows:
                kept = without(row, removal.channel_ids)
                await rollups.store(self._connection, removal.device_id, removal.tier, day, kept)
        return removal.told


async def _each(connection: Connection, settings: Settings, scope: Scope, run: Run, act: _Telling) -> None:
    limits = settings.archive
    batches = batches_to_archive(
        connection,
        scope,
        devices_per_file=limits.devices_per_file,
        rows_per_file=limits.rows_per_file,
    )
    async for batch in batches:
        if not await _guarded(connection, run, ARCHIVE, act.archive(batch)):
            # A store that does not answer will not do so for the next file.
            break
    async for removals in raw_to_remove(connection, scope):
        await _guarded(connection, run, CHUNKS, act.remove_raw(removals))
    async for removal in files_to_shrink(connection, scope):
        await _guarded(connection, run, FILES, act.shrink(removal))
    for tier in Tier:
        async for gone in rollups_to_remove(connection, scope, tier):
            await _guarded(connection, run, tier.name.lower(), act.remove_rollups(gone))


async def _unite(connection: Connection, settings: Settings, run: Run) -> None:
    async def one(files: list[FileRow]) -> Told:
        run.written_bytes += await uniting.unite_files(connection, settings, files)
        run.united_files += len(files)
        return {}

    async for files in uniting.files_to_unite(connection, settings.archive):
        if not await _guarded(connection, run, FILES, one(files)):
            break


async def _guarded(connection: Connection, run: Run, step: str, work: Awaitable[Told]) -> bool:
    """Do one piece; what goes wrong with it is kept. Returns False when the store does not work."""
    try:
        add_up(run.told, await work)
    except service.Conflict:
        log.info("a file was left for later", step=step)
    except _MET_ANOTHER as error:
        log.info("a piece was left for later", step=step, reason=type(error).__name__)
    except FileNotFoundError:
        run.note("A file of the archive is not there; `fleetkeeper archive verify` names it.")
    except DamagedError as error:
        run.note(f"A file of the archive is damaged: {error}.")
    except StoreError as error:
        run.note(str(error))
        return False
    finally:
        await connection.set_isolation_level(None)
    await run.tell(step)
    return True
