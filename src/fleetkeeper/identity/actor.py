"""Who acts: the one type that services get to see. Knows nothing of HTTP."""

from dataclasses import dataclass
from uuid import UUID

from fleetkeeper.identity.permissions import Permission


@dataclass(frozen=True)
class Actor:
    """A user, by a browser session or an API token."""

    user_id: UUID
    username: str
    role: str
    permissions: frozenset[Permission]
    session_id: UUID | None = None
    token_id: UUID | None = None
    csrf_token: str | None = None

    def may(self, permission: Permission) -> bool:
        """Whether this actor has the permission."""
        return permission in self.permissions
