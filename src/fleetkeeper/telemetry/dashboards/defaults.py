"""The dashboards that the product brings: one of the fleet, one for each type of devices. Read-only, in code."""

from dataclasses import dataclass
from typing import Any

from fleetkeeper.telemetry.dashboards import default_rows as rows
from fleetkeeper.telemetry.dashboards.checking import read_definition
from fleetkeeper.telemetry.dashboards.default_fleet import of_fleet
from fleetkeeper.telemetry.dashboards.definition import FLEET
from fleetkeeper.telemetry.dashboards.panels import Json, filtered

PREFIX = "built-in-"
_DEVICE = {"name": "device", "title": "Device", "kind": "device"}
_DEPARTMENT = {"name": "department", "title": "Department", "kind": "department"}
_TYPE = {"name": "type", "title": "Type", "kind": "device_type"}
_MOUNTPOINT = {
    "name": "mountpoint",
    "title": "File system",
    "kind": "label",
    "label": "mountpoint",
    "metric": "disk_partition_usage_percent",
}
_INTERFACE = {
    "name": "interface",
    "title": "Interface",
    "kind": "label",
    "label": "interface",
    "metric": "network_interface_receive_bytes_total",
}


@dataclass(frozen=True)
class BuiltIn:
    """One of them; `kind` is `fleet` or a type of devices."""

    kind: str
    name: str
    description: str
    definition: dict[str, Any]

    @property
    def slug(self) -> str:
        """Its address."""
        return f"{PREFIX}{self.kind.replace('_', '-')}"


def _of_fleet() -> BuiltIn:
    parts = filtered(of_fleet(), department=["$department"], device_type=["$type"])
    definition = {"time": {"range": "6h"}, "refresh": 60, "variables": [_DEPARTMENT, _TYPE], "rows": parts}
    return _made(FLEET, "Fleet", "All devices: how many report, what they use, and outliers.", definition)


def _of_type(kind: str, name: str, description: str, parts: list[Json], *variables: Json) -> BuiltIn:
    filtered(parts, device=["$device"], department=["$department"], device_type=[kind])
    definition = {
        "time": {"range": "6h"},
        "refresh": 60,
        "variables": [_DEVICE, _DEPARTMENT, *variables],
        "rows": parts,
    }
    return _made(kind, name, description, definition)


def _made(kind: str, name: str, description: str, raw: Json) -> BuiltIn:
    return BuiltIn(kind, name, description, read_definition(raw).model_dump(mode="json"))


def _all() -> list[BuiltIn]:
    return [
        _of_fleet(),
        _of_type(
            "server",
            "Servers",
            "Processors, memory, disks and network of servers, and the hardware below.",
            rows.of_servers(),
            _MOUNTPOINT,
            _INTERFACE,
        ),
        _of_type(
            "vm",
            "Virtual machines",
            "Resource usage of virtual machines and CPU steal.",
            rows.of_vms(),
            _MOUNTPOINT,
        ),
        _of_type(
            "workstation",
            "Workstations",
            "Load, memory, temperature, graphics and free space of workstations.",
            rows.of_workstations(),
            _MOUNTPOINT,
        ),
        _of_type(
            "network_device",
            "Network devices",
            "Traffic, errors and interfaces of switches, routers and access points.",
            rows.of_network_devices(),
            _INTERFACE,
        ),
        _of_type(
            "storage",
            "Storage",
            "Space, throughput and busy disks of storage systems.",
            rows.of_storage(),
            _MOUNTPOINT,
        ),
        _of_type("container", "Containers", "What containers and their hosts use.", rows.of_containers()),
        _of_type(
            "vehicle",
            "Vehicles",
            "On-board computers, their connections, and vehicle metrics.",
            rows.of_vehicles(),
        ),
        _of_type("other", "Other devices", "Common metrics.", rows.of_others(), _MOUNTPOINT),
    ]


BUILT_IN: dict[str, BuiltIn] = {item.slug: item for item in _all()}


def built_in_for(kind: str) -> BuiltIn:
    """The one of the fleet or of a type of devices; that of other devices for a type without one."""
    by_kind = {item.kind: item for item in BUILT_IN.values()}
    return by_kind.get(kind, by_kind["other"])
