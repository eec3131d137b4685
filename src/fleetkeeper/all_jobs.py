"""Every room's jobs, imported so that they are declared."""

from fleetkeeper.audit import jobs as audit
from fleetkeeper.identity import jobs as identity
from fleetkeeper.jobs import upkeep
from fleetkeeper.notifications import emitters
from fleetkeeper.notifications import jobs as notifications
from fleetkeeper.operations.idempotency import jobs as idempotency
from fleetkeeper.telemetry import jobs as telemetry
from fleetkeeper.telemetry.archive import runs as archive
from fleetkeeper.telemetry.archive import verification
from fleetkeeper.telemetry.refusals import jobs as refusals
from fleetkeeper.telemetry.rollups import jobs as rollups
from fleetkeeper.telemetry.space import jobs as space

__all__ = [
    "archive",
    "audit",
    "emitters",
    "idempotency",
    "identity",
    "notifications",
    "refusals",
    "rollups",
    "space",
    "telemetry",
    "upkeep",
    "verification",
]
