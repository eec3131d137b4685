"""Bodies too large for memory: written to a folder and hashed as they come."""

import asyncio
import hashlib
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleetkeeper.kit.ids import uuid7
from fleetkeeper.kit.places import Place, Places
from fleetkeeper.kit.request_body import Pace, body_pieces

# Where a request's state has its body, once the front has written it.
SPOOLED_BODY = "spooled_body"
SUFFIX = ".part"
# Written at once.
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class SpooledBody:
    """A body in a file of its own, which goes with the request unless somebody keeps it."""

    path: Path
    size_bytes: int
    # In hexadecimal.
    sha256: str

    def keep_as(self, target: Path) -> None:
        """Give the file another name, in a folder of the same disk. Raises OSError."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.replace(target)
        sync_folder(target.parent)

    def discard(self) -> None:
        """Remove the file, unless it was kept."""
        self.path.unlink(missing_ok=True)


class BodySpool:
    """A folder for bodies, with places of its own: so many at once, and so many bytes."""

    def __init__(self, folder: Path, places: Places) -> None:
        self.folder = folder
        self.places = places

    async def read(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], max_bytes: int, place: Place, pace: Pace
    ) -> SpooledBody:
        """The whole body, on disk when this returns. Raises what `body_pieces` does, OverloadedError and OSError."""
        draft = await asyncio.to_thread(_Draft, self.folder / f"{uuid7()}{SUFFIX}")
        block, size_bytes = bytearray(), 0
        try:
            async with aclosing(body_pieces(scope, receive, max_bytes, pace)) as pieces:
                async for piece in pieces:
                    place.grow(len(piece))
                    size_bytes += len(piece)
                    block += piece
                    if len(block) >= _BLOCK_BYTES:
                        await asyncio.to_thread(draft.write, block)
                        block = bytearray()
            await asyncio.to_thread(draft.write, block, is_last=True)
        except BaseException:
            draft.path.unlink(missing_ok=True)
            raise
        finally:
            draft.close()
        return SpooledBody(draft.path, size_bytes, draft.digest.hexdigest())


class _Draft:
    """A file that is written in threads, one of which may still be at it when nobody waits for it any more."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.digest = hashlib.sha256()
        self._lock = threading.Lock()
        self._file: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)

    def write(self, block: bytearray, *, is_last: bool = False) -> None:
        """Write all of it; the last block sees everything to the disk."""
        with self._lock:
            if self._file is None:
                return
            self.digest.update(block)
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            if is_last:
                os.fsync(self._file)

    def close(self) -> None:
        """Close it, after whoever is at it."""
        with self._lock:
            if self._file is not None:
                os.close(self._file)
                self._file = None


def sync_folder(folder: Path) -> None:
    """See to it that names in a folder outlive a loss of power. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
