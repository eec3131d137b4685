"""Where archive files are: a folder, or a bucket of an S3-like store.

Paths come from our own table, have one shape only, and are checked against it before every use.
"""

import asyncio
import hashlib
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
from pyarrow import fs
from pydantic import SecretStr

from fleetkeeper.database.engine import warn_if_held
from fleetkeeper.settings import Settings
from fleetkeeper.settings.archive import ArchiveSettings

_PATH = re.compile(
    r"(day=\d{4}-\d{2}-\d{2}|requests=\d{4}-\d{2})/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.parquet"
)
_BLOCK = 1024 * 1024
LOCAL, S3 = "local", "s3"


class StoreError(Exception):
    """The store or a file in it cannot be used; the message says why, without credentials."""


class Draft:
    """What is being written: counted and hashed on its way."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._digest = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Take some octets."""
        view = memoryview(data)
        self._digest.update(view)
        self._inner.write(view)
        self.bytes += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """How many octets there are so far."""
        return self.bytes

    def flush(self) -> None:
        """Nothing: what counts is the end."""

    def close(self) -> None:
        """Nothing: the store ends the file when it is whole."""

    @property
    def sha256(self) -> bytes:
        """The hash of all that was written."""
        return self._digest.digest()


class Store(Protocol):
    """Files by path. Each call may block, and raises StoreError."""

    name: str
    place: str

    def writing(self, path: str) -> Any:
        """A context that gives a Draft; when it ends well, the whole file is there and durable."""

    def open(self, path: str) -> Any:
        """The file, for random access; raises FileNotFoundError when it is not there."""

    def delete(self, path: str) -> None:
        """Remove a file; one that is not there is gone already."""


def checked(path: str) -> str:
    """The path, if it is one of ours. Raises StoreError."""
    if not _PATH.fullmatch(path):
        raise StoreError("The archive's table names a file whose path is not of its kind.")
    return path


class LocalStore:
    """A folder of this machine."""

    name = LOCAL

    def __init__(self, root: Path) -> None:
        self.root = root
        self.place = str(root)

    @contextmanager
    def writing(self, path: str) -> Iterator[Draft]:
        """Written beside its name, seen to the disk, and named when it is whole."""
        target = self._inside(path)
        draft = target.with_suffix(".partial")
        try:
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            self._inside(path)
            with open(draft, "wb", opener=_private) as file:
                yield Draft(file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
            _sync_folder(target.parent)
            _sync_folder(self.root)
        except OSError as error:
            raise StoreError(f"The archive's folder cannot be written: {error.strerror}.") from error

    def open(self, path: str) -> Any:
        """The file, mapped into memory."""
        try:
            return pa.memory_map(str(self._inside(path)))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(f"it cannot be opened: {error.strerror or 'the disk refuses'}") from error

    def delete(self, path: str) -> None:
        """Remove a file and what a killed writer left of it."""
        target = self._inside(path)
        try:
            target.with_suffix(".partial").unlink(missing_ok=True)
            target.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"A file of the archive cannot be removed: {error.strerror}.") from error

    def _inside(self, path: str) -> Path:
        target = self.root / checked(path)
        if not target.resolve().is_relative_to(self.root.resolve()):
            raise StoreError("A path of the archive leads out of its folder.")
        return target


class S3Store:
    """A bucket, or a prefix in one."""

    name = S3

    def __init__(self, settings: ArchiveSettings) -> None:
        self.place = (settings.url or "").rstrip("/")
        self._prefix = self.place.removeprefix("s3://")
        scheme, _, address = (settings.endpoint or "").rpartition("://")
        secret = settings.secret_access_key
        try:
            self._files = fs.S3FileSystem(
                access_key=settings.access_key_id,
                secret_key=secret.get_secret_value() if secret else None,
                endpoint_override=address or None,
                scheme=scheme or "https",
                region=settings.region or ("us-east-1" if address else None),
                connect_timeout=settings.timeout_seconds,
                request_timeout=settings.timeout_seconds,
                retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
            )
        except (OSError, ValueError, pa.ArrowException) as error:
            raise _store_error(error) from None

    @contextmanager
    def writing(self, path: str) -> Iterator[Draft]:
        """An upload in parts; the object is there when the last one is acknowledged."""
        warn_if_held("The archive's store")
        try:
            stream = self._files.open_output_stream(self._key(path))
        except (OSError, pa.ArrowException) as error:
            raise _store_error(error) from None
        try:
            yield Draft(stream)
            stream.close()
        except (OSError, pa.ArrowException) as error:
            raise _store_error(error) from None
        finally:
            # What was not written to its end must not become an object at some later moment.
            with suppress(OSError, pa.ArrowException):
                stream.close()

    def open(self, path: str) -> Any:
        """The object, for reading some ranges of it."""
        warn_if_held("The archive's store")
        try:
            return self._files.open_input_file(self._key(path))
        except FileNotFoundError:
            raise
        except (OSError, pa.ArrowException) as error:
            raise _store_error(error) from None

    def delete(self, path: str) -> None:
        """Remove an object."""
        warn_if_held("The archive's store")
        try:
            self._files.delete_file(self._key(path))
        except FileNotFoundError:
            return
        except (OSError, pa.ArrowException) as error:
            raise _store_error(error) from None

    def _key(self, path: str) -> str:
        return f"{self._prefix}/{checked(path)}"


def _store_error(error: BaseException) -> StoreError:
    reason = (str(error).splitlines() or [""])[0][:200]
    return StoreError(f"The archive's store does not do its work: {reason}")


@lru_cache(maxsize=4)
def _s3(settings_json: str, secret: str) -> S3Store:
    settings = ArchiveSettings.model_validate_json(settings_json)
    return S3Store(settings.model_copy(update={"secret_access_key": SecretStr(secret) if secret else None}))


def store_for_new(settings: Settings) -> Store:
    """Where new files go."""
    return store_named(settings, S3 if settings.archive.url else LOCAL)


def store_named(settings: Settings, name: str) -> Store:
    """The store that holds a file. Raises StoreError when the settings no longer name it."""
    if name == LOCAL:
        return LocalStore(settings.archive.path or settings.home / "archive")
    if name != S3 or settings.archive.url is None:
        raise StoreError("it is in a store that the settings no longer name (FLEETKEEPER_ARCHIVE__URL)")
    secret = settings.archive.secret_access_key
    plain = settings.archive.model_dump_json(exclude={"secret_access_key"})
    return _s3(plain, secret.get_secret_value() if secret else "")


@asynccontextmanager
async def writing(store: Store, path: str) -> AsyncIterator[Draft]:
    """`store.writing`, without holding up the loop."""
    context = store.writing(path)
    draft: Draft = await asyncio.to_thread(context.__enter__)
    try:
        yield draft
    except BaseException:
        with suppress(Exception):
            context.__exit__(*sys.exc_info())
        raise
    await asyncio.to_thread(context.__exit__, None, None, None)


def digest_of(store: Store, path: str) -> tuple[bytes, int]:
    """SHA-256 and size of a file as it is now."""
    digest, size = hashlib.sha256(), 0
    with store.open(path) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.digest(), size


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
