"""Networks as callers of the API write them."""

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import BeforeValidator


def _text(value: object) -> object:
    # `ip_network` also takes numbers and pairs, and a truth value makes it warn.
    if isinstance(value, str | IPv4Network | IPv6Network):
        return value
    raise ValueError("is no network, as 192.0.2.0/24")


Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_text)]
