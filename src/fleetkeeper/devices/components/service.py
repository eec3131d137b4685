"""Parts of devices, as people list and change them; agents and other sources tell of theirs by `recording`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.devices import queries as devices
from fleetkeeper.devices.components import queries
from fleetkeeper.devices.components.models import (
    HardwareComponent,
    IpAddress,
    NetworkInterface,
    ServerFact,
    StorageVolume,
    Vm,
)
from fleetkeeper.devices.components.schemas import (
    AddressPage,
    AddressRead,
    AddressWrite,
    ComponentPage,
    ComponentRead,
    ComponentWrite,
    FactPage,
    FactRead,
    InterfacePage,
    InterfaceRead,
    InterfaceWrite,
    VmPage,
    VmRead,
    VmWrite,
    VolumePage,
    VolumeRead,
    VolumeWrite,
)
from fleetkeeper.devices.components.seen import plain_interface_address
from fleetkeeper.devices.models import Device
from fleetkeeper.devices.parts import DeviceParts
from fleetkeeper.devices.revisions.moments import AS_OF, moment_in
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

interfaces: DeviceParts[InterfaceWrite, InterfaceRead] = DeviceParts(
    model=NetworkInterface,
    listing=queries.INTERFACES,
    write_as=InterfaceWrite,
    read_as=InterfaceRead,
    page_as=InterfacePage,
    noun=("network interface", "network interfaces"),
    page="/network-interfaces/{}",
    label="interface_name",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
)


def _address_values(wanted: AddressWrite) -> dict[str, Any]:
    return wanted.model_dump() | {"address": plain_interface_address(wanted.address)}


addresses: DeviceParts[AddressWrite, AddressRead] = DeviceParts(
    model=IpAddress,
    listing=queries.ADDRESSES,
    write_as=AddressWrite,
    read_as=AddressRead,
    page_as=AddressPage,
    noun=("IP address", "IP addresses"),
    page="/ip-addresses/{}",
    label="address",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
    values=_address_values,
)

volumes: DeviceParts[VolumeWrite, VolumeRead] = DeviceParts(
    model=StorageVolume,
    listing=queries.VOLUMES,
    write_as=VolumeWrite,
    read_as=VolumeRead,
    page_as=VolumePage,
    noun=("storage volume", "storage volumes"),
    page="/storage-volumes/{}",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
)

components: DeviceParts[ComponentWrite, ComponentRead] = DeviceParts(
    model=HardwareComponent,
    listing=queries.COMPONENTS,
    write_as=ComponentWrite,
    read_as=ComponentRead,
    page_as=ComponentPage,
    noun=("hardware component", "hardware components"),
    page="/hardware-components/{}",
    label="slot",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
)

vms: DeviceParts[VmWrite, VmRead] = DeviceParts(
    model=Vm,
    listing=queries.VMS,
    write_as=VmWrite,
    read_as=VmRead,
    page_as=VmPage,
    noun=("virtual machine", "virtual machines"),
    page="/vms/{}",
    label="instance_uuid",
    read=Permission.DEVICES_READ,
    write=Permission.DEVICES_WRITE,
)


async def list_facts(session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]) -> FactPage:
    """One page of facts, those of the past among them unless `replaced_at__isnull=true` or `as_of` is asked for."""
    seen = devices.visible_to(actor).with_only_columns(Device.id)
    statement = select(ServerFact).where(ServerFact.device_id.in_(seen))
    moment = moment_in(parameters, AS_OF)
    if moment is not None:
        replaced = ServerFact.replaced_at
        statement = statement.where(
            ServerFact.collected_at <= moment, or_(replaced.is_(None), replaced > moment)
        )
    return await queries.FACTS.read(
        session,
        statement,
        [(name, text) for name, text in parameters if name != AS_OF],
        FactPage,
        lambda row: FactRead.model_validate(row[0]),
    )
