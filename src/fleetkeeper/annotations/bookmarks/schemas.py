"""What the API says of bookmarks."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import LongName
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

# One slash: two lead to another host.
_PATH = shaped(
    r"^/([A-Za-z0-9._~!$&'()*+,;=:@%?\[\]|{}-][A-Za-z0-9._~!$&'()*+,;=:@%?/\[\]|{}-]*)?$",
    "be the address of a page in the console, such as /devices?status=offline",
)
PagePath = Annotated[
    str,
    Field(max_length=2000, pattern=_PATH, description="Address of a page in the console, without its host"),
]


class BookmarkCreate(BaseModel):
    """A page to mark."""

    model_config = ConfigDict(extra="forbid")

    path: PagePath
    title: LongName


class BookmarkRead(BaseModel):
    """A page that is marked."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    path: str
    title: str
    created_at: datetime


class BookmarkPage(PageOf[BookmarkRead]):
    """One page of bookmarks, by title."""
