"""What kind of device a machine is, by its own account. Pure."""

import re

from fleetkeeper_protocol.messages import Inventory

_CONTAINERS = ("container", "docker", "lxc", "podman", "openvz", "systemd-nspawn")
_WORKSTATION_SYSTEM = re.compile(r"Windows (7|8|10|11)\b|macOS|Mac OS X|Workstation|Desktop", re.IGNORECASE)
# Series that makers sell as desktops and notebooks alone.
_WORKSTATION_MODEL = re.compile(
    r"OptiPlex|Latitude|Precision \d|\bXPS\b|ThinkCentre|ThinkPad|ThinkStation|IdeaPad|Elite(Desk|Book)|Pro(Desk|Book)"
    r"|ZBook|MacBook|iMac|Mac ?(mini|Pro|Studio)|Surface|Vostro|Inspiron|Veriton|Esprimo|Lifebook",
    re.IGNORECASE,
)
_STORAGE_SYSTEM = re.compile(
    r"TrueNAS|FreeNAS|Synology|DiskStation|\bDSM\b|\bQTS\b|QuTS|unraid|openmediavault|NetApp|ONTAP|OceanStor|XigmaNAS",
    re.IGNORECASE,
)
_NETWORK_SYSTEM = re.compile(
    r"OPNsense|pfSense|VyOS|OpenWrt|DD-WRT|RouterOS|EdgeOS|Cumulus|SONiC|Junos|\bEOS\b|NX-OS|IOS[ -]X[ER]|ArubaOS"
    r"|FortiOS|PAN-OS",
    re.IGNORECASE,
)


def device_type_of(inventory: Inventory) -> str:
    """What kind of device a machine is, by its own account of its system and model; a person may know better."""
    virtualization = (inventory.virtualization or "").lower()
    if virtualization.startswith(_CONTAINERS):
        return "container"
    if virtualization and virtualization != "none":
        return "vm"
    system = f"{inventory.os_name or ''} {inventory.os_version or ''}"
    by_system = (
        ("storage", _STORAGE_SYSTEM),
        ("network_device", _NETWORK_SYSTEM),
        ("workstation", _WORKSTATION_SYSTEM),
    )
    for kind, names in by_system:
        if names.search(system):
            return kind
    return "workstation" if _WORKSTATION_MODEL.search(inventory.model or "") else "server"
