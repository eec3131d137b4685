"""What the API says of the caller."""

from uuid import UUID

from pydantic import BaseModel


class WhoAmI(BaseModel):
    """The caller."""

    user_id: UUID
    username: str
    role: str
    permissions: list[str]
