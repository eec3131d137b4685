"""What the API says of notes."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_BODY = shaped(r"^[^\x00]*[^\s\x00][^\x00]*$", "not be empty")
_OBJECT = shaped(
    r"^[a-z_]{1,63}:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
    "be a kind of object and an ID, such as devices:0198c0de-7c00-7a00-8000-000000000000",
)
Body = Annotated[str, Field(max_length=10_000, pattern=_BODY, description="Text in Markdown")]
ObjectName = Annotated[
    str, Field(max_length=100, pattern=_OBJECT, description="The object: `devices:` and the ID of a device")
]


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


def parts_of(name: str) -> tuple[str, UUID]:
    """Type and ID of an object's name."""
    object_type, _, object_id = name.partition(":")
    return object_type, UUID(object_id)
