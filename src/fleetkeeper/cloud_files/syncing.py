"""Copying files to their stores. No session is held while a store is waited for."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files import queries
from fleetkeeper.cloud_files.adding import SYNC
from fleetkeeper.cloud_files.models import CloudFileRef, CloudFileRemoval, CloudStore
from fleetkeeper.cloud_files.providers.opening import Outside, open_store
from fleetkeeper.cloud_files.providers.protocol import Cargo, Place, Progress, Store, StoreError
from fleetkeeper.cloud_files.spool import spooled_path
from fleetkeeper.cloud_files.status import CLOUD_FILES, SyncStatus, is_given_up, wait_seconds
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.database.status_history import move, note_move
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.sealing import Sealer, SealingError

log = structlog.get_logger(__name__)

# Side by side, and of them to one store: a slow one does not hold up the others.
AT_ONCE, OF_ONE_STORE = 4, 2
# Longer than any part of an upload takes; each one that is taken extends it.
LEASE = timedelta(minutes=10)
_CONTEXT = product_context("job", SYNC)
Open = Callable[[CloudStore, Outside], Store]


class LeaseLostError(Exception):
    """The file is gone, or somebody else copies it."""


@dataclass(frozen=True)
class _Task:
    """A file that this process copies now."""

    id: UUID
    token: UUID
    store: Store | None
    store_id: UUID
    cargo: Cargo
    session: str
    remote_id: str
    uploaded_bytes: int
    problem: str = ""


async def sync_due(database: Database, outside: Outside, until: float, opening: Open = open_store) -> int:
    """Copy all files that are due, until a moment (monotonic seconds); returns how many were tried."""

    async def work() -> int:
        tried = 0
        while time.monotonic() < until and await sync_next(database, outside, opening):
            tried += 1
        return tried

    return sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))


async def sync_next(database: Database, outside: Outside, opening: Open = open_store) -> bool:
    """Copy the file that has waited longest; returns whether there was one."""
    async with database.session(_CONTEXT) as session:
        task = await _claim(session, outside, opening)
    if task is None:
        return False
    try:
        place = await _copy(database, outside.sealer, task)
    except LeaseLostError:
        log.info("a file was deleted or taken over while it was copied", file=str(task.id))
        await _settle_copied(database, outside, task, Place(task.cargo.cloud_path, task.remote_id))
    except StoreError as error:
        await _settle_failed(database, task, error)
    except Exception as error:
        # One that nobody thought of must not keep all others waiting.
        log.exception("a file could not be copied", file=str(task.id))
        await _settle_failed(
            database, task, StoreError(f"Copying failed unexpectedly: {type(error).__name__}.")
        )
    else:
        await _settle_copied(database, outside, task, place)
    return True


async def _claim(session: AsyncSession, outside: Outside, opening: Open) -> _Task | None:
    found = await queries.next_due(session, OF_ONE_STORE)
    if found is None:
        return None
    file, row = found
    token = uuid4()
    file.attempts += 1
    file.lease_token, file.lease_until = token, utc_now() + LEASE
    await session.flush()
    store, problem = None, ""
    try:
        store = opening(row, outside)
    except StoreError as error:
        problem = error.detail
    cargo = Cargo(
        spooled_path(outside.root, file.id),
        file.cloud_path.rpartition("/")[2],
        file.cloud_path,
        file.file_size_bytes,
        file.sha256,
        file.media_type,
    )
    upload = _opened(file, outside.sealer)
    return _Task(
        file.id,
        token,
        store,
        row.id,
        cargo,
        upload,
        file.remote_id,
        file.uploaded_bytes if upload else 0,
        problem,
    )


async def _copy(database: Database, sealer: Sealer, task: _Task) -> Place:
    if task.store is None:
        raise StoreError(task.problem)

    async def save(progress: Progress) -> None:
        async with database.session(_CONTEXT) as session:
            await _keep(session, sealer, task, progress)

    progress = Progress(save, task.session, task.remote_id, task.uploaded_bytes)
    return await task.store.put(task.cargo, progress)


async def _keep(session: AsyncSession, sealer: Sealer, task: _Task, progress: Progress) -> None:
    """Keep how far an upload is, for whoever goes on with it. Raises LeaseLostError."""
    file = await queries.leased(session, task.id, task.token)
    if file is None:
        raise LeaseLostError
    if progress.offset > file.uploaded_bytes:
        # A large file over a bad connection may take more attempts than a store that never takes anything.
        file.attempts = 1
    file.upload_sealed = (
        sealer.seal(progress.session.encode(), _context(task.id)) if progress.session else None
    )
    file.uploaded_bytes = progress.offset
    file.remote_id = progress.remote_id
    file.lease_until = utc_now() + LEASE
    await session.flush()


async def _settle_copied(database: Database, outside: Outside, task: _Task, place: Place) -> None:
    async with database.session(_CONTEXT) as session:
        file = await queries.leased(session, task.id, task.token)
        if file is None:
            await _remove_if_gone(session, task, place)
            return
        await note_move(session, CLOUD_FILES, file, SyncStatus(file.sync_status), SyncStatus.SYNCED)
        file.sync_status = SyncStatus.SYNCED
        file.lease_token = file.lease_until = file.upload_sealed = None
        file.uploaded_bytes = file.file_size_bytes
        file.uploaded_at = utc_now()
        file.problem = ""
        file.remote_id = place.remote_id
        file.version += 1
        await session.flush()
    await asyncio.to_thread(spooled_path(outside.root, task.id).unlink, missing_ok=True)


async def _remove_if_gone(session: AsyncSession, task: _Task, place: Place) -> None:
    """What was deleted while it was copied must not stay in its store."""
    if await queries.locked(session, task.id) is not None:
        return
    values = {
        "id": task.id,
        "store_id": task.store_id,
        "cloud_path": place.cloud_path,
        "remote_id": place.remote_id,
    }
    statement = insert(CloudFileRemoval).values(values)
    known = {"remote_id": place.remote_id, "next_attempt_at": utc_now()}
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=known))


async def _settle_failed(database: Database, task: _Task, error: StoreError) -> None:
    async with database.session(_CONTEXT) as session:
        file = await queries.leased(session, task.id, task.token)
        if file is None:
            return
        file.lease_token = file.lease_until = None
        file.problem = error.detail[:500]
        wait = wait_seconds(file.attempts, error.retry_after_seconds)
        file.next_attempt_at = utc_now() + timedelta(seconds=wait)
        file.version += 1
        if is_given_up(file.attempts, is_final=error.is_final):
            # The next one begins anew.
            file.upload_sealed, file.uploaded_bytes = None, 0
            await move(
                session, CLOUD_FILES, file, SyncStatus.FAILED, reason=error.detail, column="sync_status"
            )
        await session.flush()


def _opened(file: CloudFileRef, sealer: Sealer) -> str:
    """The address of the upload that was begun; empty where there is none."""
    if file.upload_sealed is None:
        return ""
    try:
        return sealer.open(file.upload_sealed, _context(file.id)).decode()
    except SealingError:
        return ""


def _context(file_id: UUID) -> bytes:
    return b"cloud_file_refs:" + file_id.bytes
