"""Notes as cards, and the forms that write them."""

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.notes import service
from fleetkeeper.annotations.notes.rendering import html_of
from fleetkeeper.annotations.notes.schemas import NoteCreate, NoteRead, NoteUpdate
from fleetkeeper.console.contexts.notes import NoteCard, Notes
from fleetkeeper.console.contexts.panels import EntryForm, Fragment, RowAction
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.identity.actor import Actor

SHOWN = "50"
_TEXT = Widget("Text", hint="Markdown: **bold**, lists, links, `code`")
NEW = Form(
    NoteCreate, "new-note", "Add note", "Add note", {"body": _TEXT, "object": Widget("", kind="hidden")}
)


def edit_form(note: NoteRead) -> Form[NoteUpdate]:
    """The form for a note: several stand on one page."""
    return Form(NoteUpdate, f"note-{note.id}", "Edit note", "Save note", {"body": _TEXT})


def new_form(object_name: str) -> EntryForm:
    """The form for another note."""
    return NEW.shown("/notes", NoteCreate.model_construct(object=object_name, body=""))


async def notes_of(session: AsyncSession, actor: Actor, object_name: str, *, may_write: bool) -> Fragment:
    """The newest notes of an object that the actor may see."""
    page = await service.list_notes(session, actor, object_name, [("limit", SHOWN)])
    cards = tuple(_card(actor, one, may_write=may_write) for one in page.results)
    form = new_form(object_name) if may_write else None
    return Fragment("notes/_cards.html", Notes(cards, page.count, form, actor.csrf_token or ""))


def _card(actor: Actor, note: NoteRead, *, may_write: bool) -> NoteCard:
    may_edit = may_write and service.may_edit(actor, is_own=note.is_own)
    delete = RowAction("Delete", f"/notes/{note.id}/delete", "Delete this note? This cannot be undone.")
    return NoteCard(
        author=note.author,
        text=Markup(html_of(note.body)),  # noqa: S704 - sanitized
        created_at=note.created_at,
        edited_at=note.edited_at,
        edit_form=edit_form(note).shown(f"/notes/{note.id}", note) if may_edit else None,
        delete=delete if may_edit else None,
    )
