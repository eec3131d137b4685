"""The attributes of a device that sources tell. Pure."""

from typing import Any, get_args

from fleetkeeper.devices.schemas import DeviceType

_TEXTS = {
    "name": 255,
    "hostname": 255,
    "fqdn": 300,
    "domain": 300,
    "os_name": 300,
    "os_version": 300,
    "os_build": 300,
    "kernel": 300,
    "architecture": 300,
    "manufacturer": 300,
    "model": 300,
    "serial_number": 300,
    "virtualization": 300,
    "cpu_model": 300,
    "location": 255,
    "asset_tag": 100,
    "owner": 255,
}
_NUMBERS = ("cpu_cores", "cpu_threads", "memory_total_bytes")
ATTRIBUTES = (*_TEXTS, "device_type", *_NUMBERS)
MOST_BYTES = 2**62


def usable(attribute: str, value: Any) -> Any:
    """The value as the device's column takes it; None for one that says nothing or does not fit."""
    if attribute in _TEXTS:
        text = (
            " ".join(str(value).replace("\x00", "").split()) if isinstance(value, str | int | float) else ""
        )
        return text[: _TEXTS[attribute]] or None
    if attribute == "device_type":
        return value if value in get_args(DeviceType) else None
    if attribute in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        most = MOST_BYTES if attribute == "memory_total_bytes" else 1_000_000
        return value if 0 < value <= most else None
    return None


def claims_in(told: dict[str, Any]) -> dict[str, Any]:
    """Of what a source tells, the attributes that it says something usable of."""
    found = {name: usable(name, told[name]) for name in ATTRIBUTES if name in told}
    return {name: value for name, value in found.items() if value is not None}
