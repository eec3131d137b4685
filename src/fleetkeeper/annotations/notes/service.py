"""Reading, writing, editing and deleting notes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.models import Note
from fleetkeeper.annotations.notes.schemas import NoteCreate, NotePage, NoteRead, NoteUpdate
from fleetkeeper.annotations.objects import check_visible, check_writable
from fleetkeeper.annotations.schemas import parts_of
from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "author": Field(Note.author.expression, str),
        "created_at": Field(Note.created_at.expression, datetime),
    },
    search=(Note.body.expression,),
    key=Note.id.expression,
    default_ordering="-created_at",
)


async def list_notes(
    session: AsyncSession, actor: Actor, object_name: str, parameters: Sequence[tuple[str, str]]
) -> NotePage:
    """One page of an object's notes, newest first. Raises NotFoundError for an object that the actor may not see."""
    object_type, object_id = parts_of(object_name)
    await check_visible(session, actor, object_type, object_id)
    notes = select(Note).where(Note.object_type == object_type, Note.object_id == object_id)
    return await LISTING.read(session, notes, parameters, NotePage, lambda row: _read(row[0], actor))


async def get_note(session: AsyncSession, actor: Actor, note_id: UUID) -> NoteRead:
    """One note. Raises NotFoundError where the actor may not see its object."""
    return _read(await _find(session, actor, note_id), actor)


async def create_note(session: AsyncSession, actor: Actor, wanted: NoteCreate) -> NoteRead:
    """Write a note. Raises NotFoundError, and ForbiddenError for an object that the actor may not change."""
    object_type, object_id = parts_of(wanted.object)
    await check_writable(session, actor, object_type, object_id)
    note = Note(
        object_type=object_type,
        object_id=object_id,
        body=wanted.body,
        author_id=actor.user_id,
        author=actor.name[:300],
    )
    session.add(note)
    await session.flush()
    await session.refresh(note)
    return _read(note, actor)


async def update_note(session: AsyncSession, actor: Actor, note_id: UUID, changes: NoteUpdate) -> NoteRead:
    """Edit a note. Raises NotFoundError, ForbiddenError."""
    note = await _writable(session, actor, note_id)
    if note.body != changes.body:
        note.body, note.edited_at = changes.body, utc_now()
        await session.flush()
    return _read(note, actor)


async def delete_note(session: AsyncSession, actor: Actor, note_id: UUID) -> None:
    """Delete a note. Raises NotFoundError, ForbiddenError."""
    await session.delete(await _writable(session, actor, note_id))
    await session.flush()


def may_edit(actor: Actor, *, is_own: bool) -> bool:
    """Whether a note on an object that the actor may change is theirs to edit."""
    return is_own or actor.may(Permission.NOTES_WRITE)


async def _find(session: AsyncSession, actor: Actor, note_id: UUID) -> Note:
    note = await session.get(Note, note_id)
    if note is None:
        raise NotFoundError("There is no such note.")
    await check_visible(session, actor, note.object_type, note.object_id)
    return note


async def _writable(session: AsyncSession, actor: Actor, note_id: UUID) -> Note:
    note = await _find(session, actor, note_id)
    await check_writable(session, actor, note.object_type, note.object_id)
    if not may_edit(actor, is_own=_is_own(note, actor)):
        raise ForbiddenError(f"Notes of others need the permission {Permission.NOTES_WRITE}.")
    return note


def _is_own(note: Note, actor: Actor) -> bool:
    return note.author_id is not None and note.author_id == actor.user_id


def _read(note: Note, actor: Actor) -> NoteRead:
    return NoteRead(
        id=note.id,
        object=f"{note.object_type}:{note.object_id}",
        body=note.body,
        author=note.author,
        is_own=_is_own(note, actor),
        created_at=note.created_at,
        edited_at=note.edited_at,
    )
