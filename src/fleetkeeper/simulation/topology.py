"""How the devices of a simulated fleet are connected, and the devices without an agent that connect them.

A relationship depends on the devices before its own alone, so a fleet that grows keeps those that it has.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from fleetkeeper.simulation.fleet import Device
from fleetkeeper.simulation.kinds import KindName

_IN_A_RACK: Final = 20
_AT_A_SWITCH: Final = 40
_GUESTS_OF_A_HOST: Final = 16


@dataclass(frozen=True)
class Entered:
    """A device that nobody measures, as people enter it."""

    name: str
    device_type: str
    location: str
    manufacturer: str
    model: str


@dataclass(frozen=True)
class Relation:
    """A relationship of devices; each end is a simulated device's index or an entered device's name."""

    parent: int | str
    child: int | str
    kind: str
    newest: int
    """The last of the fleet's devices that it depends on."""


@dataclass
class Topology:
    """What is to be entered, by name, and all relationships."""

    entered: dict[str, Entered] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)


def plan_topology(devices: Iterable[Device]) -> Topology:
    """Racks of servers with a switch and a power strip, offices with a switch, guests on hosts, and backups."""
    found = Topology()
    places: Counter[tuple[str, str]] = Counter()
    guests: Counter[int] = Counter()
    host = storage = None
    for device in devices:
        kind = device.kind
        if kind.device_type == "vm" and host is not None and guests[host] < _GUESTS_OF_A_HOST:
            guests[host] += 1
            found.relations.append(Relation(host, device.index, "hosts", device.index))
        if kind.name is KindName.DATABASE and storage is not None:
            found.relations.append(Relation(storage, device.index, "backs_up", device.index))
        if kind.device_type in {"server", "storage"}:
            _put_into_rack(found, device, places)
        elif kind.device_type == "workstation":
            _connect(found, device, _switch(found, device, places, "office", _AT_A_SWITCH))
        host = device.index if kind.name is KindName.HYPERVISOR else host
        storage = device.index if kind.name is KindName.STORAGE else storage
    return found


def _put_into_rack(found: Topology, device: Device, places: Counter[tuple[str, str]]) -> None:
    switch = _switch(found, device, places, "rack", _IN_A_RACK)
    strip = Entered(switch.name.replace("sw-", "pdu-"), "other", switch.location, "APC", "AP8959EU3 rack PDU")
    if strip.name not in found.entered:
        found.entered[strip.name] = strip
        found.relations.append(Relation(strip.name, switch.name, "powers", device.index))
    found.relations.append(Relation(strip.name, device.index, "powers", device.index))
    _connect(found, device, switch)


def _switch(
    found: Topology, device: Device, places: Counter[tuple[str, str]], what: str, capacity: int
) -> Entered:
    site = device.domain.partition(".")[0]
    number = places[site, what] // capacity + 1
    places[site, what] += 1
    name = f"sw-{site}-{what}-{number:02d}"
    location = f"{site.upper()} {what} {number}"
    switch = Entered(name, "network_device", location, "Arista", "7050SX3-48YC8")
    return found.entered.setdefault(name, switch)


def _connect(found: Topology, device: Device, switch: Entered) -> None:
    found.relations.append(Relation(switch.name, device.index, "connects_to", device.index))
