"""Making, limiting, rotating and revoking API tokens."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity import queries
from fleetkeeper.identity.models import ApiToken
from fleetkeeper.identity.service import TOKEN_PREFIX
from fleetkeeper.identity.users.service import is_name
from fleetkeeper.kit.secrets import hash_secret, make_secret


async def create_token(
    session: AsyncSession, username: str, name: str, *, now: datetime, expires_at: datetime | None = None
) -> str:
    """Make an API token for a user and return it; it cannot be shown again."""
    user = await queries.find_user(session, username)
    if user is None:
        raise InvalidInputError(
            "The token was not made.", fields=[FieldError("user", f"there is no user {username!r}")]
        )
    if not is_name(name):
        raise InvalidInputError(
            "The token was not made.", fields=[FieldError("name", "has 1 to 100 characters")]
        )
    secret = make_secret(TOKEN_PREFIX)
    session.add(
        ApiToken(
            user_id=user.id, name=name, secret_hash=hash_secret(secret), created_at=now, expires_at=expires_at
        ),
    )
    await session.flush()
    return secret
