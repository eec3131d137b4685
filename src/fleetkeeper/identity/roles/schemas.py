"""What the API says of roles."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.pagination import PageOf


class RoleCreate(BaseModel):
    """A new role."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    permissions: list[Permission] = Field(max_length=len(Permission))
    requires_second_factor: bool = False


class RoleUpdate(BaseModel):
    """What may be changed of a role; of a built-in one `requires_second_factor` only."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    description: Description | None = None
    permissions: list[Permission] | None = Field(default=None, max_length=len(Permission))
    requires_second_factor: bool | None = None


class RoleRead(BaseModel):
    """A role."""

    id: UUID
    name: str
    description: str
    is_builtin: bool
    requires_second_factor: bool = Field(description="Whoever has it must sign in with a second factor")
    permissions: list[str]
    memberships: int = Field(description="How often it has been given")
    version: int
    created_at: datetime
    updated_at: datetime


class RolePage(PageOf[RoleRead]):
    """One page of roles."""


class MatrixPermission(BaseModel):
    """A row of the matrix."""

    name: str
    is_scoped: bool = Field(
        description="Can be limited to a department; if false, the role must be assigned everywhere"
    )


class RoleMatrix(BaseModel):
    """Every permission and every role with what it allows."""

    permissions: list[MatrixPermission]
    roles: list[RoleRead]
