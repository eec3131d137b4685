"""Devices as rows of the console's tables, with stale told from online."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from fleetkeeper.console.contexts.devices import DeviceRow
from fleetkeeper.devices.presence import shown_status
from fleetkeeper.devices.schemas import DeviceSummary

_NO_NAMES: Mapping[UUID, str] = MappingProxyType({})


def device_row(
    device: DeviceSummary, stale_before: datetime, departments: Mapping[UUID, str] = _NO_NAMES
) -> DeviceRow:
    """One device as a row; `departments` are the paths of those that the reader may see."""
    return DeviceRow(
        id=device.id,
        name=device.name,
        hostname=device.hostname,
        status=shown_status(device.status, device.last_seen, stale_before, device.report_interval_seconds),
        device_type=device.device_type,
        system=" ".join(part for part in (device.os_name, device.os_version) if part),
        cpu=device.cpu_percent,
        memory=device.memory_percent,
        disk=device.disk_percent,
        last_seen=device.last_seen,
        department="" if device.department_id is None else departments.get(device.department_id, ""),
    )
