"""What the API says of delegations."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class DelegationCreate(BaseModel):
    """Somebody who decides on approval requests in one's place for a while."""

    model_config = ConfigDict(extra="forbid")

    to_user: Annotated[str, Field(min_length=1, max_length=100, description="Username")]
    starts_at: AwareDatetime | None = Field(default=None, description="Null: now")
    ends_at: AwareDatetime


class DelegationRead(BaseModel):
    """A delegation, of or to the reader."""

    id: UUID
    from_user: str
    to_user: str
    is_own: bool = Field(description="Whether the reader delegates; otherwise they stand in")
    starts_at: datetime
    ends_at: datetime
