"""`/api/v1/alerts`, and `alert-rules`, `alert-silences`, `alert-receivers` and `alert-routes` beside it."""

from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from fleetkeeper.alerts.access import AlertsRead, AlertsRespond
from fleetkeeper.alerts.explaining.schemas import AlertExplanation
from fleetkeeper.alerts.explaining.service import explain_alert
from fleetkeeper.alerts.log import service
from fleetkeeper.alerts.log.annotations import AlertAnnotation, annotations
from fleetkeeper.alerts.log.queries import LISTING
from fleetkeeper.alerts.log.schemas import (
    AlertAct,
    AlertActResult,
    AlertDetail,
    AlertPage,
    AlertRead,
    AlertTimes,
)
from fleetkeeper.alerts.overrides.api import router as overrides
from fleetkeeper.alerts.routing.schemas import RouteAnswer, RouteTest
from fleetkeeper.alerts.routing.service import explain as explain_route
from fleetkeeper.alerts.routing.service import receivers, routes
from fleetkeeper.alerts.rule_files.api import router as rule_files
from fleetkeeper.alerts.rules.preview import RulePreview, preview
from fleetkeeper.alerts.rules.schemas import AlertRuleWrite
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.alerts.silences.api import router as occurrences
from fleetkeeper.alerts.silences.schemas import AlertSilenceRead
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.alerts.versions.api import router as versions
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import Session, context_of
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.moments import Moment
from fleetkeeper.kit.pagination import with_links
from fleetkeeper.kit.services import services_of
from fleetkeeper.records.api import record_router
from fleetkeeper.telemetry.promql.service import Promql

AlertId = Annotated[int, Path(ge=1, le=2**63 - 1)]

alerts = APIRouter(prefix="/alerts", tags=["alerts"])
add_export(
    alerts,
    "alerts",
    Permission.ALERTS_READ,
    AlertRead,
    "alert_logs",
    partial(service.list_alerts, is_counted=False),
)


@alerts.get("", responses=problem_responses(401, 403, 422))
async def list_alerts(
    request: Request,
    actor: AlertsRead,
    session: Session,
    asked: Annotated[ListParameters, listed_by(LISTING)],
) -> AlertPage:
    """List alerts."""
    return with_links(await service.list_alerts(session, actor, asked), request.url.path)


@alerts.get("/times", responses=problem_responses(401, 403, 422))
async def list_times(
    actor: AlertsRead,
    session: Session,
    by: Literal["rule", "severity", "department", "week"] = "rule",
    days: Annotated[int, Query(ge=1, le=365)] = 30,
) -> list[AlertTimes]:
    """Mean times to acknowledge and to resolve."""
    return await service.times(session, actor, by, days)


@alerts.get("/annotations", responses=problem_responses(401, 403, 422))
async def list_annotations(
    actor: AlertsRead,
    session: Session,
    start: Annotated[Moment, Query(description="Epoch seconds or RFC 3339")],
    end: Annotated[Moment, Query(description="Epoch seconds or RFC 3339; at most 366 days after start")],
    device_id: Annotated[list[UUID] | None, Query(max_length=100, description="Default: all devices")] = None,
) -> list[AlertAnnotation]:
    """List when alerts fired within a span, for marks on charts: the newest 500."""
    return await annotations(session, actor, device_id or (), start, end)


@alerts.post("/acts", responses=problem_responses(400, 401, 403, 422))
async def act(wanted: AlertAct, actor: AlertsRespond, session: Session) -> AlertActResult:
    """Acknowledge, snooze, resolve, assign or comment on alerts, each with its own result."""
    return await service.act(session, actor, wanted)


@alerts.get("/{alert_id}", responses=problem_responses(401, 403, 404, 422))
async def get_alert(alert_id: AlertId, actor: AlertsRead, session: Session) -> AlertDetail:
    """Get one alert with its timeline."""
    return await service.get_alert(session, actor, alert_id)


@alerts.get("/{alert_id}/explanation", responses=problem_responses(401, 403, 404, 422))
async def explain(alert_id: AlertId, actor: AlertsRead, session: Session) -> AlertExplanation:
    """Explain step by step why people were notified of an alert, or were not."""
    return await explain_alert(session, actor, alert_id)


alert_silences = record_router(silences)


@alert_silences.post("/{key}/expire", responses=problem_responses(401, 403, 404, 422))
async def expire_silence(key: UUID, actor: AlertsRespond, session: Session) -> AlertSilenceRead:
    """End a silence now."""
    return await silences.expire(session, actor, key)


alert_routes = record_router(routes)


@alert_routes.post("/test", responses=problem_responses(400, 401, 403, 422))
async def test_routes(wanted: RouteTest, actor: AlertsRead, session: Session) -> RouteAnswer:
    """Say where an alert with these labels would go, and why."""
    return await explain_route(session, actor, wanted)


alert_rules = record_router(rules)


@alert_rules.post("/preview", responses=problem_responses(400, 401, 403, 404, 422))
async def preview_rule(
    request: Request,
    wanted: AlertRuleWrite,
    actor: AlertsRead,
    session: Session,
    days: Annotated[int, Query(ge=1, le=7)] = 1,
    rule_id: Annotated[
        UUID | None, Query(description="The rule that this changes: its overrides count")
    ] = None,
) -> RulePreview:
    """Say what a rule would have fired in the last days, on devices that the caller sees."""
    if rule_id is not None:
        await rules.get(session, actor, rule_id)
    services = services_of(request)
    database = services.get(Database)
    return await preview(
        session,
        lambda: database.session(context_of(request)),
        services.get(Promql),
        actor,
        wanted,
        utc_now(),
        days,
        rule_id,
    )


# Files and occurrences stand before rules and silences, whose IDs would take their paths.
routers = (
    alerts,
    rule_files,
    overrides,
    versions,
    alert_rules,
    occurrences,
    alert_silences,
    record_router(receivers),
    alert_routes,
)
