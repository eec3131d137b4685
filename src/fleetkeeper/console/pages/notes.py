"""`/notes`: writing, editing and deleting notes, which stand on the pages of their objects."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from fleetkeeper.annotations.notes import service
from fleetkeeper.annotations.notes.schemas import NoteRead
from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.annotations.schemas import parts_of
from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.details import tab_of
from fleetkeeper.console.note_panels import NEW, edit_form, new_form
from fleetkeeper.console.panels import Sent, done, refused, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.actor import Actor

router = APIRouter(prefix="/notes")


@router.post("")
async def create_note(request: Request, sent: FormLists, actor: SignedIn, session: Session) -> Response:
    """Write a note."""

    async def make() -> NoteRead:
        return await service.create_note(session, actor, NEW.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        form = new_form(next(iter(sent.get("object", ())), ""))
        return _again(actor, "Add note", form, error, sent)

    return await submit(request, session, make(), _page_of, again)


@router.post("/{note_id}")
async def update_note(
    request: Request, note_id: UUID, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Edit a note."""
    note = await service.get_note(session, actor, note_id)
    form = edit_form(note)

    async def change() -> NoteRead:
        return await service.update_note(session, actor, note_id, form.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return _again(actor, "Edit note", form.shown(f"/notes/{note_id}", note), error, sent)

    return await submit(request, session, change(), _page_of, again)


@router.post("/{note_id}/delete")
async def delete_note(request: Request, note_id: UUID, actor: SignedIn, session: Session) -> Response:
    """Delete a note."""
    note = await service.get_note(session, actor, note_id)
    await service.delete_note(session, actor, note_id)
    return done(request, _page_of(note))


def _page_of(note: NoteRead) -> str:
    object_type, object_id = parts_of(note.object)
    return tab_of(KINDS[object_type].href.format(object_id), "notes")


def _again(actor: Actor, title: str, form: EntryForm, error: FleetkeeperError, sent: Sent) -> Response:
    return show_page(actor, "", title, [refused(form, error, sent)], status=error.status)
