"""A file's content on its way out: fetched from its store and checked before the first byte leaves."""

import asyncio
import base64
import hashlib
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Hashable
from contextlib import aclosing
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from fastapi import Request
from starlette.responses import StreamingResponse

from fleetkeeper.annotations.attachments.names import OCTETS, disposition_of
from fleetkeeper.cloud_files.models import CloudFileRef, CloudStore
from fleetkeeper.cloud_files.providers.opening import Outside, open_store
from fleetkeeper.cloud_files.providers.protocol import (
    BLOCK_BYTES,
    FileGoneError,
    Place,
    StoreError,
    read_part,
)
from fleetkeeper.cloud_files.spool import spooled_path
from fleetkeeper.cloud_files.status import SyncStatus
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ConflictError, NotFoundError, UnavailableError
from fleetkeeper.kit.body_spool import BodySpool
from fleetkeeper.kit.places import Place as Seat
from fleetkeeper.kit.services import services_of
from fleetkeeper.settings import Settings

_CONTEXT = product_context("job", "cloud_files.download")
_GONE = "The file is not in its store any more. Somebody has removed or moved it there."
_CHANGED = (
    "The file in the store is not the one that was uploaded: its SHA-256 differs. It is not handed out; restore it in "
    "the store, or upload it again."
)


class CheckedFile(StreamingResponse):
    """A file that was checked, from a copy without a name, which goes with the answer."""

    def __init__(self, copy: IO[bytes], seat: Seat, headers: dict[str, str]) -> None:
        super().__init__(_blocks(copy), media_type=OCTETS, headers=headers)
        self._copy = copy
        self._seat = seat

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        with self._copy, self._seat:
            await super().__call__(scope, receive, send)


async def download_of(request: Request, file_id: UUID, caller: Hashable) -> CheckedFile:
    """A file that the caller may see, whose session was let go.

    Raises ConflictError for one that is gone or changed, UnavailableError where its store is away, OverloadedError.
    """
    services = services_of(request)
    database, spool = services.get(Database), services.get(BodySpool)
    outside = Outside.of(services.get(Settings))
    async with database.session(_CONTEXT) as session:
        file = await session.get(CloudFileRef, file_id)
        row = None if file is None else await session.get(CloudStore, file.store_id)
    if file is None or row is None:
        raise NotFoundError("There is no such file.")
    seat = spool.places.take(caller)
    try:
        seat.grow(file.file_size_bytes)
        copy = await asyncio.to_thread(_nameless, spool.folder)
    except BaseException:
        seat.give_back()
        raise
    try:
        await _fetch(file, row, outside, copy)
        return CheckedFile(copy, seat, _headers_of(file))
    except BaseException:
        copy.close()
        seat.give_back()
        raise


async def _fetch(file: CloudFileRef, row: CloudStore, outside: Outside, copy: IO[bytes]) -> None:
    digest, size_bytes = hashlib.sha256(), 0
    try:
        async with aclosing(_content(file, row, outside)) as parts:
            async for part in parts:
                size_bytes += len(part)
                if size_bytes > file.file_size_bytes:
                    break
                digest.update(part)
                await asyncio.to_thread(copy.write, part)
    except FileGoneError:
        raise ConflictError(_GONE) from None
    except StoreError as error:
        raise UnavailableError(f"The store cannot be read: {error.detail}", retry_after_seconds=30) from None
    if size_bytes != file.file_size_bytes or digest.hexdigest() != file.sha256:
        raise ConflictError(_CHANGED)
    await asyncio.to_thread(copy.seek, 0)


async def _content(file: CloudFileRef, row: CloudStore, outside: Outside) -> AsyncGenerator[bytes, None]:
    if file.sync_status == SyncStatus.SYNCED:
        place = Place(file.cloud_path, file.remote_id)
        async with aclosing(open_store(row, outside).get(place)) as parts:
            async for part in parts:
                yield part
        return
    path = spooled_path(outside.root, file.id)
    for offset in range(0, file.file_size_bytes, BLOCK_BYTES):
        yield await read_part(path, offset, min(BLOCK_BYTES, file.file_size_bytes - offset))


def _nameless(folder: Path) -> IO[bytes]:
    """A file that goes with its last user, even if that is killed."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tempfile.TemporaryFile(dir=folder)


async def _blocks(copy: IO[bytes]) -> AsyncIterator[bytes]:
    while block := await asyncio.to_thread(copy.read, BLOCK_BYTES):
        yield block


def _headers_of(file: CloudFileRef) -> dict[str, str]:
    checksum = base64.b64encode(bytes.fromhex(file.sha256)).decode()
    return {
        "Content-Disposition": disposition_of(file.name),
        "Content-Length": str(file.file_size_bytes),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
        "Repr-Digest": f"sha-256=:{checksum}:",
    }
