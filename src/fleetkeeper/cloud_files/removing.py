"""Removing from stores what is gone here, and from this server what belongs to nothing."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files import queries
from fleetkeeper.cloud_files.models import CloudFileRemoval, CloudStore
from fleetkeeper.cloud_files.providers.opening import Outside, open_store
from fleetkeeper.cloud_files.providers.protocol import Place, StoreError
from fleetkeeper.cloud_files.service import REMOVE
from fleetkeeper.cloud_files.spool import old_spooled, remove_incoming, spooled_path
from fleetkeeper.cloud_files.status import wait_seconds
from fleetkeeper.cloud_files.syncing import LEASE
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.clock import utc_now

log = structlog.get_logger(__name__)

CLEAN_UP = "cloud_files.clean_up"
_CONTEXT = product_context("job", REMOVE)
_LOOKED_UP_AT_ONCE = 1000


async def remove_due(database: Database, outside: Outside, until: float) -> int:
    """Remove all that is due, until a moment (monotonic seconds); returns how many went."""
    gone = 0
    while time.monotonic() < until:
        async with database.session(_CONTEXT) as session:
            claimed = await _claim(session)
        if claimed is None:
            break
        gone += await _remove(database, outside, *claimed)
    return gone


async def clean_up(database: Database, outside: Outside) -> int:
    """Remove copies on this server that wait for no store; returns how many there were."""
    gone = await asyncio.to_thread(remove_incoming, outside.root)
    ids = await asyncio.to_thread(old_spooled, outside.root)
    for start in range(0, len(ids), _LOOKED_UP_AT_ONCE):
        some = ids[start : start + _LOOKED_UP_AT_ONCE]
        async with database.session(product_context("job", CLEAN_UP)) as session:
            waiting = await queries.present_among(session, some)
        for file_id in some:
            if file_id not in waiting:
                await asyncio.to_thread(spooled_path(outside.root, file_id).unlink, missing_ok=True)
                gone += 1
    return gone


async def _claim(session: AsyncSession) -> tuple[CloudFileRemoval, CloudStore] | None:
    statement = (
        select(CloudFileRemoval, CloudStore)
        .join(CloudStore, CloudStore.id == CloudFileRemoval.store_id)
        .where(CloudFileRemoval.next_attempt_at <= func.now())
        .order_by(CloudFileRemoval.next_attempt_at, CloudFileRemoval.id)
        .limit(1)
        .with_for_update(of=CloudFileRemoval, skip_locked=True)
    )
    row: Any = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    removal: CloudFileRemoval = row[0]
    removal.attempts += 1
    removal.next_attempt_at = utc_now() + LEASE
    await session.flush()
    return removal, row[1]


async def _remove(database: Database, outside: Outside, removal: CloudFileRemoval, row: CloudStore) -> int:
    await asyncio.to_thread(spooled_path(outside.root, removal.id).unlink, missing_ok=True)
    try:
        await open_store(row, outside).delete(Place(removal.cloud_path, removal.remote_id))
    except StoreError as error:
        await _note_failure(database, removal, error)
        return 0
    async with database.session(_CONTEXT) as session:
        # Unless it was copied once more meanwhile, which gave it another moment.
        done = delete(CloudFileRemoval).where(
            CloudFileRemoval.id == removal.id, CloudFileRemoval.next_attempt_at == removal.next_attempt_at
        )
        await session.execute(done)
    return 1


async def _note_failure(database: Database, removal: CloudFileRemoval, error: StoreError) -> None:
    log.warning("a file could not be removed from its store", file=str(removal.id), problem=error.detail)
    wait = wait_seconds(removal.attempts, error.retry_after_seconds)
    async with database.session(_CONTEXT) as session:
        await session.execute(
            update(CloudFileRemoval)
            .where(CloudFileRemoval.id == removal.id)
            .values(problem=error.detail[:500], next_attempt_at=utc_now() + timedelta(seconds=wait))
        )
