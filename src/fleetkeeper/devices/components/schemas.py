"""What the API says of parts of devices."""

from datetime import datetime
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from fleetkeeper.devices.components.seen import plain_interface_address
from fleetkeeper.identity.texts import Description, FullName, LongName, Name
from fleetkeeper.kit.addresses import plain_mac
from fleetkeeper.kit.pagination import PageOf
from fleetkeeper.kit.patterns import shaped

MAX_BYTES = 2**63 - 1
Bytes = Annotated[int, Field(ge=0, le=MAX_BYTES)]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Line = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
_MAC = shaped(r"^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$", "be a MAC address such as 52:54:00:12:34:56")
MacAddress = Annotated[str, Field(pattern=_MAC), AfterValidator(lambda text: plain_mac(_with_colons(text)))]
InterfaceType = Literal["physical", "virtual", "loopback", "bridge", "bond", "vlan", "wireless"]
InterfaceStatus = Literal["up", "down", "disabled"]
AddressStatus = Literal["active", "reserved", "deprecated", "dhcp", "slaac"]
VolumeType = Literal["lun", "filesystem", "datastore", "qtree", "disk", "logical_volume", "other"]
ComponentKind = Literal[
    "mainboard",
    "chassis",
    "bios",
    "processor",
    "memory",
    "disk",
    "network_card",
    "gpu",
    "power_supply",
    "fan",
    "battery",
    "other",
]
PowerState = Literal["POWERED_ON", "POWERED_OFF", "SUSPENDED"]
ShownAddress = Annotated[str, BeforeValidator(str)]


def _with_colons(text: str) -> str:
    digits = "".join(one for one in text if one.isalnum())
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


class _Part(BaseModel):
    """What every part has."""

    model_config = ConfigDict(extra="forbid")

    device_id: UUID = Field(description="The device that it belongs to")


class _Stored(BaseModel):
    """What is told of every part besides."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    source_system: str = Field(description="Who told of it last; manual for people")
    version: int
    created_at: datetime
    updated_at: datetime


class InterfaceWrite(_Part):
    """What is entered of a network interface."""

    interface_name: Name
    interface_type: InterfaceType = "physical"
    mac_address: MacAddress | None = None
    status: InterfaceStatus | None = None
    speed_mbps: Count | None = None
    vlan_id: Annotated[int, Field(ge=1, le=4094)] | None = None
    parent_name: Name | None = Field(default=None, description="The interface that a VLAN or alias is on")
    mtu: Count | None = None
    description: Description = ""


class InterfaceRead(InterfaceWrite, _Stored):
    """A network interface."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    duplex: str | None
    ip_addresses: list[ShownAddress] = Field(description="Addresses with the length of their prefix")
    missing_since: datetime | None = Field(description="When its source stopped telling of it")


class InterfacePage(PageOf[InterfaceRead]):
    """One page of network interfaces."""


def _interface_address(value: Any) -> Any:
    try:
        return ip_interface(value)
    except ValueError:
        raise ValueError("Must be an IP address with the length of its prefix, such as 10.0.0.5/24") from None


class AddressWrite(_Part):
    """What is entered of an IP address."""

    interface_id: UUID = Field(description="The interface of the same device that has it")
    address: Annotated[IPv4Interface | IPv6Interface, BeforeValidator(_interface_address)] = Field(
        description="With the length of its prefix, such as 10.0.0.5/24"
    )
    dns_name: FullName = ""
    status: AddressStatus = "active"
    is_primary: bool = Field(
        default=False, description="Whether the device is reached by it; one of each family"
    )
    description: Description = ""


class AddressRead(_Stored, _Part):
    """An IP address."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    interface_id: UUID
    address: Annotated[str, BeforeValidator(plain_interface_address)]
    dns_name: str
    status: str
    is_primary: bool
    description: str


class AddressPage(PageOf[AddressRead]):
    """One page of IP addresses."""


class VolumeWrite(_Part):
    """What is entered of a storage volume."""

    name: LongName
    volume_type: VolumeType = "other"
    capacity_bytes: Bytes | None = None
    used_bytes: Bytes | None = None
    storage_array: FullName | None = None
    raid_level: Annotated[str, Field(max_length=50)] | None = None
    thin_provisioned: bool | None = None
    mount_point: Line | None = None


class VolumeRead(VolumeWrite, _Stored):
    """A storage volume."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    device_id: UUID | None  # type: ignore[assignment]
    volume_type: str | None  # type: ignore[assignment]
    source_id: str
    missing_since: datetime | None


class VolumePage(PageOf[VolumeRead]):
    """One page of storage volumes."""


class ComponentWrite(_Part):
    """What is entered of a piece of hardware."""

    kind: ComponentKind
    slot: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")] = Field(
        description="Where it sits: a slot, a bus address, a name"
    )
    name: Line = ""
    manufacturer: Line | None = None
    model: Line | None = None
    serial_number: Line | None = None
    part_number: Line | None = None
    firmware: Line | None = None
    capacity_bytes: Bytes | None = None


class ComponentRead(ComponentWrite, _Stored):
    """A piece of hardware."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    missing_since: datetime | None


class ComponentPage(PageOf[ComponentRead]):
    """One page of hardware."""


class VmWrite(_Part):
    """What is entered of a virtual machine."""

    instance_uuid: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")] | None = None
    guest_os: Line | None = None
    cpu_count: Count | None = None
    memory_mb: Bytes | None = None
    power_state: PowerState | None = None
    tools_running: bool | None = None


class VmRead(VmWrite, _Stored):
    """A virtual machine."""

    model_config = ConfigDict(from_attributes=True, extra="ignore")

    ip_addresses: list[str]
    disks: list[dict[str, Any]]
    snapshots: list[dict[str, Any]]
    total_disk_capacity_bytes: int
    total_snapshot_size_bytes: int


class VmPage(PageOf[VmRead]):
    """One page of virtual machines."""


class FactRead(BaseModel):
    """A value of a fact."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    device_id: UUID
    source_system: str
    fact_name: str
    fact_value: Any
    collected_at: datetime
    replaced_at: datetime | None = Field(description="Null for the value that holds now")


class FactPage(PageOf[FactRead]):
    """One page of facts."""
