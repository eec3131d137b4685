"""What the API says of tags."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

_SLUG = shaped(
    r"^[a-z0-9]+(-[a-z0-9]+)*$", "be lowercase letters, digits and single dashes, such as web-servers"
)
Slug = Annotated[str, Field(min_length=1, max_length=60, pattern=_SLUG)]
Slugs = Annotated[list[Slug], Field(max_length=50)]
Color = Literal["gray", "blue", "green", "yellow", "red", "purple", "teal"]


class TagWrite(BaseModel):
    """A tag as it shall be."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    slug: Slug | None = Field(
        default=None,
        description="Used in filters; default: made from the name, or kept, where it is left out",
    )
    color: Color = "gray"
    description: Description = ""


class TagRead(BaseModel):
    """A tag."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    slug: str
    color: Color
    description: str
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def department_id(self) -> None:
        """A tag belongs to the whole installation."""
        return


class TagPage(PageOf[TagRead]):
    """One page of tags."""


class ObjectTags(BaseModel):
    """The tags of one object."""

    model_config = ConfigDict(extra="forbid")

    tags: Slugs = Field(default=[], description="Slugs of all tags that the object has")
