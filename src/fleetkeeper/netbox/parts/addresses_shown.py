"""How an address is told, and found by what is told. Pure."""

import ipaddress
from typing import Any

from sqlalchemy import ColumnElement, any_, cast, literal
from sqlalchemy.dialects.postgresql import ARRAY, INET

from fleetkeeper.devices.components.models import IpAddress
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


def of_host(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ColumnElement[bool]:
    """Addresses that are this one, whatever the length of their prefix: each length is looked up by the index."""
    spelled = [f"{address}/{length}" for length in range(address.max_prefixlen + 1)]
    return IpAddress.address == any_(cast(literal(spelled, ARRAY(INET)), ARRAY(INET)))
