"""Devices and virtual machines as NetBox tells of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetkeeper.devices.models import Device
from fleetkeeper.netbox.annotations.custom_fields import CUSTOM_FIELDS
from fleetkeeper.netbox.annotations.tags import TAGS
from fleetkeeper.netbox.hosts.related import Related, related_to
from fleetkeeper.netbox.hosts.status_words import STATUSES, status_of
from fleetkeeper.netbox.names.hardware import DEVICE_TYPES, PLATFORMS
from fleetkeeper.netbox.names.registered import Key
from fleetkeeper.netbox.names.roles import ROLES, SOURCE
from fleetkeeper.netbox.parts.addresses_shown import nested_address
from fleetkeeper.netbox.places.sites import LOCATIONS, SITES
from fleetkeeper.netbox.places.tenants import TENANTS
from fleetkeeper.netbox.places.tree import Tree, tree_of
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.items import Item
from fleetkeeper.netbox.protocol.kind import Told, labelled

CLUSTERS_PATH = "virtualization/clusters"
_MEGABYTE = 1_000_000
_COUNTS = (
    "console_port_count", "console_server_port_count", "power_port_count", "power_outlet_count",
    "front_port_count", "rear_port_count", "device_bay_count", "module_bay_count", "inventory_item_count",
)  # fmt: skip
_NOTHING = (
    "rack", "position", "face", "latitude", "longitude", "parent_device", "airflow", "oob_ip", "virtual_chassis",
    "vc_position", "vc_priority", "config_template",
)  # fmt: skip


class Teller:
    """Tells of the devices of a page, with what was looked up for all of them."""

    def __init__(self, asked: Asked, path: str, tree: Tree, related: Related) -> None:
        self.asked = asked
        self.path = path
        self.tree = tree
        self.related = related
        self.roles: Mapping[Key, Item] = {}
        self.types: Mapping[Key, Item] = {}
        self.platforms: Mapping[Key, Item] = {}

    async def look_up(self, devices: Sequence[Device]) -> None:
        """How what the devices have is registered."""
        self.roles = await ROLES.of_keys(self.asked, map(ROLES.key_of, devices))
        self.types = await DEVICE_TYPES.of_keys(self.asked, map(type_of, devices))
        names = [("", one.os_name) for one in devices if one.os_name]
        self.platforms = await PLATFORMS.of_keys(self.asked, names)

    async def common(self, device: Device, tags: Sequence[str], values: dict[str, Any]) -> Told:
        """What devices and virtual machines are both told with."""
        asked, kept = self.asked, kept_of(device)
        tenant = await TENANTS.of_department(asked, device.department_id)
        platform = self.platforms.get(("", device.os_name or ""))
        site = self.tree.site(device.location_id)
        addresses = {
            family: nested_address(asked, one.number, one.address)
            for family, one in self.related.addresses.get(device.id, {}).items()
        }
        context = kept.get("local_context_data")
        return {
            "id": device.number,
            "url": asked.url(self.path, device.number),
            "display_url": asked.page(f"/devices/{device.id}"),
            "display": device.name,
            "name": device.name,
            "role": ROLES.nested(asked, self.roles[ROLES.key_of(device)]),
            "tenant": tenant and TENANTS.nested(asked, tenant),
            "platform": platform and PLATFORMS.nested(asked, platform),
            "serial": device.serial_number or "",
            "site": SITES.nested(asked, self.tree.items[site]) if site is not None else None,
            "status": labelled(STATUSES, status_of(device.lifecycle, kept)),
            "primary_ip": addresses.get(6) or addresses.get(4),
            "primary_ip4": addresses.get(4),
            "primary_ip6": addresses.get(6),
            "cluster": self.cluster(device),
            "description": device.description or "",
            "comments": str(kept.get("comments") or ""),
            "config_template": None,
            "config_context": context or {},
            "local_context_data": context,
            "tags": await TAGS.of_slugs(asked, tags),
            "custom_fields": await CUSTOM_FIELDS.values(asked, values),
            "created": device.created_at,
            "last_updated": device.updated_at,
            "interface_count": self.related.interface_counts.get(device.id, 0),
        }

    async def device(self, device: Device, tags: Sequence[str], values: dict[str, Any]) -> Told:
        """A device."""
        place = device.location_id if device.location_id in self.tree.items else None
        location = (
            self.tree.items[place] if place is not None and self.tree.parent(place) is not None else None
        )
        return {
            **dict.fromkeys(_NOTHING),
            **dict.fromkeys(_COUNTS, 0),
            **await self.common(device, tags, values),
            "device_type": DEVICE_TYPES.nested(self.asked, self.types[type_of(device)]),
            "asset_tag": device.asset_tag or None,
            "location": location and LOCATIONS.nested(self.asked, location),
        }

    async def machine(self, device: Device, tags: Sequence[str], values: dict[str, Any]) -> Told:
        """A virtual machine."""
        vm = self.related.machines.get(device.id)
        host = self.related.hosts.get(device.id)
        processors = (vm.cpu_count if vm is not None else None) or device.cpu_cores
        memory = vm.memory_mb if vm is not None else None
        if memory is None and device.memory_total_bytes is not None:
            memory = device.memory_total_bytes // (1024 * 1024)
        disk = vm.total_disk_capacity_bytes // _MEGABYTE if vm is not None else 0
        return {
            **await self.common(device, tags, values),
            "device": host and nested_host(self.asked, "dcim/devices", host),
            "vcpus": float(processors) if processors is not None else None,
            "memory": memory,
            "disk": disk or None,
            "virtual_disk_count": 0,
        }

    def cluster(self, device: Device) -> Told | None:
        """The cluster that a host is."""
        host = self.related.hosts.get(device.id)
        return None if host is None else nested_host(self.asked, CLUSTERS_PATH, host)


async def tell_hosts(asked: Asked, rows: Sequence[Any], *, path: str, is_virtual: bool) -> list[Told]:
    """Tell of devices, each a row with the slugs of its tags and its custom fields."""
    if not rows:
        return []
    devices = [row[0] for row in rows]
    teller = Teller(
        asked, path, await tree_of(asked), await related_to(asked, devices, is_virtual=is_virtual)
    )
    await teller.look_up(devices)
    tell = teller.machine if is_virtual else teller.device
    return [await tell(*row) for row in rows]


def nested_host(asked: Asked, path: str, host: Any) -> Told:
    """A host within another object, as a device or as a cluster."""
    told = {"id": host.number, "url": asked.url(path, host.number), "display": host.name, "name": host.name}
    return {**told, "description": ""}


def kept_of(device: Device) -> Mapping[str, Any]:
    """What NetBox's clients said of a device that only they ask for."""
    kept = device.extra.get(SOURCE)
    return kept if isinstance(kept, dict) else {}


def type_of(device: Device) -> Key:
    """The key of a device's type."""
    return device.manufacturer or "", device.model or ""
