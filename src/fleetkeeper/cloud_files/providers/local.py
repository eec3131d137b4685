"""A folder of this server."""

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

from fleetkeeper.cloud_files.names import is_store_name
from fleetkeeper.cloud_files.providers.protocol import (
    BLOCK_BYTES,
    Cargo,
    FileGoneError,
    Place,
    Progress,
    StoreError,
)
from fleetkeeper.kit.body_spool import sync_folder

_DRAFT = ".partial"


class LocalStore:
    """Files below a folder that the operator set; a store names one in it."""

    def __init__(self, root: Path, folder: str) -> None:
        self._root = root
        self._folder = root / folder if folder else root

    async def put(self, cargo: Cargo, progress: Progress) -> Place:
        """Written beside its name, seen to the disk, and named when it is whole."""
        del progress
        await asyncio.to_thread(self._put, cargo)
        return Place(cargo.cloud_path)

    async def get(self, place: Place) -> AsyncGenerator[bytes, None]:
        """A block at a time."""
        path = self._path(place)
        try:
            file = await asyncio.to_thread(open, path, "rb", 0, opener=_without_links)
        except FileNotFoundError:
            raise FileGoneError("The file is not in its folder any more.", is_final=True) from None
        except OSError as error:
            raise StoreError(f"The file cannot be read: {error.strerror}.") from None
        with file:
            while block := await asyncio.to_thread(file.read, BLOCK_BYTES):
                yield block

    async def delete(self, place: Place) -> None:
        """Remove a file and what a killed writer left of it."""
        path = self._path(place)
        try:
            await asyncio.to_thread(_remove, path)
        except OSError as error:
            raise StoreError(f"The file cannot be removed: {error.strerror}.") from None

    async def check(self) -> str:
        """Write and remove a small file."""
        try:
            await asyncio.to_thread(self._try)
        except OSError as error:
            raise StoreError(f"The folder cannot be written: {error.strerror}.") from None
        return "The folder can be written."

    def _put(self, cargo: Cargo) -> None:
        target = self._path(Place(cargo.cloud_path))
        draft = target.with_name(target.name + _DRAFT)
        try:
            if target.exists() and _digest(target) == cargo.sha256:
                return
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path(Place(cargo.cloud_path))
            with (
                open(cargo.path, "rb", opener=_without_links) as source,
                open(draft, "wb", opener=_private) as file,
            ):
                shutil.copyfileobj(source, file, BLOCK_BYTES)
                file.flush()
                os.fsync(file.fileno())
            if draft.stat().st_size != cargo.size_bytes:
                raise StoreError("The copy on this server is shorter than it was.", is_final=True)
            draft.replace(target)
            sync_folder(target.parent)
        except OSError as error:
            raise StoreError(f"The folder cannot be written: {error.strerror}.") from None

    def _path(self, place: Place) -> Path:
        """The path of a file, if it is one of ours and leads nowhere else. Raises StoreError."""
        target = self._root / place.cloud_path
        if not is_store_name(target.name) or not target.resolve().is_relative_to(self._root.resolve()):
            raise StoreError("The path leads out of the folder of local stores.", is_final=True)
        return target

    def _try(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self._folder.resolve().is_relative_to(self._root.resolve()):
            raise StoreError("The folder leads out of the folder of local stores.", is_final=True)
        probe = self._folder / ".fleetkeeper-check"
        with open(probe, "wb", opener=_private) as file:
            file.write(b"check")
            os.fsync(file.fileno())
        probe.unlink()


def _digest(path: Path) -> str:
    with open(path, "rb", opener=_without_links) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    path.with_name(path.name + _DRAFT).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
