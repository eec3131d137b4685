"""The states of an enrollment token. They follow from its columns."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import case, func

from fleetkeeper.fleet.models import EnrollmentToken
from fleetkeeper.kit.status import Machine


class EnrollmentTokenState(StrEnum):
    """Whether machines can enroll with a token."""

    ACTIVE = "active"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"


ENROLLMENT_TOKENS = Machine(
    "enrollment token",
    moves={
        EnrollmentTokenState.ACTIVE: frozenset(
            {EnrollmentTokenState.USED_UP, EnrollmentTokenState.EXPIRED, EnrollmentTokenState.REVOKED}
        ),
        EnrollmentTokenState.USED_UP: frozenset(),
        EnrollmentTokenState.EXPIRED: frozenset(),
        EnrollmentTokenState.REVOKED: frozenset(),
    },
    tones={
        EnrollmentTokenState.ACTIVE: "good",
        EnrollmentTokenState.USED_UP: "",
        EnrollmentTokenState.EXPIRED: "",
        EnrollmentTokenState.REVOKED: "bad",
    },
)
STATE = case(
    (EnrollmentToken.revoked_at.is_not(None), EnrollmentTokenState.REVOKED),
    (EnrollmentToken.uses >= EnrollmentToken.max_uses, EnrollmentTokenState.USED_UP),
    (EnrollmentToken.expires_at <= func.now(), EnrollmentTokenState.EXPIRED),
    else_=EnrollmentTokenState.ACTIVE,
)


def state_of(token: EnrollmentToken, now: datetime) -> EnrollmentTokenState:
    """The state of a token."""
    if token.revoked_at is not None:
        return EnrollmentTokenState.REVOKED
    if token.uses >= token.max_uses:
        return EnrollmentTokenState.USED_UP
    return EnrollmentTokenState.EXPIRED if token.expires_at <= now else EnrollmentTokenState.ACTIVE
