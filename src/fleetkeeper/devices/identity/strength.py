"""What a piece of evidence is worth. Pure.

Points are relative: what names one machine alone is worth 60, a name that anybody may give 10.
"""

STRENGTHS = {
    "smbios_uuid": 60.0,
    # With the same manufacturer; serial numbers of two makers may meet by accident.
    "serial": 60.0,
    # Copied with every image that was not prepared for copying.
    "machine_id": 40.0,
    "mac": 25.0,
    "fqdn": 25.0,
    "hostname": 10.0,
}
SERIAL_WITHOUT_MANUFACTURER = 40.0
# However many interfaces a machine has, together they are less than its own UUID.
MOST_FOR_MACS = 50.0
# Hypervisors give these addresses out, and two of them may give the same one.
VIRTUAL_MAC = 10.0

_VIRTUAL = {
    "00:05:69": "VMware",
    "00:0c:29": "VMware",
    "00:1c:14": "VMware",
    "00:50:56": "VMware",
    "00:15:5d": "Hyper-V",
    "00:16:3e": "Xen",
    "00:1c:42": "Parallels",
    "08:00:27": "VirtualBox",
    "52:54:00": "KVM",
    "bc:24:11": "Proxmox",
}
# Adapters and docking stations that move from machine to machine, by the maker of their chips.
_MOVABLE = {
    "00:05:1b": "Magic Control",
    "00:0e:c6": "ASIX",
    "f8:e4:3b": "ASIX",
    "00:24:9b": "Action Star",
    "00:50:b6": "Good Way",
    "00:e0:4c": "Realtek",
    "3c:18:a0": "Luxshare",
    "8c:ae:4c": "Plugable",
    "9c:eb:e8": "BizLink",
    "a0:ce:c8": "CE Link",
}
# RFC 5798: the address of a virtual router belongs to whoever serves it now.
_VIRTUAL_ROUTER = ("00:00:5e:00:01", "00:00:5e:00:02")
_LOCAL_BIT = 2


def mac_strength(value: str) -> tuple[float, str]:
    """Points for a MAC address, and, where they are fewer than usual, why."""
    prefix = value[:8]
    if prefix in _VIRTUAL:
        return VIRTUAL_MAC, f"{_VIRTUAL[prefix]} gives such addresses out"
    if prefix in _MOVABLE:
        return 0.0, f"adapters and docking stations by {_MOVABLE[prefix]} move between machines"
    if value.startswith(_VIRTUAL_ROUTER):
        return 0.0, "it is the address of a virtual router"
    if int(value[:2], 16) & _LOCAL_BIT:
        return 0.0, "software chose it"
    return STRENGTHS["mac"], ""


def shared_strength(points: float, sharing: int) -> float:
    """What is left of a strength where several machines have the value; two halve it, and the more the faster."""
    return points / max(1, sharing) ** 2 if sharing > 2 else points / max(1, sharing)


def strength_of(kind: str, value: str) -> float:
    """What a piece of evidence is worth by itself, in points."""
    return mac_strength(value)[0] if kind == "mac" else STRENGTHS.get(kind, 0.0)
