"""What the API says of attachments."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.kit.pagination import PageOf

FileName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1000,
        description="Name of the file; paths and control characters are removed",
    ),
]


class AttachmentRead(BaseModel):
    """A file that is attached to an object."""

    id: UUID
    object: str
    name: str
    media_type: str = Field(
        description="What it seems to be, by its name; it is downloaded as bytes whatever it is"
    )
    size_bytes: int
    sha256: str = Field(description="Checksum in hexadecimal")
    author: str = Field(description="Who attached it, by the name they had then")
    created_at: datetime


class AttachmentPage(PageOf[AttachmentRead]):
    """One page of attachments, newest first."""
