"""What the API says of notes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.annotations.schemas import ObjectName
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_BODY = shaped(r"^[^\x00]*[^\s\x00][^\x00]*$", "not be empty")
Body = Annotated[str, Field(max_length=10_000, pattern=_BODY, description="Text in Markdown")]


class NoteCreate(BaseModel):
    """A new note."""

    model_config = ConfigDict(extra="forbid")

    object: ObjectName
    body: Body


class NoteUpdate(BaseModel):
    """A note's new text."""

    model_config = ConfigDict(extra="forbid")

    body: Body


class NoteRead(BaseModel):
    """A note."""

    id: UUID
    object: str
    body: str
    author: str = Field(description="Who wrote it, by the name they had then")
    is_own: bool
    created_at: datetime
    edited_at: datetime | None


class NotePage(PageOf[NoteRead]):
    """One page of notes, newest first."""
