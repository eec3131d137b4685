"""What the API says of devices."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fleetkeeper.annotations.fields.schemas import FieldName
from fleetkeeper.annotations.fields.service import MOST as MOST_FIELDS
from fleetkeeper.annotations.tags.schemas import Slugs
from fleetkeeper.identity.texts import Description, FullName, LongName
from fleetkeeper.kit.bulk import Selection
from fleetkeeper.kit.pagination import PageOf

DeviceType = Literal[
    "server", "vm", "workstation", "network_device", "storage", "container", "vehicle", "other"
]
Detail = Annotated[str, Field(max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]
Lifecycle = Literal["active", "inactive", "maintenance", "retired"]


class DeviceSummary(BaseModel):
    """A device in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hostname: str
    device_type: str
    status: str = Field(description="online, offline or unknown; follows from its reports")
    lifecycle: str
    department_id: UUID | None
    location: str | None
    os_name: str | None
    os_version: str | None
    cpu_percent: float | None
    memory_percent: float | None
    disk_percent: float | None
    clock_skew_seconds: float | None = Field(
        default=None,
        description="How far the time of the newest report was ahead of the server's clock; below zero behind it",
    )
    report_interval_seconds: float | None = Field(
        default=None, description="Estimated time between reports, by which the device is judged"
    )
    first_seen: datetime | None
    last_seen: datetime | None
    tags: list[str] = Field(default=[], description="Slugs of its tags")
    custom_fields: dict[str, str | int | float | bool] = Field(
        default={}, description="Values of its custom fields; sensitive ones are masked"
    )


class DeviceRead(DeviceSummary):
    """Everything that is true of a device now."""

    fqdn: str | None
    domain: str | None
    os_build: str | None
    kernel: str | None
    architecture: str | None
    manufacturer: str | None
    model: str | None
    serial_number: str | None
    virtualization: str | None
    cpu_model: str | None
    cpu_cores: int | None
    cpu_threads: int | None
    memory_total_bytes: int | None
    gpu_models: list[Any]
    interfaces: list[Any]
    boot_time: datetime | None
    capabilities: dict[str, Any]
    location_id: UUID | None
    asset_tag: str | None
    owner: str | None
    description: str | None
    purchased_on: date | None
    warranty_until: date | None
    end_of_support_on: date | None
    source_system: str | None = Field(description="The source that knew it first")
    source_id: str | None
    created_at: datetime
    updated_at: datetime
    version: int


class _Entered(BaseModel):
    """What people know of a device and no machine says, unless it is better known."""

    model_config = ConfigDict(extra="forbid")

    location_id: UUID | None = Field(default=None, description="The location that it is in; null for none")
    location: str | None = Field(default=None, max_length=255, pattern=r"^[^\x00]*$")
    manufacturer: Detail | None = None
    model: Detail | None = None
    serial_number: Detail | None = None
    asset_tag: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None
    owner: FullName | None = Field(default=None, description="The person or team that it belongs to")
    description: Description | None = None
    purchased_on: date | None = None
    warranty_until: date | None = None
    end_of_support_on: date | None = None


# What may be taken away again.
CLEARABLE = frozenset(_Entered.model_fields) | {"department_id"}


class DeviceCreate(_Entered):
    """A device that a person enters."""

    name: LongName
    device_type: DeviceType = "server"
    lifecycle: Lifecycle = "active"
    hostname: LongName | None = Field(default=None, description="Null: its name")
    department_id: UUID | None = Field(default=None, description="Department of the device; null for none")


class DeviceClone(BaseModel):
    """What a copy of a device is called."""

    model_config = ConfigDict(extra="forbid")

    name: LongName
    serial_number: Detail | None = None
    asset_tag: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")] | None = None


class DeviceUpdate(_Entered):
    """What a person may change of a device."""

    name: LongName | None = None
    device_type: DeviceType | None = None
    lifecycle: Lifecycle | None = None
    department_id: UUID | None = Field(default=None, description="Department of the device; null for none")


class DeviceBulkChanges(BaseModel):
    """What a person may change of many devices at once."""

    model_config = ConfigDict(extra="forbid")

    device_type: DeviceType | None = None
    lifecycle: Lifecycle | None = None
    location: str | None = Field(default=None, max_length=255, pattern=r"^[^\x00]*$")
    department_id: UUID | None = Field(default=None, description="Department of the devices; null for none")
    add_tags: Slugs = Field(default=[], description="Slugs of tags to add")
    remove_tags: Slugs = Field(default=[], description="Slugs of tags to remove")
    custom_fields: dict[FieldName, Any] = Field(
        default={},
        max_length=MOST_FIELDS,
        description="Values by the names of their custom fields; null clears one. Not for sensitive fields",
    )

    @model_validator(mode="after")
    def _has_what_must_be(self) -> "DeviceBulkChanges":
        for name in ("device_type", "lifecycle"):
            if name in self.model_fields_set and getattr(self, name) is None:
                raise ValueError(f"{name} must not be empty")
        return self


class DeviceBulkDelete(Selection):
    """Which devices to delete."""

    dry_run: bool = Field(default=False, description="Only say what would become of each")
    expected: int | None = Field(
        default=None, ge=0, description="Delete nothing unless so many devices would go or wait for approval"
    )


class DeviceBulkUpdate(Selection):
    """Which devices to change, and how."""

    changes: DeviceBulkChanges
    dry_run: bool = Field(default=False, description="Show what would change; change nothing")


class DevicePage(PageOf[DeviceSummary]):
    """One page of devices."""


class FleetSummary(BaseModel):
    """How many devices there are, by status."""

    total: int
    online: int
    stale: int = Field(description="online, but silent for longer than three sampling intervals")
    offline: int
    unknown: int
