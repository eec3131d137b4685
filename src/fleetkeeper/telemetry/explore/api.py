"""The doors of questions over the whole fleet."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from fleetkeeper.database.request_session import AppSettings, PlannedSession
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.kit.moments import From, To
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.explore import last, service
from fleetkeeper.telemetry.explore.schemas import FleetRead, LastRead
from fleetkeeper.telemetry.parameters import MaybeDeviceIds

router = APIRouter(prefix="/telemetry", tags=["telemetry"])

_encoder = msgspec.json.Encoder()


@router.get("/query", response_model=FleetRead, responses=problem_responses(401, 403, 422))
async def query_fleet(
    settings: AppSettings,
    actor: TelemetryRead,
    session: PlannedSession,
    metric: Annotated[
        list[str], Query(description='Metrics, or channels such as cpu_core_usage_percent{core="0"}')
    ],
    start: From,
    end: To,
    agg: Annotated[
        list[str] | None,
        Query(
            description="avg (default), min, max, last, sum, count, rate, increase, or a percentile such as p95; "
            "several are answered together, and `top` goes by the first"
        ),
    ] = None,
    by: Annotated[
        list[str] | None,
        Query(
            description="Group by: device, department, device_type, status, lifecycle, location, os, domain, "
            "or label:core. Default: one group for the fleet"
        ),
    ] = None,
    across: Annotated[
        str | None,
        Query(
            description="Combine one value of each device: avg, min, max, sum, count (of devices), or a "
            "percentile such as p95. Default: pool all samples of a group"
        ),
    ] = None,
    step: Annotated[
        str | None,
        Query(description="Seconds, or hour, day, week, month; default: fits `points`"),
    ] = None,
    points: Annotated[int, Query(ge=1, le=11_000, description="Approximate number of steps")] = 300,
    device: MaybeDeviceIds = None,
    department: Annotated[list[str] | None, Query(description="Names of departments; default: all")] = None,
    device_type: Annotated[list[str] | None, Query(description="Device types; default: all")] = None,
    top: Annotated[int | None, Query(description="Number of groups to keep, by largest mean")] = None,
    compare: Annotated[
        str | None, Query(description="Also return the values of that long ago: 1h, 1d, 1w")
    ] = None,
    whole: Annotated[bool, Query(description="Widen the range to whole steps, which is faster")] = False,
    explain: Annotated[
        bool, Query(description="Also return which tier answered which part of the range")
    ] = False,
) -> Response:
    """Ask a question over the whole fleet: groups of series over a range of time."""
    where = {"department": department, "device_type": device_type}
    wanted = agg or ["avg"]
    query = service.FleetQuery(
        metrics=list(dict.fromkeys(metric)),
        start=start,
        end=end,
        aggregate=wanted[0],
        also=wanted[1:],
        by=list(dict.fromkeys(by or ())),
        across=across,
        step=step,
        points=points,
        devices=device or [],
        where={name: values for name, values in where.items() if values},
        top=top,
        compare=compare,
        whole=whole,
        explain=explain,
    )
    answer = await service.query_fleet(session, actor, query, settings.telemetry)
    return Response(_encoder.encode(answer), media_type="application/json")


@router.get("/last", response_model=LastRead, responses=problem_responses(401, 403, 422))
async def read_last(
    actor: TelemetryRead,
    session: PlannedSession,
    metric: Annotated[list[str], Query(description="Metrics or channels, at most 50")],
    limit: Annotated[int, Query(ge=1, le=10_000, description="Maximum number of devices")] = 1000,
    after: Annotated[str | None, Query(description="UUID of the last device of the previous page")] = None,
) -> Response:
    """Read the newest value of some metrics of every device, in the order of the devices' UUIDs."""
    answer = await last.last_of_all(session, actor, list(dict.fromkeys(metric)), limit, after)
    return Response(_encoder.encode(answer), media_type="application/json")
