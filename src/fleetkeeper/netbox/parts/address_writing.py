"""IP addresses, written by clients of NetBox."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select

from fleetkeeper.devices.components.models import IpAddress, NetworkInterface
from fleetkeeper.devices.components.schemas import AddressWrite
from fleetkeeper.devices.components.service import addresses
from fleetkeeper.netbox.parts import filters as part_filters
from fleetkeeper.netbox.protocol.asked import Asked
from fleetkeeper.netbox.protocol.body import Body

_TYPES = {"dcim.interface": False, "virtualization.vminterface": True}
_STATUSES = ("active", "reserved", "deprecated", "dhcp", "slaac")
NEEDED = "Fleetkeeper keeps addresses of interfaces: name one by assigned_object_type and assigned_object_id."


async def create_address(asked: Asked, data: Any, told: Collection[str]) -> int:
    """Give an interface an address; returns its number."""
    body = Body(data, ("address",))
    interface = await _interface_in(asked, body)
    if interface is None and not body.is_wrong:
        body.refuse("assigned_object_id", NEEDED)
    wanted: dict[str, Any] = {}
    _read(body, wanted)
    body.finish(told)
    if interface is None:
        return 0
    wanted |= {"interface_id": interface.id, "device_id": interface.device_id}
    made = await addresses.create(asked.session, asked.actor, AddressWrite(**wanted))
    return await asked.session.scalar(select(IpAddress.number).where(IpAddress.id == made.id)) or 0


async def update_address(asked: Asked, row: IpAddress, data: Any, told: Collection[str]) -> None:
    """Change an address, which may go to another interface."""
    body = Body(data)
    wanted = {name: getattr(row, name) for name in AddressWrite.model_fields}
    wanted["address"] = str(row.address)
    if body.has("assigned_object_id"):
        interface = await _interface_in(asked, body)
        if interface is None and not body.is_wrong:
            body.refuse("assigned_object_id", NEEDED)
        if interface is not None:
            is_primary = wanted["is_primary"] and interface.device_id == row.device_id
            wanted |= {
                "interface_id": interface.id,
                "device_id": interface.device_id,
                "is_primary": is_primary,
            }
    else:
        body.has("assigned_object_type")
    _read(body, wanted)
    body.finish(told)
    await addresses.change(asked.session, asked.actor, row.id, AddressWrite(**wanted))


def _read(body: Body, wanted: dict[str, Any]) -> None:
    if body.has("address"):
        wanted["address"] = body.text("address", 100)
    if body.has("status") and (status := body.choice("status", _STATUSES)) is not None:
        wanted["status"] = status
    if body.has("dns_name"):
        wanted["dns_name"] = body.text("dns_name", 255)
    if body.has("description"):
        wanted["description"] = body.text("description", 2000)


async def _interface_in(asked: Asked, body: Body) -> NetworkInterface | None:
    kind = body.raw("assigned_object_type")
    number = body.whole("assigned_object_id", 2**63 - 1)
    if number is None:
        return None
    if kind not in {None, "", *_TYPES}:
        body.refuse("assigned_object_type", f"Must be {' or '.join(_TYPES)}.")
        return None
    is_virtual = _TYPES.get(kind) if isinstance(kind, str) else None
    statement = select(NetworkInterface).where(
        NetworkInterface.number == number,
        NetworkInterface.device_id.in_(part_filters.hosts(asked, is_virtual=is_virtual)),
    )
    found: NetworkInterface | None = await asked.session.scalar(statement)
    if found is None:
        body.refuse("assigned_object_id", f"Related object not found using the provided numeric ID: {number}")
    return found
