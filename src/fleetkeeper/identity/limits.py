"""What a credential is limited to besides what its owner may do. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from uuid import UUID

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Limits:
    """What a token is limited to; None limits nothing."""

    permissions: Sequence[str] | None = None
    departments: Sequence[UUID] | None = None
    allowed_networks: Sequence[Network] | None = None
    expires_at: datetime | None = None


UNLIMITED = Limits()


def limits_from(
    permissions: Sequence[str] | None,
    departments: Sequence[UUID] | None,
    allowed_networks: Iterable[object] | None,
    expires_at: datetime | None,
) -> Limits:
    """The same from what a row holds."""
    networks = None if allowed_networks is None else [ip_network(str(one)) for one in allowed_networks]
    return Limits(permissions, departments, networks, expires_at)


def lies_in(one: Network, networks: Iterable[Network]) -> bool:
    """Whether one of the networks holds all addresses of a network."""
    return any(_holds(wide, one) for wide in networks)


def _holds(wide: Network, one: Network) -> bool:
    if isinstance(wide, IPv4Network) and isinstance(one, IPv4Network):
        return one.subnet_of(wide)
    if isinstance(wide, IPv6Network) and isinstance(one, IPv6Network):
        return one.subnet_of(wide)
    return False
