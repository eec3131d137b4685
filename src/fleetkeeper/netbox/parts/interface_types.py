"""Types of network interfaces: NetBox's many, and the few that the product tells apart. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from fleetkeeper.netbox.protocol.kind import Choices

# What most scripts use; any other that looks like one of NetBox's is kept, too.
TYPES: Choices = {
    "virtual": "Virtual",
    "bridge": "Bridge",
    "lag": "Link Aggregation Group (LAG)",
    "100base-tx": "100BASE-TX (10/100ME)",
    "1000base-t": "1000BASE-T (1GE)",
    "1000base-x-sfp": "SFP (1GE)",
    "2.5gbase-t": "2.5GBASE-T (2.5GE)",
    "5gbase-t": "5GBASE-T (5GE)",
    "10gbase-t": "10GBASE-T (10GE)",
    "10gbase-x-sfpp": "SFP+ (10GE)",
    "25gbase-x-sfp28": "SFP28 (25GE)",
    "40gbase-x-qsfpp": "QSFP+ (40GE)",
    "50gbase-x-sfp56": "SFP56 (50GE)",
    "100gbase-x-qsfp28": "QSFP28 (100GE)",
    "200gbase-x-qsfp56": "QSFP56 (200GE)",
    "400gbase-x-qsfpdd": "QSFP-DD (400GE)",
    "ieee802.11ac": "IEEE 802.11ac",
    "ieee802.11ax": "IEEE 802.11ax",
    "ieee802.11n": "IEEE 802.11n",
    "other-wireless": "Other (Wireless)",
    "other": "Other",
}
_BY_SPEED = {
    100: "100base-tx",
    1_000: "1000base-t",
    2_500: "2.5gbase-t",
    5_000: "5gbase-t",
    10_000: "10gbase-x-sfpp",
    25_000: "25gbase-x-sfp28",
    40_000: "40gbase-x-qsfpp",
    50_000: "50gbase-x-sfp56",
    100_000: "100gbase-x-qsfp28",
}
_OURS = {"virtual": "virtual", "loopback": "virtual", "vlan": "virtual", "bridge": "bridge", "bond": "lag"}
_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]{0,49}", re.ASCII)


def is_type(text: str) -> bool:
    """Whether a text looks like one of NetBox's types."""
    return _SHAPE.fullmatch(text) is not None


def kind_of(interface_type: str) -> str:
    """What one of NetBox's types is here."""
    if interface_type in {"virtual", "bridge"}:
        return interface_type
    if interface_type == "lag":
        return "bond"
    return (
        "wireless"
        if interface_type.startswith("ieee802.11") or interface_type == "other-wireless"
        else "physical"
    )


def type_of(kind: str, speed_mbps: int | None, kept: Mapping[str, Any]) -> str:
    """The type of an interface: what was written while it fits, else what its kind and speed say."""
    written = kept.get("type")
    plain = _OURS.get(kind)
    if isinstance(written, str) and (
        kind_of(written) == kind or (written == "virtual" and plain == "virtual")
    ):
        return written
    if plain is not None:
        return plain
    return "other-wireless" if kind == "wireless" else _BY_SPEED.get(speed_mbps or 0, "other")
