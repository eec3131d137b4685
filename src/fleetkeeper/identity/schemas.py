"""What the API says of the caller."""

from uuid import UUID

from pydantic import BaseModel


class PermissionScope(BaseModel):
    """Where a permission holds."""

    permission: str
    everywhere: bool
    departments: list[UUID]


class WhoAmI(BaseModel):
    """The caller."""

    user_id: UUID | None
    username: str
    roles: list[str]
    permissions: list[str]
    scopes: list[PermissionScope]
    must_enrol_second_factor: bool
