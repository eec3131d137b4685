"""Enters what one row says, by the services that `POST` and `PATCH` use."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.annotations.fields.bulk import checked_changes, store_values
from fleetkeeper.annotations.tags.service import set_tags
from fleetkeeper.devices.annotating import TABLE
from fleetkeeper.devices.components.schemas import AddressWrite, InterfaceWrite
from fleetkeeper.devices.components.service import addresses, interfaces
from fleetkeeper.devices.creating import create_device
from fleetkeeper.devices.importing.planning import Plan
from fleetkeeper.devices.importing.present import Interface, Present
from fleetkeeper.devices.importing.values import Values
from fleetkeeper.devices.schemas import DeviceCreate, DeviceUpdate
from fleetkeeper.devices.service import update_device
from fleetkeeper.identity.actor import Actor


async def enter_new(session: AsyncSession, actor: Actor, plan: Plan, now: datetime) -> UUID:
    """Create the device of a row. Raises as the services do."""
    made = await create_device(session, actor, DeviceCreate(**plan.values.core), now)
    await _enter_rest(session, actor, made.id, plan.values, {})
    return made.id


async def enter_changes(session: AsyncSession, actor: Actor, device: Present, values: Values) -> None:
    """Change the device of a row. Raises as the services do, PreconditionError where it has changed since."""
    if values.core:
        await update_device(
            session, actor, device.id, DeviceUpdate(**values.core), expected_version=device.version
        )
    await _enter_rest(session, actor, device.id, values, device.interfaces)


async def _enter_rest(
    session: AsyncSession, actor: Actor, device_id: UUID, values: Values, present: Any
) -> None:
    if values.tags is not None:
        await set_tags(session, actor, TABLE, device_id, values.tags)
    if values.custom:
        told = {name: _plain(value) for name, value in values.custom.items()}
        for change in await checked_changes(session, actor, TABLE, told, is_locked=True):
            await store_values(session, change, [device_id])
    if values.parts:
        await _enter_parts(session, actor, device_id, values.parts, present.get(values.parts["interface"]))


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, str | float | bool) else value.isoformat()


async def _enter_parts(
    session: AsyncSession, actor: Actor, device_id: UUID, told: dict[str, str], present: Interface | None
) -> None:
    mac = told.get("mac_address")
    if present is None:
        wanted = InterfaceWrite(device_id=device_id, interface_name=told["interface"], mac_address=mac)
        key = (await interfaces.create(session, actor, wanted)).id
    else:
        key = present.id
        if mac is not None and mac != present.mac_address:
            await set_mac(session, actor, key, mac)
    address = told.get("ip_address")
    if address is not None and (present is None or address not in present.addresses):
        both: dict[str, Any] = {"device_id": device_id, "interface_id": key, "address": address}
        await addresses.create(session, actor, AddressWrite(**both))


async def set_mac(session: AsyncSession, actor: Actor, interface_id: UUID, mac: str | None) -> None:
    """Change an interface's MAC address alone. Raises as the service does."""
    found = await interfaces.get(session, actor, interface_id)
    known = found.model_dump(include=set(InterfaceWrite.model_fields))
    await interfaces.change(session, actor, interface_id, InterfaceWrite(**known | {"mac_address": mac}))


async def remove_parts(
    session: AsyncSession, actor: Actor, interface: Interface, address: str, *, is_new: bool
) -> None:
    """Remove an interface that is new, or the address that it was given. Raises as the services do."""
    if is_new:
        await interfaces.delete(session, actor, interface.id)
    elif address in interface.addresses:
        await addresses.delete(session, actor, interface.addresses[address])
