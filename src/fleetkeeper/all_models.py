"""Imports every room's models, so that Alembic and foreign keys by name can see them all; and what people annotate."""

from fleetkeeper.alerts import models as alerts
from fleetkeeper.alerts.recording import models as recording
from fleetkeeper.alerts.rule_files import models as rule_files
from fleetkeeper.alerts.versions import models as rule_versions
from fleetkeeper.annotations import identity_objects
from fleetkeeper.annotations import models as annotations
from fleetkeeper.approvals import models as approvals
from fleetkeeper.audit import models as audit
from fleetkeeper.cloud_files import models as cloud_files
from fleetkeeper.config import models as config
from fleetkeeper.database import status_history
from fleetkeeper.database.base import Base
from fleetkeeper.device_requests import models as device_requests
from fleetkeeper.device_requests.archiving import models as request_archive
from fleetkeeper.devices import models as devices
from fleetkeeper.devices.components import models as components
from fleetkeeper.devices.configs import models as device_configs
from fleetkeeper.devices.identity import models as identity_reviews
from fleetkeeper.devices.importing import models as importing
from fleetkeeper.devices.locations import models as locations
from fleetkeeper.devices.merging import models as merging
from fleetkeeper.devices.precedence import models as precedence
from fleetkeeper.devices.relationships import models as relationships
from fleetkeeper.devices.revisions import models as revisions
from fleetkeeper.fleet import models as fleet
from fleetkeeper.identity import models as identity
from fleetkeeper.identity.oidc import models as oidc
from fleetkeeper.identity.sign_in import models as sign_in
from fleetkeeper.jobs import models as jobs
from fleetkeeper.netbox import models as netbox
from fleetkeeper.notifications import models as notifications
from fleetkeeper.operations.idempotency import models as idempotency
from fleetkeeper.orders import models as orders
from fleetkeeper.orders.work import models as work_orders
from fleetkeeper.replenishment import models as replenishment
from fleetkeeper.stock import models as stock
from fleetkeeper.stock.counting import models as stock_counts
from fleetkeeper.stock.levels import models as stock_levels
from fleetkeeper.telemetry import models as telemetry
from fleetkeeper.telemetry.archive import models as archive
from fleetkeeper.telemetry.chunks import models as chunks
from fleetkeeper.telemetry.dashboards import models as dashboards
from fleetkeeper.telemetry.refusals import models as refusals
from fleetkeeper.telemetry.rollups import models as rollups
from fleetkeeper.telemetry.senders import models as senders
from fleetkeeper.telemetry.space import models as space
from fleetkeeper.telemetry.states import models as states

__all__ = [
    "Base",
    "alerts",
    "annotations",
    "approvals",
    "archive",
    "audit",
    "chunks",
    "cloud_files",
    "components",
    "config",
    "dashboards",
    "device_configs",
    "device_requests",
    "devices",
    "fleet",
    "idempotency",
    "identity",
    "identity_objects",
    "identity_reviews",
    "importing",
    "jobs",
    "locations",
    "merging",
    "netbox",
    "notifications",
    "oidc",
    "orders",
    "precedence",
    "recording",
    "refusals",
    "relationships",
    "replenishment",
    "request_archive",
    "revisions",
    "rollups",
    "rule_files",
    "rule_versions",
    "senders",
    "sign_in",
    "space",
    "states",
    "status_history",
    "stock",
    "stock_counts",
    "stock_levels",
    "telemetry",
    "work_orders",
]
