"""How an address is told. Pure."""

import ipaddress
from typing import Any

from fleetkeeper.netbox.protocol.asked import Asked

PATH = "ipam/ip-addresses"


def with_prefix(address: object) -> str:
    """An address with the length of its prefix, a host's own among them."""
    return str(ipaddress.ip_interface(str(address)))


def nested_address(asked: Asked, number: int, address: object) -> dict[str, Any]:
    """An address within another object."""
    shown = with_prefix(address)
    family = 6 if ":" in shown else 4
    return {
        "id": number,
        "url": asked.url(PATH, number),
        "display": shown,
        "family": {"value": family, "label": f"IPv{family}"},
        "address": shown,
        "description": "",
    }
