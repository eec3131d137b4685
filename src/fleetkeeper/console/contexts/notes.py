"""Notes on the page of an object."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from fleetkeeper.console.contexts.panels import EntryForm, RowAction


@dataclass(frozen=True)
class NoteCard:
    """A note as it is shown; with a form and a button for those who may edit it."""

    author: str
    text: Markup
    created_at: datetime
    edited_at: datetime | None
    edit_form: EntryForm | None
    delete: RowAction | None


@dataclass(frozen=True)
class Notes:
    """The newest notes of an object, how many there are, and the form for another."""

    cards: tuple[NoteCard, ...]
    count: int
    new_form: EntryForm | None
    csrf_token: str
