"""What the API says of sessions."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, Field

from fleetkeeper.kit.pagination import PageOf


class SessionRead(BaseModel):
    """A signed-in browser."""

    id: UUID
    user_id: UUID
    username: str
    address: str | None
    user_agent: str
    method: str = Field(description="How they proved who they are, such as password, passkey or oidc")
    has_second_factor: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: bool = Field(description="Whether this request came by it")


class SessionPage(PageOf[SessionRead]):
    """One page of sessions."""
