"""Old requests go into files, and are found and read there."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.config.service import read_config
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.device_requests.archiving import queries
from fleetkeeper.device_requests.archiving.files import (
    ROWS_PER_GROUP,
    OldRequest,
    RequestWriter,
    read_document,
)
from fleetkeeper.device_requests.archiving.models import ArchivedRequest, RequestArchive
from fleetkeeper.device_requests.archiving.schemas import ArchivedDetail, ArchivedPage, ArchivedRead
from fleetkeeper.errors import NotFoundError, UnavailableError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive.store import (
    Store,
    StoreError,
    digest_of,
    store_for_new,
    store_named,
    writing,
)

log = structlog.get_logger(__name__)

ARCHIVE = "device_requests.archive"
ROWS_PER_FILE = 10_000
# A writer is at its file for minutes at most.
UNFINISHED_HOURS = 6
_CONTEXT = product_context("job", ARCHIVE)


async def archive_next(database: Database, settings: Settings) -> int:
    """Write one file with the oldest requests that ended long ago; returns how many went there."""
    async with database.session(_CONTEXT) as session:
        days = (await read_config(session)).requests.retention_days
        before = utc_now() - timedelta(days=days)
        first = await queries.old_requests(session, before, None, ROWS_PER_GROUP)
    if not first:
        return 0
    store = store_for_new(settings)
    archive = RequestArchive(
        id=uuid7(), store=store.name, path=_path(first[0].created_at), created_at=utc_now(), state="writing"
    )
    async with database.session(_CONTEXT) as session:
        session.add(archive)
    written = await _write(database, store, archive, before, first)
    async with database.session(_CONTEXT) as session:
        moved = await queries.hand_over(session, archive.id, written)
        await session.execute(
            update(RequestArchive)
            .where(RequestArchive.id == archive.id)
            .values(state="live", row_count=moved, size_bytes=archive.size_bytes, sha256=archive.sha256)
        )
    return moved


async def _write(
    database: Database, store: Store, archive: RequestArchive, before: datetime, first: list[OldRequest]
) -> list[OldRequest]:
    """Write the file, and read it again; returns what is in it, without the documents."""
    written: list[OldRequest] = []
    rows = first
    async with writing(store, archive.path) as draft:
        writer = RequestWriter(draft)
        while rows:
            await asyncio.to_thread(writer.write, rows)
            written += [_without_document(row) for row in rows]
            if len(rows) < ROWS_PER_GROUP or len(written) >= ROWS_PER_FILE:
                break
            after = (rows[-1].created_at, rows[-1].id)
            async with database.session(_CONTEXT) as session:
                rows = await queries.old_requests(session, before, after, ROWS_PER_GROUP)
        await asyncio.to_thread(writer.close)
    digest, size = await asyncio.to_thread(digest_of, store, archive.path)
    if digest != draft.sha256:
        raise StoreError("A file of requests is not what was written. Nothing was taken out of the tables.")
    archive.sha256, archive.size_bytes = digest, size
    return written


async def remove_unfinished(database: Database, settings: Settings) -> int:
    """Remove files whose writers died; returns how many."""
    async with database.session(_CONTEXT) as session:
        found = await queries.unfinished(session, UNFINISHED_HOURS)
    for key, name, path in found:
        try:
            await asyncio.to_thread(store_named(settings, name).delete, path)
        except StoreError as error:
            log.warning("an unfinished file of requests cannot be removed", path=path, reason=str(error))
            continue
        async with database.session(_CONTEXT) as session:
            await session.execute(delete(RequestArchive).where(RequestArchive.id == key))
    return len(found)


async def list_archived(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], *, is_counted: bool = True
) -> ArchivedPage:
    """One page of old requests that the actor may see. Raises InvalidInputError."""
    return await queries.LISTING.read(
        session,
        queries.visible_to(actor),
        parameters,
        ArchivedPage,
        lambda row: ArchivedRead.model_validate(row[0]),
        is_counted=is_counted,
    )


async def find_archived(
    session: AsyncSession, actor: Actor, request_id: UUID
) -> tuple[ArchivedRead, RequestArchive, int]:
    """What is known of an old request, its file and its place there. Raises NotFoundError."""
    row = await session.scalar(queries.visible_to(actor).where(ArchivedRequest.id == request_id))
    if row is None:
        raise NotFoundError("There is no such request in the archive.")
    archive = await session.get_one(RequestArchive, row.archive_id)
    return ArchivedRead.model_validate(row), archive, row.position


async def read_archived(
    settings: Settings, found: ArchivedRead, archive: RequestArchive, position: int
) -> ArchivedDetail:
    """The old request as it was, out of its file. No session may be held. Raises UnavailableError."""
    try:
        store = store_named(settings, archive.store)
        document = await asyncio.to_thread(read_document, store, archive.path, position, found.id)
    except StoreError as error:
        raise UnavailableError(str(error)) from None
    return ArchivedDetail(**found.model_dump(), document=document)


def _path(month: datetime) -> str:
    return f"requests={month:%Y-%m}/{uuid7()}.parquet"


def _without_document(row: OldRequest) -> OldRequest:
    return OldRequest(
        row.id,
        row.version,
        row.device_id,
        row.device_name,
        row.request_type,
        row.status,
        row.payload_hash,
        row.created_at,
        {},
    )
