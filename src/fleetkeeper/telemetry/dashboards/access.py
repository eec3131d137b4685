"""Who may call the doors of dashboards."""

from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.identity.access import require
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.dashboards.answering import Asker

DashboardsWrite = Annotated[Actor, Depends(require(Permission.DASHBOARDS_WRITE))]


async def read_asker(request: Request, actor: TelemetryRead) -> Asker:
    """Who looks at a panel, and what its queries are answered with."""
    database: Database = request.app.state.database
    return Asker(
        actor=actor,
        sessions=lambda: database.session(context_of(request), plans_once=True),
        promql=request.app.state.promql,
        limits=request.app.state.settings.telemetry,
    )


Asking = Annotated[Asker, Depends(read_asker)]
