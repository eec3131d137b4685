"""Devices as an inventory script of Ansible prints them. Pure.

What machines say of themselves is hostile: a text that Ansible would take for a template is marked as none.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleetkeeper.devices.discovery.found import FoundDevice

_NO_GROUP = re.compile(r"[^a-zA-Z0-9_]+")
_NO_HOST = re.compile(r"[^a-zA-Z0-9._-]+")
_TEMPLATE = re.compile(r"\{[{%#]")
_TEXTS = (
    "name", "hostname", "fqdn", "device_type", "status", "lifecycle", "department", "location", "os_name",
    "os_version", "manufacturer", "model", "serial_number", "asset_tag", "owner",
)  # fmt: skip


def inventory(devices: Sequence[FoundDevice], *, address: str) -> dict[str, Any]:
    """All hosts in their groups, each with its variables."""
    hosts = named(devices)
    groups: dict[str, list[str]] = {}
    for name, device in hosts.items():
        for group in groups_of(device):
            groups.setdefault(group, []).append(name)
    variables = {name: variables_of(device, address=address) for name, device in hosts.items()}
    return {
        "_meta": {"hostvars": variables},
        "all": {"hosts": list(hosts), "children": sorted(groups)},
        **{group: {"hosts": groups[group]} for group in sorted(groups)},
    }


def named(devices: Iterable[FoundDevice]) -> dict[str, FoundDevice]:
    """The devices by names that Ansible can use; namesakes have the end of their ID in it."""
    listed = [(_NO_HOST.sub("_", one.name) or "_", one) for one in devices]
    shared = Counter(name for name, _ in listed)
    return {
        name if shared[name] == 1 and name != "all" else f"{name}_{one.id.hex[-8:]}": one
        for name, one in listed
    }


def groups_of(device: FoundDevice) -> list[str]:
    """The groups of a device, as in `type_server`; a department and a location are in those above them, too."""
    pairs = [
        ("type", device.device_type),
        ("status", device.status),
        ("lifecycle", device.lifecycle),
        ("os", device.os_name),
        *(("department", one) for one in _upwards(device.department)),
        *(("location", one) for one in _upwards(device.location)),
        *(("tag", one) for one in device.tags),
    ]
    return list(dict.fromkeys(group_name(kind, text) for kind, text in pairs if text))


def group_name(kind: str, text: str) -> str:
    """A name that Ansible takes for a group."""
    return f"{kind}_{_NO_GROUP.sub('_', text.lower()).strip('_')}"


def variables_of(device: FoundDevice, *, address: str) -> dict[str, Any]:
    """What playbooks know of a device; what is not known is left out."""
    told: dict[str, Any] = {name: getattr(device, name) for name in _TEXTS}
    told |= {
        "id": str(device.id),
        "tags": list(device.tags),
        "addresses": list(device.addresses),
        "primary_address": device.primary_address,
        "custom_fields": dict(device.custom_fields),
    }
    own = {f"fleetkeeper_{name}": _plain(value) for name, value in told.items() if value not in ("", [], {})}
    reached = device.reached_by(address)
    return {"ansible_host": _plain(reached), **own} if reached else own


def _upwards(path: str) -> list[str]:
    """A path and all above it."""
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(1, len(parts) + 1)] if path else []


def _plain(value: Any) -> Any:
    """A value in which nothing is a template."""
    if isinstance(value, str):
        return {"__ansible_unsafe": value} if _TEMPLATE.search(value) else value
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value
