"""Hardware and operating system, on the slow cadence."""

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import psutil

from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.version import AGENT_VERSION
from fleetkeeper_protocol.messages import Inventory, NetworkInterface

MOST_INTERFACES = 500
MOST_ADDRESSES = 100
_NO_MAC = frozenset(("", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"))

# What vendors leave in the tables of a machine's firmware instead of an answer. Such a "serial number" is
# shared by thousands of machines and must not identify one.
_PLACEHOLDERS = re.compile(
    r"0|none|null|n/?a|unknown|invalid|undefined|empty|oem|o\.e\.m\.|serial|default([ _]string)?|"
    r"not (specified|available|applicable)|to be filled by .*|"
    r"(system|chassis|base board) (serial number|product name|manufacturer|version)|"
    r"0?123456789(0)?|03000200-0400-0500-0006-000700080009|12345678-1234-5678-90ab-cddeefaabbcc",
    re.IGNORECASE,
)


class InventorySource(Protocol):
    """What a platform tells about its hardware and itself."""

    def inventory(self) -> Inventory:
        """All that does not come from the network stack; capabilities and interfaces are filled in later."""
        ...

    def shows_interface(self, name: str) -> bool:
        """Whether an interface belongs to the machine, and not to a container or to loopback."""
        ...


def told(value: str | bytes | None) -> str | None:
    """A firmware's answer, cleaned; None for a placeholder or a single repeated character."""
    text = clean_or_none(value)
    if text is None or _PLACEHOLDERS.fullmatch(text) or len(set(text.replace("-", "").lower())) == 1:
        return None
    return text


def domain_of(fqdn: str | None) -> str | None:
    """The part behind the first dot."""
    return (fqdn.partition(".")[2] or None) if fqdn else None


def resolved_name(hostname: str, resolve: Callable[[str], str] = socket.getfqdn) -> str | None:
    """The fully qualified name that the resolver gives; None when it knows none worth the name."""
    try:
        name = clean(resolve(hostname)).rstrip(".").lower()
    except (OSError, UnicodeError):  # a name that no resolver can be asked for
        return None
    if "." not in name or name.endswith((".arpa", ".localdomain")) or re.fullmatch(r"[\d.]+", name):
        return None
    return name if name.partition(".")[0] == hostname.partition(".")[0].lower() else None


def network_interfaces(
    addresses: Mapping[str, Iterable[psutil._ntp.snicaddr]],
    states: Mapping[str, psutil._ntp.snicstats],
    shown: Callable[[str], bool],
) -> list[NetworkInterface]:
    """The machine's interfaces with their addresses, those that `shown` names."""
    found: list[NetworkInterface] = []
    for name in sorted(addresses):
        if not shown(name):
            continue
        mac, addressed = "", []
        for address in addresses[name]:
            if address.family == psutil.AF_LINK:
                mac = address.address.replace("-", ":").lower()
            else:
                addressed.append(_plain_address(address.address))
        state = states.get(name)
        speed = state.speed if state is not None else 0
        found.append(
            NetworkInterface(
                name=clean(name),
                mac_address="" if mac in _NO_MAC else clean(mac),
                ip_addresses=[address for address in addressed if address][:MOST_ADDRESSES],
                # A virtual card shows 0, -1 or the highest number there is, which are all no speed.
                speed_mbps=speed if 0 < speed < 10_000_000 else None,
                is_up=state.isup if state is not None else None,
            )
        )
    return found[:MOST_INTERFACES]


def _plain_address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


class InventoryCollector:
    """The inventory with interfaces, GPU models and capabilities."""

    name = "inventory"

    def __init__(
        self,
        source: InventorySource,
        gpu_models: Callable[[], Iterable[str]] = list,
        capabilities: Callable[[], Mapping[str, bool]] = dict,
    ) -> None:
        self._source = source
        self._gpu_models = gpu_models
        self._capabilities = capabilities

    def inventory(self) -> Inventory:
        """Ask for everything; takes a second or so on systems that answer by commands."""
        found = self._source.inventory()
        found.agent_version = AGENT_VERSION
        found.gpu_models = list(self._gpu_models()) or found.gpu_models
        found.capabilities = dict(self._capabilities())
        found.interfaces = network_interfaces(
            psutil.net_if_addrs(), psutil.net_if_stats(), self._source.shows_interface
        )
        return found


def identities(inventory: Inventory, agent_id: str) -> dict[str, str]:
    """Evidence of who this machine is, for the enrollment; see `EnrollRequest`."""
    # The second-lowest bit of the first byte marks an address that software made up, such as a bridge's.
    macs = [
        i.mac_address for i in inventory.interfaces if i.mac_address and not int(i.mac_address[:2], 16) & 2
    ]
    evidence = {
        "agent_id": agent_id,
        "machine_id": inventory.machine_id,
        "smbios_uuid": inventory.smbios_uuid,
        "serial": inventory.serial_number,
        "mac": ",".join(sorted(set(macs))[:16]),
        "fqdn": inventory.fqdn,
    }
    return {kind: value for kind, value in evidence.items() if value}
