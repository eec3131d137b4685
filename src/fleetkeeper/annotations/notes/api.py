"""`/api/v1/notes`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from fleetkeeper.annotations.notes import service
from fleetkeeper.annotations.notes.schemas import NoteCreate, NotePage, NoteRead, NoteUpdate
from fleetkeeper.annotations.notes.service import LISTING as NOTES_LISTING
from fleetkeeper.annotations.schemas import ObjectName
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/notes", tags=["notes"])
NotesQuery = Annotated[ListParameters, listed_by(NOTES_LISTING)]
OBJECT = "object"


@router.get("", responses=problem_responses(401, 404, 422))
async def list_notes(
    request: Request,
    actor: SignedIn,
    session: Session,
    asked: NotesQuery,
    object_name: Annotated[ObjectName, Query(alias=OBJECT)],
) -> NotePage:
    """List the notes on an object that you may see, newest first."""
    rest = [item for item in asked if item[0] != OBJECT]
    page = await service.list_notes(session, actor, object_name, rest)
    # The object is no filter of the list, so its links do not know it.
    return with_links(page, request.url.path, more={OBJECT: object_name})


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 404, 422))
async def create_note(wanted: NoteCreate, actor: SignedIn, session: Session) -> NoteRead:
    """Write a note on an object that you may change."""
    return await service.create_note(session, actor, wanted)


@router.get("/{note_id}", responses=problem_responses(401, 404, 422))
async def get_note(note_id: UUID, actor: SignedIn, session: Session) -> NoteRead:
    """Get one note."""
    return await service.get_note(session, actor, note_id)


@router.patch("/{note_id}", responses=problem_responses(400, 401, 403, 404, 422))
async def update_note(note_id: UUID, changes: NoteUpdate, actor: SignedIn, session: Session) -> NoteRead:
    """Edit a note of yours, or any note with the permission `notes:write`."""
    return await service.update_note(session, actor, note_id, changes)


@router.delete("/{note_id}", status_code=204, responses=problem_responses(401, 403, 404, 422))
async def delete_note(note_id: UUID, actor: SignedIn, session: Session) -> None:
    """Delete a note of yours, or any note with the permission `notes:write`."""
    await service.delete_note(session, actor, note_id)
