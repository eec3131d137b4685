"""`/health/live`, `/health/ready` and `/metrics`."""

import contextlib

from fastapi import APIRouter, Request, Response
from prometheus_client import generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.audit.chain import sealing_state
from fleetkeeper.database.context import product_context
from fleetkeeper.database.request_session import AppDatabase, AppSettings
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import OperationsRead
from fleetkeeper.jobs.service import count_runs
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.services import services_of
from fleetkeeper.operations.own_metrics import registry_of
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.senders.intake import SenderIntake

router = APIRouter(tags=["operations"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Answer as long as this process runs."""
    return {"status": "live"}


@router.get("/health/ready", responses=problem_responses(503))
async def ready(database: AppDatabase) -> dict[str, str]:
    """Answer 200 when requests can be served: the database is there."""
    async with database.session() as session:
        await session.execute(text("SELECT 1"))
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses=problem_responses(401, 403))
async def metrics(
    request: Request, actor: OperationsRead, database: AppDatabase, settings: AppSettings
) -> Response:
    """This web process's own metrics, in the Prometheus text format."""
    del actor
    sealing, runs, now = None, None, utc_now()
    with contextlib.suppress(SQLAlchemyError, OSError):
        async with database.session(product_context("job", "metrics")) as session:
            sealing = await sealing_state(session, settings, now)
            runs = await count_runs(session)
    services = services_of(request)
    tally = services.get(SenderIntake).tally
    registry = registry_of(services.get(TelemetryDoor), tally, sealing, runs, now)
    return Response(generate_latest(registry), media_type="text/plain; version=0.0.4")
