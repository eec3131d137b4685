"""Addresses of callers, as servers and proxies write them."""

import ipaddress
import re

# The customer of a network gets this much of IPv6 at least, and may take any address in it.
IPV6_CUSTOMER_PREFIX = 64


def plain_address(text: str) -> str:
    """An address without its zone, and IPv4 as IPv4 where a socket for both maps it; nothing for what is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def is_loopback_host(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def customer_of(text: str) -> str:
    """What one customer holds around an address: the address itself, of IPv6 the network; nothing for what is none."""
    plain = plain_address(text)
    if ":" not in plain:
        return plain
    return str(ipaddress.ip_network((plain, IPV6_CUSTOMER_PREFIX), strict=False))


def plain_mac(text: str) -> str:
    """A MAC address as interfaces have it, whichever way it was written; any other text as it is."""
    digits = re.sub(r"[:.\-]", "", text.strip()).lower()
    if not re.fullmatch(r"[0-9a-f]{12}", digits) or not re.search(r"[:.\-]", text):
        return text
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))
