"""Graphics cards on the PCI bus, by the names of pci.ids where the machine has them."""

from pathlib import Path

from fleetkeeper_agent.host_files import HostRoots, read_or_none, sorted_children
from fleetkeeper_agent.hostile_text import clean

_DISPLAY_CLASS = b"0x03"
_VENDORS = {"10de": "NVIDIA", "1002": "AMD", "8086": "Intel"}
# The few that hypervisors and servers emulate for a console are no graphics processors.
_EMULATED_VENDORS = frozenset(("1234", "1013", "1af4", "15ad", "80ee", "1414", "1a03", "102b"))


def model_name(pci_ids: bytes, vendor: str, device: str) -> str:
    """The card's name by `pci.ids`; its vendor and numbers when the file does not know it."""
    vendor_name, inside = _VENDORS.get(vendor, ""), False
    for line in pci_ids.split(b"\n"):
        if line.startswith((b"\t\t", b"#")):
            continue
        if not line.startswith(b"\t"):
            if inside:
                break
            if line.startswith(vendor.encode() + b"  "):
                inside = True
                vendor_name = vendor_name or clean(line[6:])
        elif inside and line.startswith(b"\t" + device.encode() + b"  "):
            return clean(f"{vendor_name} {clean(line[7:])}")
    return clean(f"{vendor_name} {vendor}:{device}")


def graphics_models(roots: HostRoots) -> list[str]:
    """The names of all graphics cards."""
    cards = [entry for entry in sorted_children(roots.sys / "bus/pci/devices") if _is_display(entry)]
    found = [(_number(card / "vendor"), _number(card / "device")) for card in cards]
    real = [(vendor, device) for vendor, device in found if vendor and vendor not in _EMULATED_VENDORS]
    if not real:
        return []
    names = (
        read_or_none(roots.usr_share / "misc/pci.ids")
        or read_or_none(roots.usr_share / "hwdata/pci.ids")
        or b""
    )
    return [model_name(names, vendor, device) for vendor, device in real]


def _is_display(entry: Path) -> bool:
    return (read_or_none(entry / "class") or b"").startswith(_DISPLAY_CLASS)


def _number(path: Path) -> str:
    return (read_or_none(path) or b"").strip().decode("ascii", "replace").removeprefix("0x").lower()
