"""Cards on the PCI bus, by the names of pci.ids where the machine has them."""

import re
from pathlib import Path
from typing import NamedTuple

from fleetkeeper_agent.host_files import HostRoots, read_or_none, resolved, sorted_children
from fleetkeeper_agent.hostile_text import clean, clean_or_none

NETWORK_CLASS = b"0x02"
DISPLAY_CLASS = b"0x03"
_VENDORS = {"10de": "NVIDIA", "1002": "AMD", "8086": "Intel"}
# The few that hypervisors and servers emulate for a console are no graphics processors.
_EMULATED_VENDORS = frozenset(("1234", "1013", "1af4", "15ad", "80ee", "1414", "1a03", "102b"))
_PCI_IDS_BYTES = 8 << 20
_NEXT_VENDOR = re.compile(rb"^[^\t#\r\n]", re.MULTILINE)


class PciCard(NamedTuple):
    """A card: its place on the bus, and the numbers of its vendor and model as hexadecimal digits."""

    address: str
    vendor: str
    device: str
    driver: str | None
    interfaces: tuple[str, ...]


def names_of(pci_ids: bytes, vendor: str, device: str) -> tuple[str | None, str | None]:
    """The names of the vendor and of the card in `pci.ids`; None for one that it does not know."""
    found = re.search(rb"^%b  (.*)$" % re.escape(vendor.encode()), pci_ids, re.MULTILINE)
    if not vendor or found is None:
        return None, None
    following = _NEXT_VENDOR.search(pci_ids, found.end())
    block = pci_ids[found.end() : following.start() if following else None]
    card = re.search(rb"^\t%b  (.*)$" % re.escape(device.encode()), block, re.MULTILINE)
    return clean_or_none(found[1]), clean_or_none(card[1]) if card else None


def model_name(pci_ids: bytes, vendor: str, device: str) -> str:
    """The card's name by `pci.ids`; its vendor and numbers when the file does not know it."""
    vendor_name, card_name = names_of(pci_ids, vendor, device)
    return clean(f"{_VENDORS.get(vendor) or vendor_name or ''} {card_name or f'{vendor}:{device}'}")


def read_pci_ids(roots: HostRoots) -> bytes:
    """The list of names; empty where the machine has none."""
    files = (roots.usr_share / "misc/pci.ids", roots.usr_share / "hwdata/pci.ids")
    return next((data for file in files if (data := read_or_none(file, _PCI_IDS_BYTES))), b"")


def pci_cards(roots: HostRoots, class_prefix: bytes) -> list[PciCard]:
    """The cards of a class, by their place on the bus."""
    return [
        PciCard(
            address=clean(entry.name),
            vendor=_number(entry / "vendor"),
            device=_number(entry / "device"),
            driver=clean(driver.name) if (driver := resolved(entry / "driver")) else None,
            interfaces=tuple(clean(interface.name) for interface in _interfaces(entry)),
        )
        for entry in sorted_children(roots.sys / "bus/pci/devices")
        if (read_or_none(entry / "class") or b"").startswith(class_prefix)
    ]


def graphics_cards(roots: HostRoots) -> list[PciCard]:
    """The cards that are graphics processors."""
    cards = pci_cards(roots, DISPLAY_CLASS)
    return [card for card in cards if card.vendor and card.vendor not in _EMULATED_VENDORS]


def graphics_models(roots: HostRoots) -> list[str]:
    """The names of all graphics cards."""
    cards = graphics_cards(roots)
    names = read_pci_ids(roots) if cards else b""
    return [model_name(names, card.vendor, card.device) for card in cards]


def _interfaces(entry: Path) -> list[Path]:
    # A card of a hypervisor has its interface behind one more bus.
    virtual = (child for child in sorted_children(entry) if child.name.startswith("virtio"))
    return [interface for place in (entry, *virtual) for interface in sorted_children(place / "net")]


def _number(path: Path) -> str:
    return (read_or_none(path) or b"").strip().decode("ascii", "replace").removeprefix("0x").lower()
