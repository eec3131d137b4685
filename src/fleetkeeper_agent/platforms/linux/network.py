"""Interface counters from `/proc/net/dev`; `/sys/class/net` tells cards from what is stacked on them."""

import re

from fleetkeeper_agent.collectors.collector import UnavailableError
from fleetkeeper_agent.collectors.network import InterfaceCounters, InterfaceReading
from fleetkeeper_agent.host_files import HostRoots, read_number, read_or_none, sorted_children

# Interfaces that the kernel makes by itself and that carry nothing unless someone sets them up.
_NOISE = re.compile(r"(ifb|dummy|tunl|sit|gre|gretap|erspan|ip_vti|ip6_vti|ip6tnl|ip6gre|nlmon|teql)\d+$")
# Positions in a line of /proc/net/dev: bytes, packets, errors, drops, received first.
_COLUMNS = (0, 8, 1, 9, 2, 10, 3, 11)


def parse_net_dev(data: bytes) -> dict[str, InterfaceCounters]:
    """Read `/proc/net/dev`, loopback left out."""
    found: dict[str, InterfaceCounters] = {}
    for line in data.split(b"\n"):
        name, colon, rest = line.rpartition(b":")
        fields = rest.split()
        if not colon or len(fields) < 12:
            continue
        try:
            counters = InterfaceCounters(*(float(fields[column]) for column in _COLUMNS))
        except ValueError:
            continue
        interface = name.strip().decode("utf-8", "surrogateescape")
        if interface != "lo":
            found[interface] = counters
    return found


class LinuxNetwork:
    """Reads the interfaces; what each of them is gets looked up when one comes or goes."""

    def __init__(self, roots: HostRoots) -> None:
        self._roots = roots
        self._known: frozenset[str] = frozenset()
        self._in_total: frozenset[str] = frozenset()
        self._shown: frozenset[str] = frozenset()

    def interfaces(self) -> dict[str, InterfaceReading]:
        """All interfaces but loopback, by name."""
        data = read_or_none(self._roots.proc / "net/dev")
        if data is None:
            raise UnavailableError("/proc/net/dev cannot be read")
        counters = parse_net_dev(data)
        if counters.keys() != self._known:
            self._classify(frozenset(counters))
        return {
            name: InterfaceReading(seen, name in self._in_total, name in self._shown)
            for name, seen in counters.items()
        }

    def shows(self, name: str) -> bool:
        """Whether the interface is one of the machine's own, and not noise or a container's."""
        if name not in self._known:
            self.interfaces()
        return name in self._shown

    def is_card(self, name: str) -> bool:
        """Whether a piece of hardware, real or of a virtual machine, stands behind the interface."""
        return (self._roots.sys / "class/net" / name / "device").exists()

    def _classify(self, names: frozenset[str]) -> None:
        cards = frozenset(name for name in names if self.is_card(name))
        quiet = frozenset(name for name in names if _NOISE.match(name))
        if cards:
            self._in_total = cards
            self._shown = frozenset(
                name
                for name in names
                if name in cards or (name not in quiet and not self._is_cable_end(name))
            )
        else:
            # Inside a container: its own end of the cable is all the network there is.
            self._in_total = frozenset(name for name in names - quiet if not self._is_stacked(name)) or names
            self._shown = names - quiet
        self._known = names

    def _is_cable_end(self, name: str) -> bool:
        # The host's end of a container's cable: linked to an interface in another namespace, and to none
        # here.
        directory = self._roots.sys / "class/net" / name
        own, linked = read_number(directory / "ifindex"), read_number(directory / "iflink")
        return own is not None and linked is not None and own != linked and not self._is_stacked(name)

    def _is_stacked(self, name: str) -> bool:
        entries = sorted_children(self._roots.sys / "class/net" / name)
        return any(
            entry.name.startswith("lower_") or entry.name in {"bridge", "bonding"} for entry in entries
        )
