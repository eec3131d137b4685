"""Who may call the doors of dashboards."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.services import services_of
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.dashboards.answering import Asker
from fleetkeeper.telemetry.promql.service import Promql

DashboardsWrite = Annotated[Actor, Depends(require(Permission.DASHBOARDS_WRITE))]


async def read_asker(request: Request, actor: TelemetryRead) -> Asker:
    """Who looks at a panel, and what its queries are answered with."""
    database = services_of(request).get(Database)
    return Asker(
        actor=actor,
        sessions=lambda: database.session(context_of(request), plans_once=True),
        promql=services_of(request).get(Promql),
        limits=services_of(request).get(Settings).telemetry,
    )


Asking = Annotated[Asker, Depends(read_asker)]
