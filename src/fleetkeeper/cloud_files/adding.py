"""Taking on files: from a person, or from the device whose request it is."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.attachments.names import clean_name, type_of
from fleetkeeper.cloud_files import queries
from fleetkeeper.cloud_files.models import CloudFileRef
from fleetkeeper.cloud_files.names import joined, store_name
from fleetkeeper.cloud_files.schemas import FileType
from fleetkeeper.cloud_files.spool import root_of, spooled_path
from fleetkeeper.database.engine import settings_of
from fleetkeeper.device_requests import queries as requests
from fleetkeeper.device_requests.models import DeviceRequest
from fleetkeeper.device_requests.responses.queries import own_request
from fleetkeeper.device_requests.service import locked_to_write
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.body_spool import SpooledBody
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.settings.cloud_files import MEGABYTE, CloudFileSettings

SYNC = "cloud_files.sync"


@dataclass(frozen=True)
class NewFile:
    """A file as it came: what the sender calls it, and its content on this server."""

    name: str
    file_type: FileType
    body: SpooledBody
    sender: str


async def add_file(session: AsyncSession, actor: Actor, request_id: UUID, new: NewFile) -> CloudFileRef:
    """Add a person's file to a request that they may handle.

    Raises NotFoundError, ForbiddenError, InvalidInputError for an empty file, and ConflictError where there would be
    too much or no store takes it.
    """
    return await _add(session, await locked_to_write(session, actor, request_id), new)


async def add_device_file(
    session: AsyncSession, device_id: UUID, request_id: UUID, new: NewFile
) -> CloudFileRef:
    """Add a device's file to its own request. Raises as `add_file` does."""
    if await own_request(session, device_id, request_id) is None:
        raise NotFoundError("There is no such request of this device.")
    request = await requests.locked(session, request_id)
    if request is None:
        raise NotFoundError("There is no such request of this device.")
    return await _add(session, request, new)


async def _add(session: AsyncSession, request: DeviceRequest, new: NewFile) -> CloudFileRef:
    settings = settings_of(session)
    await _check_room(session, settings.cloud_files, request.id, new.body.size_bytes)
    target = await queries.store_for(session, request.department_id)
    if target is None:
        raise ConflictError(
            "No active cloud store takes files of this department. Add one under Cloud stores."
        )
    response = await requests.response_of(session, request.id) if new.file_type == FileType.RESPONSE else None
    file_id, name = uuid7(), clean_name(new.name)
    file = CloudFileRef(
        id=file_id,
        request_id=request.id,
        response_id=response and response.id,
        store_id=target.id,
        name=name,
        media_type=type_of(name)[:100],
        file_type=new.file_type,
        cloud_provider=target.provider,
        cloud_path=joined(target.folder, store_name(file_id, name, target.provider)),
        file_size_bytes=new.body.size_bytes,
        sha256=new.body.sha256,
        uploaded_by=new.sender[:255],
    )
    session.add(file)
    await session.flush()
    root = root_of(settings.home, settings.cloud_files)
    # Should the transaction fail, the copy is of no row, and goes after a while.
    await asyncio.to_thread(new.body.keep_as, spooled_path(root, file_id))
    await wake(session, SYNC)
    await session.flush()
    await session.refresh(file)
    return file


async def _check_room(
    session: AsyncSession, limits: CloudFileSettings, request_id: UUID, size_bytes: int
) -> None:
    if not size_bytes:
        raise InvalidInputError("The file was not added.", fields=[FieldError("body", "Must not be empty")])
    count = await queries.count_of_request(session, request_id)
    if count >= limits.max_files_per_request:
        raise ConflictError(f"The request has {count} files already, the most that one can have.")
    if await queries.local_bytes(session) + size_bytes > limits.max_local_megabytes * MEGABYTE:
        raise ConflictError(
            f"All files on this server have at most {limits.max_local_megabytes:,} MiB; an administrator can raise "
            "FLEETKEEPER_CLOUD_FILES__MAX_LOCAL_MEGABYTES."
        )
