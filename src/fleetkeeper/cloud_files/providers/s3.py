"""A bucket of an S3-like store, or a prefix in one."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from fleetkeeper.cloud_files.providers.protocol import (
    BLOCK_BYTES,
    Cargo,
    FileGoneError,
    Place,
    Progress,
    StoreError,
)
from fleetkeeper.kit.outgoing import OutgoingError, Reach, resolve

_Result = TypeVar("_Result")
_TIMEOUT_SECONDS = 30
_ATTEMPTS = 3


@dataclass(frozen=True)
class Bucket:
    """Which bucket, where, and how one signs in. Without an endpoint it is Amazon's."""

    name: str
    prefix: str
    endpoint: str
    region: str
    access_key_id: str
    secret_access_key: str


class S3Store:
    """Objects of a bucket. An object is there when its upload is complete, or not at all."""

    def __init__(self, bucket: Bucket, reach: Reach) -> None:
        self._bucket = bucket
        self._reach = reach
        self._files: Any = None

    async def put(self, cargo: Cargo, progress: Progress) -> Place:
        """An upload in parts; what was not ended leaves nothing."""
        del progress
        await self._do(lambda: self._put(cargo))
        return Place(cargo.cloud_path)

    async def get(self, place: Place) -> AsyncGenerator[bytes, None]:
        """A block at a time."""
        stream = await self._do(lambda: self._files.open_input_stream(self._key(place.cloud_path)))
        try:
            while block := await self._do(lambda: stream.read(BLOCK_BYTES)):
                yield block
        finally:
            with suppress(OSError, pa.ArrowException):
                stream.close()

    async def delete(self, place: Place) -> None:
        """Remove an object."""
        with suppress(FileGoneError):
            await self._do(lambda: self._files.delete_file(self._key(place.cloud_path)))

    async def check(self) -> str:
        """Write and remove a small object."""
        await self._do(self._try)
        return "The bucket can be written."

    async def _do(self, work: Callable[[], _Result]) -> _Result:
        """Something that blocks, in a thread. Raises StoreError."""
        try:
            await self._check_reach()
            if self._files is None:
                self._files = await asyncio.to_thread(self._connected)
            return await asyncio.to_thread(work)
        except FileNotFoundError:
            raise FileGoneError("The object is not in its bucket.") from None
        except OutgoingError as error:
            raise StoreError(str(error)) from None
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = (str(error).splitlines() or [""])[0][:300].rstrip(".")
            raise StoreError(f"The bucket cannot be used: {reason}.") from None

    async def _check_reach(self) -> None:
        """The library resolves the name itself, so each use is checked before."""
        if self._bucket.endpoint:
            parts = urlsplit(self._bucket.endpoint)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            await resolve(parts.hostname or "", port, self._reach)

    def _connected(self) -> Any:
        bucket = self._bucket
        scheme, _, address = bucket.endpoint.rpartition("://")
        return fs.S3FileSystem(
            access_key=bucket.access_key_id,
            secret_key=bucket.secret_access_key,
            endpoint_override=address or None,
            scheme=scheme or "https",
            region=bucket.region or "us-east-1",
            connect_timeout=_TIMEOUT_SECONDS,
            request_timeout=_TIMEOUT_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=_ATTEMPTS),
        )

    def _put(self, cargo: Cargo) -> None:
        key = self._key(cargo.cloud_path)
        there = self._files.get_file_info(key)
        if (
            there.type == fs.FileType.File
            and there.size == cargo.size_bytes
            and self._digest(key) == cargo.sha256
        ):
            return
        if cargo.path.stat().st_size != cargo.size_bytes:
            raise StoreError("The copy on this server is shorter than it was.", is_final=True)
        stream = self._files.open_output_stream(key)
        try:
            with cargo.path.open("rb") as source:
                while block := source.read(BLOCK_BYTES):
                    stream.write(block)
            stream.close()
        except BaseException:
            # What was not written to its end must not stay as an object.
            with suppress(OSError, pa.ArrowException):
                stream.close()
                self._files.delete_file(key)
            raise

    def _digest(self, key: str) -> str:
        digest = hashlib.sha256()
        with self._files.open_input_stream(key) as stream:
            while block := stream.read(BLOCK_BYTES):
                digest.update(block)
        return digest.hexdigest()

    def _try(self) -> None:
        key = self._key("/".join(part for part in (self._bucket.prefix, ".fleetkeeper-check") if part))
        with self._files.open_output_stream(key) as stream:
            stream.write(b"check")
        self._files.delete_file(key)

    def _key(self, cloud_path: str) -> str:
        return f"{self._bucket.name}/{cloud_path}"
