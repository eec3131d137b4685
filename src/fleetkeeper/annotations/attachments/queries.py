"""The SQL of attachments."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Attachment, AttachmentPart
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "name": Field(Attachment.name.expression, str),
        "media_type": Field(Attachment.media_type.expression, str),
        "size_bytes": Field(Attachment.size_bytes.expression, int),
        "author": Field(Attachment.author.expression, str),
        "created_at": Field(Attachment.created_at.expression, datetime),
    },
    search=(Attachment.name.expression,),
    key=Attachment.id.expression,
    default_ordering="-created_at",
)
PART_BYTES = 256 * 1024


def of_object(object_type: str, object_id: UUID) -> Select[Any]:
    """The attachments of an object."""
    return select(Attachment).where(Attachment.object_type == object_type, Attachment.object_id == object_id)


async def held_by(session: AsyncSession, object_type: str, object_id: UUID) -> tuple[int, int]:
    """How many files an object has, and their size, which nobody changes until the transaction ends."""
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
    await session.execute(lock, {"key": f"attachments:{object_id}"})
    counted = of_object(object_type, object_id).with_only_columns(
        func.count(), func.coalesce(func.sum(Attachment.size_bytes), 0)
    )
    count, size_bytes = (await session.execute(counted)).one()
    return count, int(size_bytes)


async def total_bytes(session: AsyncSession) -> int:
    """The size of all files, those included that the transaction does not see."""
    return int(await session.scalar(text("SELECT attachment_bytes()")) or 0)


async def store_parts(session: AsyncSession, attachment_id: UUID, parts: Sequence[bytes]) -> None:
    """Store a file's content, a part at a time."""
    number = 0
    for whole in parts:
        for start in range(0, len(whole), PART_BYTES):
            data = whole if len(whole) <= PART_BYTES else whole[start : start + PART_BYTES]
            row = {"attachment_id": attachment_id, "number": number, "data": data}
            await session.execute(insert(AttachmentPart), row)
            number += 1


async def part_of(session: AsyncSession, attachment_id: UUID, number: int) -> bytes | None:
    """A part of a file's content; None after the last."""
    data: bytes | None = await session.scalar(
        select(AttachmentPart.data).where(
            AttachmentPart.attachment_id == attachment_id, AttachmentPart.number == number
        )
    )
    return data
