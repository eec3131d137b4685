"""Statuses of devices: NetBox's, and the stages of a life that the product knows. Pure."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from fleetkeeper.devices.models import Device
from fleetkeeper.netbox.names.roles import SOURCE
from fleetkeeper.netbox.protocol.kind import Choices

STATUSES: Choices = {
    "active": "Active",
    "offline": "Offline",
    "planned": "Planned",
    "staged": "Staged",
    "failed": "Failed",
    "inventory": "Inventory",
    "decommissioning": "Decommissioning",
    "maintenance": "Maintenance",
    "paused": "Paused",
}
LIFECYCLES = {
    "active": "active",
    "offline": "inactive",
    "planned": "inactive",
    "staged": "inactive",
    "failed": "inactive",
    "inventory": "inactive",
    "paused": "inactive",
    "decommissioning": "retired",
    "maintenance": "maintenance",
}
# What is told where nobody said it more exactly.
_PLAIN = {
    "active": "active",
    "inactive": "offline",
    "retired": "decommissioning",
    "maintenance": "maintenance",
}
STATUS = Device.extra[(SOURCE, "status")].as_string()


def status_of(lifecycle: str, kept: Mapping[str, Any]) -> str:
    """The status of a device: what was written, as long as it fits what the device is now."""
    written = kept.get("status")
    if isinstance(written, str) and LIFECYCLES.get(written) == lifecycle:
        return written
    return _PLAIN[lifecycle]


def has_status(status: str) -> ColumnElement[bool]:
    """Devices of a status."""
    lifecycle = LIFECYCLES[status]
    others = [one for one, other in LIFECYCLES.items() if other == lifecycle and one != _PLAIN[lifecycle]]
    if _PLAIN[lifecycle] == status:
        more = (
            or_(STATUS.is_(None), STATUS.not_in(others))
            if others
            else or_(STATUS.is_(None), STATUS.is_not(None))
        )
    else:
        more = status == STATUS
    return and_(Device.lifecycle == lifecycle, more)
