"""What a token may be limited to: never more than whoever makes it has. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from uuid import UUID

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor, Scope
from fleetkeeper.identity.permissions import Permission

Network = IPv4Network | IPv6Network
LONGEST_LIFE = timedelta(days=3653)


@dataclass(frozen=True)
class Limits:
    """What a token is limited to; None limits nothing."""

    permissions: Sequence[str] | None = None
    departments: Sequence[UUID] | None = None
    allowed_networks: Sequence[Network] | None = None
    expires_at: datetime | None = None


def limits_from(
    permissions: Sequence[str] | None,
    departments: Sequence[UUID] | None,
    allowed_networks: Iterable[object] | None,
    expires_at: datetime | None,
) -> Limits:
    """The same from what a row holds."""
    networks = None if allowed_networks is None else [ip_network(str(one)) for one in allowed_networks]
    return Limits(permissions, departments, networks, expires_at)


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


def within(outer: Limits, wanted: Limits, below: frozenset[UUID]) -> Limits:
    """Limits for a token that another token makes: that one's own where none are wanted.

    `below` are the outer token's departments with all below them. Raises InvalidInputError for wider ones.
    """
    problems = []
    if outer.permissions is not None and not set(wanted.permissions or ()) <= set(outer.permissions):
        problems.append(FieldError("permissions", "are among those of the token that asks"))
    if outer.departments is not None and not set(wanted.departments or ()) <= below:
        problems.append(FieldError("departments", "are among those of the token that asks"))
    if outer.allowed_networks is not None and not all(
        any(_holds(wide, one) for wide in outer.allowed_networks) for one in wanted.allowed_networks or ()
    ):
        problems.append(FieldError("allowed_networks", "lie in those of the token that asks"))
    if (
        outer.expires_at is not None
        and wanted.expires_at is not None
        and wanted.expires_at > outer.expires_at
    ):
        problems.append(FieldError("expires_at", "is no later than that of the token that asks"))
    if problems:
        raise InvalidInputError("A token cannot make one that may do more.", fields=problems)
    return replace(
        wanted,
        permissions=outer.permissions if wanted.permissions is None else wanted.permissions,
        departments=outer.departments if wanted.departments is None else wanted.departments,
        allowed_networks=outer.allowed_networks
        if wanted.allowed_networks is None
        else wanted.allowed_networks,
        expires_at=outer.expires_at if wanted.expires_at is None else wanted.expires_at,
    )


def _holds(wide: Network, one: Network) -> bool:
    if isinstance(wide, IPv4Network) and isinstance(one, IPv4Network):
        return one.subnet_of(wide)
    if isinstance(wide, IPv6Network) and isinstance(one, IPv6Network):
        return one.subnet_of(wide)
    return False
