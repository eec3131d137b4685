"""`/prometheus/api/v1/rules` and `/prometheus/api/v1/alerts`, as Grafana asks them."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from fleetkeeper.alerts.prometheus import service
from fleetkeeper.alerts.prometheus.service import Wanted
from fleetkeeper.database.request_session import Session
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.telemetry.access import TelemetryRead
from fleetkeeper.telemetry.promql.api import PrometheusRoute
from fleetkeeper.telemetry.promql.schemas import PrometheusAnswer, answers

# As many, and as long, as an address can hold.
Names = Annotated[list[Annotated[str, Field(max_length=150)]], Field(max_length=10)]
router = APIRouter(
    prefix="/prometheus/api/v1",
    tags=["prometheus"],
    route_class=PrometheusRoute,
    responses={**problem_responses(401, 403, 429), **answers()},
)


def _success(data: dict[str, Any]) -> Response:
    body = msgspec.json.encode({"status": "success", "data": data})
    return Response(body, media_type="application/json")


@router.get("/rules", response_model=PrometheusAnswer, responses=problem_responses(422))
async def list_rules(
    actor: TelemetryRead,
    session: Session,
    kind: Annotated[str, Query(alias="type", description="alert or record; empty: both")] = "",
    rule_names: Annotated[Names | None, Query(alias="rule_name[]")] = None,
    rule_groups: Annotated[Names | None, Query(alias="rule_group[]")] = None,
    files: Annotated[Names | None, Query(alias="file[]")] = None,
) -> Response:
    """List alert rules with the alerts that they see, and recording rules."""
    wanted = Wanted(kind, rule_names or (), rule_groups or (), files or ())
    return _success(await service.list_groups(session, actor, wanted))


@router.get("/alerts", response_model=PrometheusAnswer)
async def list_alerts(actor: TelemetryRead, session: Session) -> Response:
    """List alerts that are pending or firing."""
    return _success(await service.list_alerts(session, actor))
