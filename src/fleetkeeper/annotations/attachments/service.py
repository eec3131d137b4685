"""Listing, adding, reading and deleting attachments."""

import asyncio
import hashlib
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.attachments import queries
from fleetkeeper.annotations.attachments.names import clean_name, type_of
from fleetkeeper.annotations.attachments.schemas import AttachmentPage, AttachmentRead
from fleetkeeper.annotations.models import Attachment
from fleetkeeper.annotations.objects import check_visible, check_writable
from fleetkeeper.annotations.schemas import parts_of
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError, TooLargeError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.settings.attachments import MEGABYTE, AttachmentSettings


async def list_attachments(
    session: AsyncSession, actor: Actor, object_name: str, parameters: Sequence[tuple[str, str]]
) -> AttachmentPage:
    """One page of an object's files, newest first. Raises NotFoundError for an object that the actor may not see."""
    object_type, object_id = parts_of(object_name)
    await check_visible(session, actor, object_type, object_id)
    files = queries.of_object(object_type, object_id)
    return await queries.LISTING.read(session, files, parameters, AttachmentPage, lambda row: _read(row[0]))


async def get_attachment(session: AsyncSession, actor: Actor, attachment_id: UUID) -> AttachmentRead:
    """One file, without its content. Raises NotFoundError where the actor may not see its object."""
    return _read(await _find(session, actor, attachment_id))


async def add_attachment(
    session: AsyncSession,
    actor: Actor,
    limits: AttachmentSettings,
    object_name: str,
    name: str,
    content: Sequence[bytes],
) -> AttachmentRead:
    """Attach a file, whose content comes in parts, to an object.

    Raises NotFoundError, ForbiddenError for an object that the actor may not change, TooLargeError, InvalidInputError
    for an empty file, and ConflictError where there would be too much.
    """
    object_type, object_id = parts_of(object_name)
    await check_writable(session, actor, object_type, object_id)
    size_bytes = sum(map(len, content))
    await _check_room(session, limits, object_type, object_id, size_bytes)
    cleaned = clean_name(name)
    file = Attachment(
        object_type=object_type,
        object_id=object_id,
        name=cleaned,
        media_type=type_of(cleaned),
        size_bytes=size_bytes,
        sha256=await _digest(content),
        author_id=actor.user_id,
        author=actor.name[:300],
    )
    session.add(file)
    await session.flush()
    await queries.store_parts(session, file.id, content)
    await session.refresh(file)
    return _read(file)


async def delete_attachment(session: AsyncSession, actor: Actor, attachment_id: UUID) -> AttachmentRead:
    """Delete a file; what it was is told. Raises NotFoundError, ForbiddenError."""
    file = await _find(session, actor, attachment_id)
    await check_writable(session, actor, file.object_type, file.object_id)
    await session.delete(file)
    await session.flush()
    return _read(file)


async def _check_room(
    session: AsyncSession, limits: AttachmentSettings, object_type: str, object_id: UUID, size_bytes: int
) -> None:
    if not size_bytes:
        raise InvalidInputError(
            "The file was not attached.", fields=[FieldError("body", "Must not be empty")]
        )
    if size_bytes > limits.max_file_bytes:
        raise TooLargeError(f"A file has at most {limits.max_file_megabytes} MiB.")
    count, held_bytes = await queries.held_by(session, object_type, object_id)
    if count >= limits.max_files_per_object:
        raise ConflictError(
            f"There are {count} files already, the most that one object can have; delete some first."
        )
    if held_bytes + size_bytes > limits.max_megabytes_per_object * MEGABYTE:
        most = limits.max_megabytes_per_object
        raise ConflictError(f"The files of one object have at most {most} MiB together; delete some first.")
    if await queries.total_bytes(session) + size_bytes > limits.max_total_megabytes * MEGABYTE:
        raise ConflictError(
            f"All files together have at most {limits.max_total_megabytes:,} MiB; an administrator can raise "
            "FLEETKEEPER_ATTACHMENTS__MAX_TOTAL_MEGABYTES."
        )


async def _digest(content: Sequence[bytes]) -> bytes:
    digest = hashlib.sha256()
    for part in content:
        digest.update(part)
        # Other requests have their turn.
        await asyncio.sleep(0)
    return digest.digest()


async def _find(session: AsyncSession, actor: Actor, attachment_id: UUID) -> Attachment:
    file = await session.get(Attachment, attachment_id)
    if file is None:
        raise NotFoundError("There is no such file.")
    await check_visible(session, actor, file.object_type, file.object_id)
    return file


def _read(file: Attachment) -> AttachmentRead:
    return AttachmentRead(
        id=file.id,
        object=f"{file.object_type}:{file.object_id}",
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        sha256=file.sha256.hex(),
        author=file.author,
        created_at=file.created_at,
    )
