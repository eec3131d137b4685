"""The states of an API token. They follow from its columns; a revoked one is no longer there."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import case, func

from fleetkeeper.identity.models import ApiToken
from fleetkeeper.kit.status import Machine


class TokenState(StrEnum):
    """Whether a token is accepted."""

    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


TOKENS = Machine(
    "token",
    moves={
        TokenState.ACTIVE: frozenset({TokenState.EXPIRED, TokenState.REVOKED}),
        TokenState.EXPIRED: frozenset({TokenState.REVOKED}),
        TokenState.REVOKED: frozenset(),
    },
    tones={TokenState.ACTIVE: "good", TokenState.EXPIRED: "", TokenState.REVOKED: "bad"},
)
STATE = case((ApiToken.expires_at <= func.now(), TokenState.EXPIRED), else_=TokenState.ACTIVE)


def state_of(token: ApiToken, now: datetime) -> TokenState:
    """The state of a token that is there."""
    is_over = token.expires_at is not None and token.expires_at <= now
    return TokenState.EXPIRED if is_over else TokenState.ACTIVE
