"""What devices are at present, as the texts that a file has of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.filters import PREFIX
from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.components.models import IpAddress, NetworkInterface
from fleetkeeper.devices.components.seen import plain_interface_address
from fleetkeeper.devices.importing.fields import CORE
from fleetkeeper.devices.importing.files.table import text_of
from fleetkeeper.devices.importing.known import Known
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.actor import Actor

_BY_KEY = {"department": "department_id", "location_path": "location_id"}


@dataclass
class Interface:
    """An interface of a device: its MAC address and its IP addresses, those that the device is reached by first."""

    id: UUID
    mac_address: str
    addresses: dict[str, UUID] = field(default_factory=dict)
    is_primary: bool = False


@dataclass(frozen=True)
class Present:
    """A device as it is."""

    id: UUID
    version: int
    department_id: UUID | None
    has_reported: bool
    # Texts by field.
    texts: Mapping[str, str]
    # Keys behind the texts of `department` and `location_path`.
    keys: Mapping[str, str]
    tags: frozenset[str]
    interfaces: Mapping[str, Interface]


async def present_devices(
    session: AsyncSession, actor: Actor, ids: Sequence[UUID], known: Known
) -> dict[UUID, Present]:
    """Those of the devices that the actor may see."""
    if not ids:
        return {}
    statement = devices.with_vitals(devices.visible_to(actor), actor).where(devices.among(ids))
    rows = (await session.execute(statement.execution_options(populate_existing=True))).all()
    interfaces = await _interfaces(session, [row[0].id for row in rows])
    return {row[0].id: _present(row[0], row[2], row[3], interfaces.get(row[0].id, {}), known) for row in rows}


def _present(
    device: Device, tags: Any, values: Any, interfaces: Mapping[str, Interface], known: Known
) -> Present:
    texts = {name: text_of(getattr(device, name)) for name in CORE if name not in _BY_KEY}
    texts |= {
        "id": str(device.id),
        "department": known.departments.path(device.department_id),
        "location_path": known.locations.path(device.location_id),
        "tags": ", ".join(sorted(tags)),
    }
    texts |= {PREFIX + name: text_of(value) for name, value in values.items()}
    texts |= _shown(interfaces)
    keys = {name: text_of(getattr(device, column)) for name, column in _BY_KEY.items()}
    return Present(
        id=device.id,
        version=device.version,
        department_id=device.department_id,
        has_reported=device.last_seen is not None,
        texts=texts,
        keys=keys,
        tags=frozenset(tags),
        interfaces=interfaces,
    )


def _shown(interfaces: Mapping[str, Interface]) -> dict[str, str]:
    """The one interface that a file has of a device: that of its primary address, or else its first."""
    names = sorted(interfaces, key=lambda one: (not interfaces[one].is_primary, one))
    if not names:
        return {}
    shown = interfaces[names[0]]
    return {
        "interface": names[0],
        "mac_address": shown.mac_address,
        "ip_address": next(iter(shown.addresses), ""),
    }


async def _interfaces(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, dict[str, Interface]]:
    found: dict[UUID, dict[str, Interface]] = {}
    by_key: dict[UUID, Interface] = {}
    rows = await session.execute(
        select(
            NetworkInterface.device_id,
            NetworkInterface.id,
            NetworkInterface.interface_name,
            NetworkInterface.mac_address,
        ).where(NetworkInterface.device_id.in_(ids))
    )
    for device_id, key, name, mac in rows:
        by_key[key] = found.setdefault(device_id, {})[name] = Interface(key, str(mac or ""))
    addresses = await session.execute(
        select(IpAddress.interface_id, IpAddress.id, IpAddress.address, IpAddress.is_primary)
        .where(IpAddress.device_id.in_(ids))
        .order_by(IpAddress.is_primary.desc(), IpAddress.address)
    )
    for interface_id, key, address, is_primary in addresses:
        by_key[interface_id].addresses[plain_interface_address(address) or ""] = key
        by_key[interface_id].is_primary |= is_primary
    return found
