"""`/health/live`, `/health/ready` and `/metrics`."""

import contextlib
from collections.abc import Sequence
from datetime import datetime

import psutil
from fastapi import APIRouter, Request, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from fleetkeeper.audit.chain import SealingState, sealing_state
from fleetkeeper.database.context import product_context
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.access import OperationsRead
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.door import TelemetryDoor
from fleetkeeper.telemetry.senders.intake import SenderIntake

router = APIRouter(tags=["operations"])
# Name, type, help and value of a metric.
Value = tuple[str, str, str, float]


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
    settings: Settings = request.app.state.settings
    door: TelemetryDoor = request.app.state.door
    process = psutil.Process()
    values: list[Value] = [
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
    ]
    lines = [_exposed(values)]
    senders: SenderIntake = request.app.state.senders
    lines.append(senders.tally.lines())
    with contextlib.suppress(SQLAlchemyError, OSError):
        async with request.app.state.database.session(product_context("job", "metrics")) as session:
            now = utc_now()
            lines.append(_exposed(_of_sealing(await sealing_state(session, settings, now), now)))
    return Response("".join(lines), media_type="text/plain; version=0.0.4")


def _exposed(values: Sequence[Value]) -> str:
    return "".join(
        f"# HELP {name} {text}.\n# TYPE {name} {kind}\n{name} {value}\n" for name, kind, text, value in values
    )


def _of_sealing(state: SealingState, now: datetime) -> list[Value]:
    age = (now - state.oldest_unsealed_at).total_seconds() if state.oldest_unsealed_at else 0.0
    return [
        (
            "fleetkeeper_audit_sealing_stopped",
            "gauge",
            "1 while the audit log's chain of seals is damaged",
            int(state.status == "stopped"),
        ),
        (
            "fleetkeeper_audit_unsealed_entries",
            "gauge",
            "Entries of the audit log that no genuine seal has, counted up to 100000",
            state.unsealed_entries,
        ),
        (
            "fleetkeeper_audit_oldest_unsealed_seconds",
            "gauge",
            "Age of the oldest of those entries",
            max(age, 0.0),
        ),
        (
            "fleetkeeper_audit_newest_seal",
            "gauge",
            "Number of the newest genuine seal",
            state.newest.number if state.newest else 0,
        ),
    ]
