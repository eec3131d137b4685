"""`/health/live`, `/health/ready` and `/metrics`."""

import psutil
from fastapi import APIRouter, Request, Response
from sqlalchemy import text

from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import OperationsRead
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.senders.intake import SenderIntake

router = APIRouter(tags=["operations"])


@router.get("/health/live")
async def live() -> dict[str, str]:
    """Answer as long as this process runs."""
    return {"status": "live"}


@router.get("/health/ready", responses=problem_responses(503))
async def ready(request: Request) -> dict[str, str]:
    """Answer 200 when requests can be served: the database is there."""
    async with request.app.state.database.session() as session:
        await session.execute(text("SELECT 1"))
    return {"status": "ready"}


@router.get("/metrics", response_class=Response, responses=problem_responses(401, 403))
async def metrics(request: Request, actor: OperationsRead) -> Response:
    """This web process's own metrics, in the Prometheus text format."""
    del actor
    door: TelemetryDoor = request.app.state.door
    process = psutil.Process()
    values = (
        ("fleetkeeper_frames_accepted_total", "counter", "Frames stored", door.accepted_frames),
        ("fleetkeeper_values_accepted_total", "counter", "Values in those frames", door.accepted_values),
        (
            "fleetkeeper_frames_duplicate_total",
            "counter",
            "Frames that were stored before",
            door.duplicate_frames,
        ),
        ("fleetkeeper_frames_rejected_total", "counter", "Frames that were wrong", door.rejected_frames),
        (
            "fleetkeeper_frames_pending",
            "gauge",
            "Frames that wait for their commit",
            door.writer.pending_frames,
        ),
        ("process_resident_memory_bytes", "gauge", "Resident memory", process.memory_info().rss),
        ("process_cpu_seconds_total", "counter", "Processor time", sum(process.cpu_times()[:2])),
    )
    lines = [
        f"# HELP {name} {text}.\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, text, value in values
    ]
    senders: SenderIntake = request.app.state.senders
    lines.append(senders.tally.lines())
    return Response("".join(lines), media_type="text/plain; version=0.0.4")
