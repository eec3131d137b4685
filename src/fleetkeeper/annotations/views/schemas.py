"""What the API says of saved views."""

from datetime import datetime
from typing import Annotated
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_PATH = shaped(r"^(/[a-z0-9][a-z0-9_-]*)+$", "be the address of a list, such as /devices")
# They say where somebody is in a list, or how its rows are sent.
_PASSING = frozenset({"cursor", "limit"})


def without_page(query: str) -> str:
    """A query string written anew, without the page that it leads to."""
    return urlencode([item for item in parse_qsl(query) if item[0] not in _PASSING])


ListPath = Annotated[
    str, Field(max_length=200, pattern=_PATH, description="Address of the list in the console")
]
ListQuery = Annotated[
    str,
    Field(max_length=4000, pattern=r"^[^\x00]*$", description="Query string, such as `status=offline&q=web`"),
    AfterValidator(without_page),
]
Shared = Annotated[bool, Field(description="Whether everyone sees the view; needs `views:share`")]

Default = Annotated[bool, Field(description="Whether the list begins with this view for its owner")]


class SavedViewCreate(BaseModel):
    """A new saved view."""

    model_config = ConfigDict(extra="forbid")

    path: ListPath
    name: Name
    query: ListQuery = ""
    is_shared: Shared = False
    is_default: Default = False


class SavedViewUpdate(BaseModel):
    """Changes of a saved view. Its list stays."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    query: ListQuery | None = None
    is_shared: Shared | None = None
    is_default: Default | None = None

    @model_validator(mode="after")
    def _check_nulls(self) -> "SavedViewUpdate":
        emptied = sorted(name for name in self.model_fields_set if getattr(self, name) is None)
        if emptied:
            raise ValueError(f"{', '.join(emptied)} cannot be null")
        return self


class SavedViewRead(BaseModel):
    """A saved view."""

    id: UUID
    path: str
    name: str
    query: str
    is_shared: bool
    is_default: bool = Field(description="Whether the list begins with it for you")
    owner: str = Field(description="Username of the person who saved it")
    is_own: bool
    created_at: datetime
    updated_at: datetime


class SavedViewPage(PageOf[SavedViewRead]):
    """One page of saved views."""
