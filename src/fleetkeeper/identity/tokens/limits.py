"""What a token's limits may be for a user at all. Pure."""

from datetime import datetime, timedelta
from uuid import UUID

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.limits import Limits
from fleetkeeper.identity.permissions import Permission

LONGEST_LIFE = timedelta(days=3653)


def check_limits(actor: Actor, wanted: Limits, known_departments: frozenset[UUID], now: datetime) -> None:
    """Raise InvalidInputError for a limit that the actor could not go up to themselves, or that is none."""
    problems = []
    lacking = [name for name in wanted.permissions or () if not actor.may(Permission(name))]
    if lacking:
        problems.append(
            FieldError("permissions", f"are permissions of your own, unlike {', '.join(lacking)}")
        )
    reach = Scope()
    for scope in actor.grants.values():
        reach |= scope
    if any(one not in known_departments or one not in reach for one in wanted.departments or ()):
        problems.append(FieldError("departments", "are departments in which you may do something"))
    if wanted.expires_at is not None and not now < wanted.expires_at <= now + LONGEST_LIFE:
        problems.append(FieldError("expires_at", "lies in the future, and at most ten years ahead"))
    if problems:
        raise InvalidInputError("The token would not work.", fields=problems)
