"""What the API says of departments."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Description, LongName
from fleetkeeper.kit.pagination import PageOf


class DepartmentCreate(BaseModel):
    """A new department."""

    model_config = ConfigDict(extra="forbid")

    name: LongName
    parent_id: UUID | None = Field(default=None, description="What it is a part of; null makes it a root")
    description: Description = ""


class DepartmentUpdate(BaseModel):
    """What may be changed of a department."""

    model_config = ConfigDict(extra="forbid")

    name: LongName | None = None
    description: Description | None = None
    parent_id: UUID | None = Field(default=None, description="null moves it to the top")
    manager_id: UUID | None = Field(
        default=None, description="Has the role manager in it and in all departments below"
    )


class DepartmentRead(BaseModel):
    """A department."""

    id: UUID
    name: str
    path: str = Field(description="Names from the top down, as far as the caller may see them")
    parent_id: UUID | None
    description: str
    manager_id: UUID | None
    manager: str | None = Field(description="The manager's username")
    version: int
    created_at: datetime
    updated_at: datetime


class DepartmentPage(PageOf[DepartmentRead]):
    """One page of departments."""
