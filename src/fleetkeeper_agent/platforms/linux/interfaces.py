"""What each network interface is, by `/sys/class/net`."""

import ipaddress
import re
from pathlib import Path

from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, resolved, sorted_children
from fleetkeeper_agent.hostile_text import clean, clean_or_none
from fleetkeeper_protocol.messages import NetworkInterface

_LOOPBACK_TYPE = 772  # ARPHRD_LOOPBACK
_ASSIGNED_BY_SOFTWARE = frozenset((1, 2, 3))  # random, taken from another interface, set; netdevice.h
_BY_DEVTYPE = {"bridge": "bridge", "bond": "bond", "vlan": "vlan", "wlan": "wireless", "wwan": "wireless"}
_BY_ENTRY = (
    ("bridge", "bridge"),
    ("bonding", "bond"),
    ("wireless", "wireless"),
    ("phy80211", "wireless"),
    ("device", "physical"),
)
_VLAN_NAME = re.compile(r"(?:.*\.|vlan)(\d{1,4})")
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_NO_MACS = frozenset(("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"))
_TEMPORARY = 0x01  # IFA_F_TEMPORARY


class LinuxInterfaces:
    """Reads the files of each interface."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots

    def describe(self, name: str, interface: NetworkInterface) -> None:
        """Add what the kernel tells of the interface."""
        directory = self._roots.sys / "class/net" / name
        if not directory.is_dir():
            return
        entries = {entry.name for entry in sorted_children(directory)}
        interface.kind = _kind(directory, entries)
        interface.mtu = _whole(directory / "mtu")
        interface.oper_state = clean_or_none(read_or_none(directory / "operstate"))
        duplex = clean(read_or_none(directory / "duplex") or b"")
        interface.duplex = duplex if duplex in {"full", "half"} else None
        interface.driver = _name_behind(directory / "device/driver")
        interface.master = _name_behind(directory / "master")
        if interface.kind == "vlan":
            lower = sorted(entry.removeprefix("lower_") for entry in entries if entry.startswith("lower_"))
            interface.parent = clean(lower[0]) if lower else None
            interface.vlan_id = self._vlan_id(name)
        assigned = _whole(directory / "addr_assign_type")
        interface.has_assigned_mac = None if assigned is None else assigned in _ASSIGNED_BY_SOFTWARE
        interface.permanent_mac_address = _permanent_mac(directory, assigned)
        self._leave_out_temporary(name, interface)

    def _vlan_id(self, name: str) -> int | None:
        data = read_or_none(self._roots.proc / "net/vlan/config") or b""
        told = re.search(rb"^%b\s*\|\s*(\d{1,4})\s*\|" % re.escape(name.encode()), data, re.MULTILINE)
        # Only root may read that file, and nearly all VLANs are named by their number.
        named = _VLAN_NAME.fullmatch(name)
        number = int(told[1]) if told else int(named[1]) if named else 0
        return number if 1 <= number <= 4094 else None

    def _leave_out_temporary(self, name: str, interface: NetworkInterface) -> None:
        # IPv6 privacy addresses change daily, and are nobody's inventory.
        data = (read_or_none(self._roots.proc / "net/if_inet6") or b"").decode("ascii", "replace")
        temporary = {
            str(ipaddress.IPv6Address(int(fields[0], 16)))
            for line in data.split("\n")
            if len(fields := line.split()) == 6
            and fields[5] == name
            and re.fullmatch("[0-9a-f]{32}", fields[0])
            and re.fullmatch("[0-9a-f]{2,8}", fields[4])
            and int(fields[4], 16) & _TEMPORARY
        }
        interface.addresses = [
            address
            for address in interface.addresses or []
            if address.address.partition("/")[0] not in temporary
        ]


def _kind(directory: Path, entries: set[str]) -> str:
    if _whole(directory / "type") == _LOOPBACK_TYPE:
        return "loopback"
    uevent = read_or_none(directory / "uevent") or b""
    devtype = re.search(rb"^DEVTYPE=(\w+)$", uevent, re.MULTILINE)
    if devtype and (kind := _BY_DEVTYPE.get(devtype[1].decode())):
        return kind
    return next((kind for entry, kind in _BY_ENTRY if entry in entries), "virtual")


def _permanent_mac(directory: Path, assigned: int | None) -> str | None:
    files = ["perm_addr", "bonding_slave/perm_hwaddr", *(["address"] if assigned == 0 else [])]
    found = (clean(read_or_none(directory / file) or b"").lower() for file in files)
    return next((mac for mac in found if _MAC.fullmatch(mac) and mac not in _NO_MACS), None)


def _name_behind(link: Path) -> str | None:
    target = resolved(link)
    return clean_or_none(target.name) if target is not None else None


def _whole(path: Path) -> int | None:
    number = read_number(path)
    return int(number) if number is not None and 0 <= number < 2**31 else None
