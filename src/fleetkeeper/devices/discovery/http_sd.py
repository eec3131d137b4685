"""Devices as Prometheus' HTTP service discovery reads them. Pure."""

import re
from collections.abc import Iterable
from typing import Any

from fleetkeeper.devices.discovery.found import FoundDevice

PREFIX = "__meta_fleetkeeper_"
_TEXTS = (
    "name", "hostname", "fqdn", "status", "lifecycle", "department", "location", "os_name", "os_version",
    "manufacturer", "model", "serial_number", "asset_tag", "owner",
)  # fmt: skip
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def target_groups(devices: Iterable[FoundDevice], *, port: int, address: str) -> list[dict[str, Any]]:
    """A group with one target for each device; one without any address is left out."""
    return [
        {"targets": [_target(host, port)], "labels": labels_of(one)}
        for one in devices
        if (host := one.reached_by(address))
    ]


def labels_of(device: FoundDevice) -> dict[str, str]:
    """What is known of a device; several values stand between commas, so that a pattern finds one of them."""
    labels = {f"{PREFIX}{name}": getattr(device, name) for name in _TEXTS}
    labels |= {
        f"{PREFIX}id": str(device.id),
        f"{PREFIX}type": device.device_type,
        f"{PREFIX}tags": _joined(device.tags),
        f"{PREFIX}addresses": _joined(device.addresses),
        f"{PREFIX}primary_address": device.primary_address,
    }
    for name, value in sorted(device.custom_fields.items()):
        shown = str(value).lower() if isinstance(value, bool) else str(value)
        labels[f"{PREFIX}field_{_NO_LABEL.sub('_', name)}"] = shown
    return {name: text for name, text in labels.items() if text}


def _target(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _joined(values: Iterable[str]) -> str:
    joined = ",".join(values)
    return f",{joined}," if joined else ""
