"""What the API says of devices."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


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
    created_at: datetime
    updated_at: datetime
    version: int


class DeviceUpdate(BaseModel):
    """What a person may change of a device."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=255, pattern=r"^[^\x00]*$")
    device_type: str | None = Field(
        default=None,
        pattern="^(server|vm|workstation|network_device|storage|container|vehicle|other)$",
    )
    lifecycle: str | None = Field(default=None, pattern="^(active|inactive|maintenance|retired)$")
    location: str | None = Field(default=None, max_length=255, pattern=r"^[^\x00]*$")
    department_id: UUID | None = Field(default=None, description="Whose device it is; null is nobody's")


class DevicePage(BaseModel):
    """One page of devices."""

    count: int
    next: str | None
    previous: str | None
    results: list[DeviceSummary]


class FleetSummary(BaseModel):
    """How many devices there are, by status."""

    total: int
    online: int
    stale: int = Field(description="online, but silent for longer than three sampling intervals")
    offline: int
    unknown: int
