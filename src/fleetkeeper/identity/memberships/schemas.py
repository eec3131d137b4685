"""What the API says of memberships."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.identity.texts import Name
from fleetkeeper.kit.pagination import PageOf


class MembershipCreate(BaseModel):
    """A role to give."""

    model_config = ConfigDict(extra="forbid")

    role: Name = Field(description="The role's name")
    department_id: UUID | None = Field(
        default=None, description="Where it holds, all departments below included; null is everywhere"
    )


class MemberCreate(BaseModel):
    """A role for somebody in a department."""

    model_config = ConfigDict(extra="forbid")

    username: Name
    role: Name = Field(description="The role's name")


class MembershipRead(BaseModel):
    """A role that a user or a group has."""

    id: UUID
    user_id: UUID | None
    group_id: UUID | None
    holder: str = Field(description="Name of the user or the group")
    role_id: UUID
    role: str
    department_id: UUID | None = Field(description="null is everywhere")
    department: str | None = Field(description="The department's path")
    assigned_at: datetime
    assigned_by: UUID | None


class MembershipPage(PageOf[MembershipRead]):
    """One page of memberships."""


class AccessSource(BaseModel):
    """Why somebody has a permission."""

    role: str
    via: str = Field(description="direct, group, or manager of the department")
    group_id: UUID | None
    group: str | None
    department_id: UUID | None = Field(description="null is everywhere")
    department: str | None
    membership_id: UUID | None


class DepartmentRef(BaseModel):
    """A department by its path."""

    id: UUID
    path: str


class PermissionAccess(BaseModel):
    """Where somebody has a permission, and why."""

    permission: str
    everywhere: bool
    departments: list[DepartmentRef] = Field(description="The topmost ones; those below are included")
    because: list[AccessSource]


class UserAccess(BaseModel):
    """What a user can see and do, and why. A disabled user can do nothing of it."""

    user_id: UUID
    username: str
    enabled: bool
    needs_second_factor: bool
    sources: list[AccessSource]
    permissions: list[PermissionAccess]
