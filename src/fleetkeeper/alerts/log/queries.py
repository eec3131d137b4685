"""The SQL of alerts as people list them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvent, AlertInstance, AlertLog
from fleetkeeper.alerts.status import AlertStatus, EventKind, Severity
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import LAST, Field, Listing

LISTING = Listing(
    fields={
        "alert_id": Field(AlertLog.alert_id.expression, int),
        "name": Field(AlertLog.name.expression, str),
        "status": Field(AlertLog.status.expression, str, choices=tuple(AlertStatus)),
        "severity": Field(AlertLog.severity.expression, str, choices=tuple(Severity)),
        "rule_id": Field(AlertLog.rule_id.expression, UUID, sortable=False),
        "system_id": Field(AlertLog.system_id.expression, UUID, sortable=False),
        "device_name": Field(AlertLog.device_name.expression, str),
        "department_id": Field(AlertLog.department_id.expression, UUID, sortable=False),
        "metric_name": Field(AlertLog.metric_name.expression, str),
        "triggered_at": Field(AlertLog.triggered_at.expression, datetime),
        "resolved_at": Field(AlertLog.resolved_at.expression, datetime, null_as=LAST),
        "is_acknowledged": Field(AlertLog.is_acknowledged.expression, bool),
        "is_flapping": Field(AlertLog.is_flapping.expression, bool),
        "assignee_id": Field(AlertLog.assignee_id.expression, UUID, sortable=False),
        "source": Field(AlertLog.source.expression, str, choices=("rule", "api")),
    },
    search=(AlertLog.search_text.expression,),
    key=AlertLog.alert_id.expression,
    key_kind=int,
    default_ordering="-triggered_at",
    count_limit=10_000,
)


def visible_to(actor: Actor, permission: Permission = Permission.ALERTS_READ) -> Select[Any]:
    """The alerts that an actor may see, or do something about."""
    scope = actor.scope(permission)
    if scope.everywhere:
        return select(AlertLog)
    return select(AlertLog).where(AlertLog.department_id.in_(sorted(scope.departments)))


async def newest_values(session: AsyncSession, alert_ids: Sequence[int]) -> dict[int, float]:
    """The values that their rules saw last."""
    found = select(AlertInstance.alert_id, AlertInstance.value).where(AlertInstance.alert_id.in_(alert_ids))
    return {row[0]: row[1] for row in await session.execute(found) if row[0] and row[1] is not None}


async def events_of(session: AsyncSession, alert: AlertLog, limit: int = 500) -> Sequence[AlertEvent]:
    """What happened to an alert, oldest first."""
    statement = (
        select(AlertEvent)
        .where(AlertEvent.alert_id == alert.alert_id, AlertEvent.triggered_at == alert.triggered_at)
        .order_by(AlertEvent.at, AlertEvent.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def silenced_by(
    session: AsyncSession, actor: Actor, silence_id: UUID, limit: int
) -> Sequence[AlertLog]:
    """The newest of the alerts that an actor may see and a silence has quieted."""
    quieted = (
        select(AlertEvent.alert_id, AlertEvent.triggered_at)
        .where(
            AlertEvent.kind == EventKind.SILENCED, AlertEvent.details.op("->>")("silence") == str(silence_id)
        )
        .distinct()
        .subquery()
    )
    statement = (
        visible_to(actor)
        .join(
            quieted,
            (quieted.c.alert_id == AlertLog.alert_id) & (quieted.c.triggered_at == AlertLog.triggered_at),
        )
        .order_by(AlertLog.triggered_at.desc(), AlertLog.alert_id.desc())
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


_GROUPS = {
    "rule": AlertLog.name,
    "severity": AlertLog.severity,
    "department": func.coalesce(Department.name, ""),
    "week": func.to_char(func.date_trunc("week", AlertLog.triggered_at), "YYYY-MM-DD"),
}


async def times(session: AsyncSession, actor: Actor, by: str, since: datetime) -> Sequence[Any]:
    """How long alerts took since a moment, by rule, severity, department or week; the slowest first."""
    told: Any = _GROUPS[by].label("told")
    taken = func.extract("epoch", AlertLog.acknowledged_at - AlertLog.triggered_at)
    solved = func.extract("epoch", AlertLog.resolved_at - AlertLog.triggered_at)
    statement = (
        visible_to(actor)
        .outerjoin(Department, Department.id == AlertLog.department_id)
        .where(AlertLog.triggered_at >= since)
        .with_only_columns(
            told,
            func.count().label("alerts"),
            func.count(AlertLog.resolved_at).label("resolved"),
            func.avg(taken).label("mtta"),
            func.avg(solved).label("mttr"),
        )
        .group_by(told)
        .order_by(func.avg(solved).desc().nulls_last(), told)
        .limit(500)
    )
    return (await session.execute(statement)).all()
