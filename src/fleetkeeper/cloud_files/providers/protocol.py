"""What each provider can do, and what it needs for that."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# What is read, hashed or copied at once.
BLOCK_BYTES = 1024 * 1024


class StoreError(Exception):
    """The store did not do what it was asked for. The message is for people, and has no credential in it."""

    def __init__(
        self, detail: str, *, retry_after_seconds: float | None = None, is_final: bool = False
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        # Whether it would be the same however often it is tried.
        self.is_final = is_final


class FileGoneError(StoreError):
    """The store does not have the file."""


@dataclass(frozen=True)
class Cargo:
    """A file of this server that is to be copied."""

    path: Path
    # In the store: of the file's ID, so that the same one is found again.
    name: str
    # The name with the store's folder.
    cloud_path: str
    size_bytes: int
    sha256: str
    media_type: str


@dataclass(frozen=True)
class Place:
    """Where a store has a file. `remote_id` is what the store itself calls it, where that is not its path."""

    cloud_path: str
    remote_id: str = ""


Save = Callable[["Progress"], Awaitable[None]]


@dataclass
class Progress:
    """How far an upload is. It is saved after each step, so that whoever goes on begins there."""

    save: Save
    # The address of the store's upload session, which is a secret.
    session: str = ""
    remote_id: str = ""
    offset: int = 0

    async def keep(
        self, *, session: str | None = None, remote_id: str | None = None, offset: int | None = None
    ) -> None:
        """Note what is new, and save all of it."""
        self.session = self.session if session is None else session
        self.remote_id = self.remote_id if remote_id is None else remote_id
        self.offset = self.offset if offset is None else offset
        await self.save(self)


class Store(Protocol):
    """Files of one store. No call is made while a database session is held. Each raises StoreError."""

    async def put(self, cargo: Cargo, progress: Progress) -> Place:
        """Copy a file, whole or not at all. One that is there already is compared, never doubled."""

    def get(self, place: Place) -> AsyncGenerator[bytes, None]:
        """A file's content as it comes. Raises FileGoneError."""

    async def delete(self, place: Place) -> None:
        """Remove a file; one that is not there is gone already."""

    async def check(self) -> str:
        """Try whether the store can be used, and say what was found."""


async def read_part(path: Path, offset: int, size_bytes: int) -> bytes:
    """So many bytes of a file on this server. Raises StoreError where they are not there."""
    try:
        part = await asyncio.to_thread(_read, path, offset, size_bytes)
    except OSError as error:
        raise StoreError(f"The copy on this server cannot be read: {error.strerror}.") from None
    if len(part) != size_bytes:
        raise StoreError("The copy on this server is shorter than it was.", is_final=True)
    return part


def _read(path: Path, offset: int, size_bytes: int) -> bytes:
    with open(path, "rb", opener=_without_links) as file:
        file.seek(offset)
        return file.read(size_bytes)


def _without_links(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW)
