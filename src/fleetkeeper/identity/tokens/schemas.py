"""What the API says of API tokens."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.texts import Name
from fleetkeeper.identity.tokens.presets import Preset
from fleetkeeper.identity.tokens.status import TokenState
from fleetkeeper.kit.networks import Network
from fleetkeeper.kit.pagination import PageOf

Permissions = Annotated[
    list[Permission] | None,
    Field(default=None, max_length=len(Permission), description="At most these; null is all of the user's"),
]
Departments = Annotated[
    list[UUID] | None,
    Field(default=None, max_length=100, description="Only in these and below; null is wherever the user may"),
]
Networks = Annotated[
    list[Network] | None,
    Field(default=None, max_length=20, description="From where it may be used; null is anywhere"),
]
Expiry = Annotated[
    AwareDatetime | None, Field(default=None, description="At most ten years ahead; null is never")
]


class TokenCreate(BaseModel):
    """A new API token of one's own."""

    model_config = ConfigDict(extra="forbid")

    name: Name = Field(description="Shown in the list of tokens and in the audit log")
    preset: Preset | None = Field(
        default=None,
        description="A choice of permissions instead of a list; `administer` is all of the user's, now and later",
    )
    permissions: Permissions
    departments: Departments
    allowed_networks: Networks
    expires_at: Expiry

    @field_validator("permissions")
    @classmethod
    def _no_list_beside_a_preset(
        cls, permissions: list[Permission] | None, info: ValidationInfo
    ) -> list[Permission] | None:
        if permissions is not None and info.data.get("preset") is not None:
            raise ValueError("Give either a preset or a list of permissions")
        return permissions


class TokenUpdate(BaseModel):
    """What may be changed of a token; null takes a limit away."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    permissions: Permissions
    departments: Departments
    allowed_networks: Networks
    expires_at: Expiry


class TokenRotate(BaseModel):
    """How a token gets a new secret."""

    model_config = ConfigDict(extra="forbid")

    overlap_seconds: int = Field(
        default=3600,
        ge=0,
        le=604_800,
        description="How long the old secret works beside the new one (seconds)",
    )


class TokenRead(BaseModel):
    """An API token, without its secret."""

    id: UUID
    user_id: UUID
    username: str
    name: str
    state: TokenState
    permissions: list[str] | None
    departments: list[UUID] | None
    allowed_networks: list[str] | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    last_used_address: str | None
    previous_expires_at: datetime | None = Field(
        description="Until when the secret before the last rotation works"
    )


class TokenCreated(TokenRead):
    """The one time that the secret is shown."""

    token: str


class TokenPage(PageOf[TokenRead]):
    """One page of tokens."""
