"""Reading files, and what people do with them: try again, delete."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.cloud_files import queries
from fleetkeeper.cloud_files.adding import SYNC
from fleetkeeper.cloud_files.models import CloudFileRef
from fleetkeeper.cloud_files.schemas import CloudFilePage, CloudFileRead, DeviceFile
from fleetkeeper.cloud_files.status import CLOUD_FILES, SyncStatus
from fleetkeeper.database.status_history import move
from fleetkeeper.device_requests.responses.queries import own_request
from fleetkeeper.device_requests.service import get_request
from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now

NOT_THERE = "There is no such file."
REMOVE = "cloud_files.remove"
MOST_SHOWN = 1000


async def list_files(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> CloudFilePage:
    """One page of the files that the actor may see."""
    return await queries.LISTING.read(
        session, queries.visible_to(actor), parameters, CloudFilePage, _read, is_counted=is_counted
    )


async def list_files_of(
    session: AsyncSession, actor: Actor, request_id: UUID, parameters: Sequence[tuple[str, str]]
) -> CloudFilePage:
    """One page of a request's files. Raises NotFoundError for one that the actor may not see."""
    await get_request(session, actor, request_id)
    of_request = queries.visible_to(actor).where(CloudFileRef.request_id == request_id)
    return await queries.LISTING.read(session, of_request, parameters, CloudFilePage, _read)


async def get_file(session: AsyncSession, actor: Actor, file_id: UUID) -> CloudFileRead:
    """One file, without its content. Raises NotFoundError."""
    found = queries.visible_to(actor).where(CloudFileRef.id == file_id)
    row = (await session.execute(found.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        raise NotFoundError(NOT_THERE)
    return _read(row)


async def retry(session: AsyncSession, actor: Actor, file_id: UUID, reason: str = "") -> CloudFileRead:
    """Let a file be copied to its store from now on. Raises NotFoundError, ForbiddenError, ConflictError."""
    file = await _locked_to_write(session, actor, file_id)
    if file.sync_status != SyncStatus.PENDING:
        await move(session, CLOUD_FILES, file, SyncStatus.PENDING, reason=reason, column="sync_status")
    file.attempts = 0
    file.problem = ""
    file.next_attempt_at = utc_now()
    file.version += 1
    await session.flush()
    await wake(session, SYNC)
    return await get_file(session, actor, file_id)


async def delete_file(session: AsyncSession, actor: Actor, file_id: UUID) -> CloudFileRead:
    """Delete a file here and, soon, in its store; what it was is told. Raises NotFoundError, ForbiddenError."""
    gone = await get_file(session, actor, file_id)
    await session.delete(await _locked_to_write(session, actor, file_id))
    await session.flush()
    await wake(session, REMOVE)
    return gone


async def files_of_device(session: AsyncSession, device_id: UUID, request_id: UUID) -> list[DeviceFile]:
    """The files of a device's own request. Raises NotFoundError."""
    if await own_request(session, device_id, request_id) is None:
        raise NotFoundError("There is no such request of this device.")
    rows = await session.scalars(queries.of_device(device_id, request_id).limit(MOST_SHOWN))
    return [DeviceFile.model_validate(one) for one in rows]


async def get_device_file(
    session: AsyncSession, device_id: UUID, request_id: UUID, file_id: UUID
) -> DeviceFile:
    """One of them. Raises NotFoundError."""
    found = queries.of_device(device_id, request_id).where(CloudFileRef.id == file_id)
    file = await session.scalar(found)
    if file is None:
        raise NotFoundError(NOT_THERE)
    return DeviceFile.model_validate(file)


async def _locked_to_write(session: AsyncSession, actor: Actor, file_id: UUID) -> CloudFileRef:
    place = await session.scalar(select(CloudFileRef).where(CloudFileRef.id == file_id))
    known = actor.scope(Permission.REQUESTS_READ) | actor.scope(Permission.REQUESTS_WRITE)
    if place is None or place.department_id not in known:
        raise NotFoundError(NOT_THERE)
    if not actor.may_in(Permission.REQUESTS_WRITE, place.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.REQUESTS_WRITE} in its department.")
    file = await queries.locked(session, file_id)
    if file is None or not actor.may_in(Permission.REQUESTS_WRITE, file.department_id):
        raise NotFoundError(NOT_THERE)
    return file


def _read(row: Any) -> CloudFileRead:
    read = CloudFileRead.model_validate(row[0])
    return read.model_copy(update={"request_type": row.request_type, "store_name": row.store_name})
