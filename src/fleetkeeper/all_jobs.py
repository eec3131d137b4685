"""Every room's jobs and kinds of approvals, imported so that they are declared."""

from fleetkeeper.alerts import jobs as alerts
from fleetkeeper.annotations import jobs as annotations
from fleetkeeper.approvals import jobs as approvals
from fleetkeeper.audit import jobs as audit
from fleetkeeper.cloud_files import jobs as cloud_files
from fleetkeeper.device_requests import jobs as device_requests
from fleetkeeper.devices import deleting
from fleetkeeper.devices.importing import jobs as importing
from fleetkeeper.devices.revisions import jobs as revisions
from fleetkeeper.identity import jobs as identity
from fleetkeeper.jobs import upkeep
from fleetkeeper.notifications import emitters
from fleetkeeper.notifications import jobs as notifications
from fleetkeeper.operations.idempotency import jobs as idempotency
from fleetkeeper.orders import jobs as orders
from fleetkeeper.replenishment import jobs as replenishment
from fleetkeeper.telemetry import jobs as telemetry
from fleetkeeper.telemetry.archive import requesting, verification
from fleetkeeper.telemetry.archive import runs as archive
from fleetkeeper.telemetry.refusals import jobs as refusals
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.space import jobs as space

__all__ = [
    "alerts",
    "annotations",
    "approvals",
    "archive",
    "audit",
    "cloud_files",
    "deleting",
    "device_requests",
    "emitters",
    "idempotency",
    "identity",
    "importing",
    "notifications",
    "orders",
    "refusals",
    "replenishment",
    "requesting",
    "revisions",
    "rollups",
    "space",
    "telemetry",
    "upkeep",
    "verification",
]
