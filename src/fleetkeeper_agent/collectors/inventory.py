"""Hardware and operating system, on the slow cadence."""

import ipaddress
import itertools
import re
import socket
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

import msgspec
import psutil

from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_agent.version import AGENT_VERSION
from fleetkeeper_protocol.messages import (
    MOST_REPORT_BYTES,
    InterfaceAddress,
    Inventory,
    InventoryReport,
    NetworkInterface,
)

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

    def describe_interface(self, name: str, interface: NetworkInterface) -> None:
        """Add what the platform knows of the interface besides its addresses."""


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
) -> dict[str, NetworkInterface]:
    """The machine's interfaces with their addresses by name: those that `shown` names, and reachable loopbacks."""
    found: dict[str, NetworkInterface] = {}
    for name in sorted(addresses):
        mac, addressed = "", []
        for address in addresses[name]:
            if address.family == psutil.AF_LINK:
                mac = address.address.replace("-", ":").lower()
            elif (described := _described_address(address)) is not None:
                addressed.append(described)
        if not shown(name) and not _is_reachable_loopback(addressed):
            continue
        state = states.get(name)
        speed = state.speed if state is not None else 0
        found[name] = NetworkInterface(
            name=clean(name),
            mac_address="" if mac in _NO_MAC else clean(mac),
            ip_addresses=[address.address.partition("/")[0] for address in addressed][:MOST_ADDRESSES],
            # A virtual card shows 0, -1 or the highest number there is, which are all no speed.
            speed_mbps=speed if 0 < speed < 10_000_000 else None,
            is_up=state.isup if state is not None else None,
            addresses=addressed[:MOST_ADDRESSES],
        )
    return dict(itertools.islice(found.items(), MOST_INTERFACES))


def _is_reachable_loopback(addresses: list[InterfaceAddress]) -> bool:
    # Routers have the address that they are known by on their loopback interface.
    scopes = {address.scope for address in addresses}
    return {"host", "global"} <= scopes


def _described_address(told_address: psutil._ntp.snicaddr) -> InterfaceAddress | None:
    try:
        address = ipaddress.ip_address(told_address.address.partition("%")[0])
    except ValueError:
        return None
    scope = "host" if address.is_loopback else "link" if address.is_link_local else "global"
    try:
        mask = int(ipaddress.ip_address(getattr(told_address, "netmask", None) or ""))
    except ValueError:  # Windows tells none for IPv6
        return InterfaceAddress(str(address), scope)
    return InterfaceAddress(f"{address}/{mask.bit_count()}", scope)


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
        interfaces = network_interfaces(
            psutil.net_if_addrs(), psutil.net_if_stats(), self._source.shows_interface
        )
        for name, interface in interfaces.items():
            self._source.describe_interface(name, interface)
        found.interfaces = list(interfaces.values())
        return found


def within_bounds(report: InventoryReport) -> InventoryReport:
    """The report, without parts that would make it longer than servers take."""
    for part in ("containers", "facts", "volumes", "components"):
        if len(msgspec.json.encode(report)) <= MOST_REPORT_BYTES:
            break
        setattr(report.inventory, part, None)
    return report


def identities(inventory: Inventory, agent_id: str) -> dict[str, str]:
    """Evidence of who this machine is, for the enrollment; see `EnrollRequest`."""
    macs = [mac for mac in map(_hardware_address, inventory.interfaces) if mac]
    evidence = {
        "agent_id": agent_id,
        "machine_id": inventory.machine_id,
        "smbios_uuid": inventory.smbios_uuid,
        "serial": inventory.serial_number,
        "mac": ",".join(sorted(set(macs))[:16]),
        "fqdn": inventory.fqdn,
    }
    return {kind: value for kind, value in evidence.items() if value}


def _hardware_address(interface: NetworkInterface) -> str:
    address = "" if interface.has_assigned_mac else interface.mac_address
    address = interface.permanent_mac_address or address
    # The second-lowest bit of the first byte marks an address that software made up, such as a bridge's.
    return "" if not address or int(address[:2], 16) & 2 else address
