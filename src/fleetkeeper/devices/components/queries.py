"""What lists of parts may be filtered and sorted by."""

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

from sqlalchemy import String, cast

from fleetkeeper.devices.components.models import (
    HardwareComponent,
    IpAddress,
    NetworkInterface,
    ServerFact,
    StorageVolume,
    Vm,
)
from fleetkeeper.devices.components.schemas import (
    AddressStatus,
    ComponentKind,
    InterfaceStatus,
    InterfaceType,
    PowerState,
    VolumeType,
)
from fleetkeeper.devices.revisions.moments import AS_OF, SPECIAL
from fleetkeeper.kit.listing import LAST, Field, Listing

# A fleet has millions of parts, and nobody reads how many exactly.
MOST_COUNTED = 10_000


def _of_device(model: Any) -> dict[str, Field]:
    return {
        "id": Field(model.id.expression, UUID, sortable=False),
        "device_id": Field(model.device_id.expression, UUID, sortable=False),
        "source_system": Field(model.source_system.expression, str),
    }


def _missing(model: Any) -> dict[str, Field]:
    return {"missing_since": Field(model.missing_since.expression, datetime, null_as=LAST)}


INTERFACES = Listing(
    fields=_of_device(NetworkInterface)
    | {
        "interface_name": Field(NetworkInterface.interface_name.expression, str),
        "interface_type": Field(
            NetworkInterface.interface_type.expression, str, choices=get_args(InterfaceType)
        ),
        "status": Field(
            NetworkInterface.status.expression, str, null_as="''", choices=get_args(InterfaceStatus)
        ),
        "mac_address": Field(cast(NetworkInterface.mac_address.expression, String), str, null_as="''"),
        "speed_mbps": Field(NetworkInterface.speed_mbps.expression, int, null_as="-1"),
        "vlan_id": Field(NetworkInterface.vlan_id.expression, int, null_as="-1"),
    }
    | _missing(NetworkInterface),
    search=(
        NetworkInterface.interface_name.expression,
        cast(NetworkInterface.mac_address.expression, String),
        cast(NetworkInterface.ip_addresses.expression, String),
    ),
    key=NetworkInterface.id.expression,
    default_ordering="interface_name",
    special=SPECIAL,
    count_limit=MOST_COUNTED,
)

ADDRESSES = Listing(
    fields=_of_device(IpAddress)
    | {
        "interface_id": Field(IpAddress.interface_id.expression, UUID, sortable=False),
        "address": Field(cast(IpAddress.address.expression, String), str),
        "dns_name": Field(IpAddress.dns_name.expression, str),
        "status": Field(IpAddress.status.expression, str, choices=get_args(AddressStatus)),
        "is_primary": Field(IpAddress.is_primary.expression, bool),
    },
    search=(cast(IpAddress.address.expression, String), IpAddress.dns_name.expression),
    key=IpAddress.id.expression,
    default_ordering="address",
    special=SPECIAL,
    count_limit=MOST_COUNTED,
)

VOLUMES = Listing(
    fields=_of_device(StorageVolume)
    | {
        "name": Field(StorageVolume.name.expression, str),
        "volume_type": Field(
            StorageVolume.volume_type.expression, str, null_as="''", choices=get_args(VolumeType)
        ),
        "storage_array": Field(StorageVolume.storage_array.expression, str, null_as="''"),
        "capacity_bytes": Field(StorageVolume.capacity_bytes.expression, int, null_as="-1"),
        "used_bytes": Field(StorageVolume.used_bytes.expression, int, null_as="-1"),
    }
    | _missing(StorageVolume),
    search=(StorageVolume.name.expression, StorageVolume.mount_point.expression),
    key=StorageVolume.id.expression,
    default_ordering="name",
    special=SPECIAL,
    count_limit=MOST_COUNTED,
)

COMPONENTS = Listing(
    fields=_of_device(HardwareComponent)
    | {
        "kind": Field(HardwareComponent.kind.expression, str, choices=get_args(ComponentKind)),
        "slot": Field(HardwareComponent.slot.expression, str),
        "name": Field(HardwareComponent.name.expression, str),
        "manufacturer": Field(HardwareComponent.manufacturer.expression, str, null_as="''"),
        "model": Field(HardwareComponent.model.expression, str, null_as="''"),
        "serial_number": Field(HardwareComponent.serial_number.expression, str, null_as="''"),
        "capacity_bytes": Field(HardwareComponent.capacity_bytes.expression, int, null_as="-1"),
    }
    | _missing(HardwareComponent),
    search=(
        HardwareComponent.name.expression,
        HardwareComponent.model.expression,
        HardwareComponent.serial_number.expression,
    ),
    key=HardwareComponent.id.expression,
    default_ordering="kind",
    special=SPECIAL,
    count_limit=MOST_COUNTED,
)

VMS = Listing(
    fields=_of_device(Vm)
    | {
        "instance_uuid": Field(Vm.instance_uuid.expression, str, null_as="''"),
        "guest_os": Field(Vm.guest_os.expression, str, null_as="''"),
        "power_state": Field(Vm.power_state.expression, str, null_as="''", choices=get_args(PowerState)),
        "cpu_count": Field(Vm.cpu_count.expression, int, null_as="-1"),
        "memory_mb": Field(Vm.memory_mb.expression, int, null_as="-1"),
        "created_at": Field(Vm.created_at.expression, datetime),
    },
    search=(Vm.instance_uuid.expression, Vm.guest_os.expression),
    key=Vm.id.expression,
    default_ordering="created_at",
    special=SPECIAL,
    count_limit=MOST_COUNTED,
)

FACTS = Listing(
    fields=_of_device(ServerFact)
    | {
        "fact_name": Field(ServerFact.fact_name.expression, str),
        "collected_at": Field(ServerFact.collected_at.expression, datetime),
        "replaced_at": Field(ServerFact.replaced_at.expression, datetime, null_as=LAST),
    },
    search=(ServerFact.fact_name.expression, cast(ServerFact.fact_value.expression, String)),
    key=ServerFact.id.expression,
    default_ordering="fact_name",
    special={AS_OF: SPECIAL[AS_OF]},
    count_limit=MOST_COUNTED,
)
