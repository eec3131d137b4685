"""Normalizes the evidence of a machine's identity that agents send. Pure."""

import re
from collections.abc import Mapping
from uuid import UUID

from fleetkeeper_protocol.messages import Inventory

# What vendors ship where a serial number or UUID should be; it identifies nobody.
_PLACEHOLDERS = frozenset(
    {
        "none",
        "n/a",
        "default string",
        "not specified",
        "not applicable",
        "system serial number",
        "to be filled by o.e.m.",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
    }
)
_KINDS = ("agent_id", "machine_id", "smbios_uuid", "serial", "mac", "fqdn", "hostname")


def normalise_mac(text: str) -> str | None:
    """Twelve hex digits in lower case with colons; None for one that is not, or that names no single machine."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if len(digits) != 12 or digits in {"000000000000", "ffffffffffff"} or int(digits[:2], 16) & 1:
        return None
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


def normalise_evidence(identities: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of kind and value, placeholders and unknown kinds left out, `mac` split at commas."""
    evidence: list[tuple[str, str]] = []
    for kind in _KINDS:
        text = identities.get(kind, "").replace("\x00", "").strip()
        if kind == "mac":
            found = (normalise_mac(item) for item in text.split(",")[:64])
            evidence += [("mac", item) for item in found if item]
            continue
        value = _normalise(kind, text)[:300]
        if not _names_nobody(value):
            evidence.append((kind, value))
    return evidence


def _normalise(kind: str, text: str) -> str:
    if kind == "smbios_uuid":
        try:
            return str(UUID(text))
        except ValueError:
            return ""
    return text.lower().rstrip(".") if kind in {"fqdn", "hostname"} else text


def _names_nobody(value: str) -> bool:
    return value.lower() in _PLACEHOLDERS or not value.strip("0-")


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
