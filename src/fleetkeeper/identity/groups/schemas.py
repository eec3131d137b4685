"""What the API says of groups."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, LongName
from fleetkeeper.kit.pagination import PageOf


class GroupCreate(BaseModel):
    """A new group."""

    model_config = ConfigDict(extra="forbid")

    name: LongName
    description: Description = ""
    provider_id: UUID | None = Field(
        default=None, description="The provider that says who is in it, by the group's name there"
    )


class GroupUpdate(BaseModel):
    """What may be changed of a group."""

    model_config = ConfigDict(extra="forbid")

    name: LongName | None = None
    description: Description | None = None


class GroupRead(BaseModel):
    """A group."""

    id: UUID
    name: str
    description: str
    source: str = Field(description="local, oidc or scim: who says who is in it")
    provider_id: UUID | None
    members: int
    version: int
    created_at: datetime
    updated_at: datetime


class GroupPage(PageOf[GroupRead]):
    """One page of groups."""
