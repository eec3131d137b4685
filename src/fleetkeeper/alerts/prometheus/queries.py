"""The SQL of rules and what they see, as Prometheus' API lists them."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.states import Seen
from fleetkeeper.alerts.models import AlertEvaluation, AlertInstance, AlertLog, AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.rules.service import rules
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import Department
from fleetkeeper.identity.permissions import Permission

MOST_RULES = 10_000
MOST_ALERTS = 50_000


async def evaluated_rules(session: AsyncSession, actor: Actor) -> Sequence[Any]:
    """The enabled rules that an actor may see, unit by unit, each with its evaluation and its department's name."""
    statement = (
        rules.visible_to(actor)
        .where(AlertRule.enabled)
        .outerjoin(AlertEvaluation, AlertEvaluation.unit == AlertRule.unit)
        .outerjoin(Department, Department.id == AlertRule.department_id)
        .add_columns(AlertEvaluation, Department.name)
        .order_by(AlertRule.created_at, AlertRule.unit, AlertRule.position, AlertRule.id)
        .limit(MOST_RULES)
    )
    return (await session.execute(statement)).all()


async def recording_rules(session: AsyncSession) -> Sequence[Any]:
    """The enabled recording rules, unit by unit, each with its evaluation. They belong to the whole installation."""
    statement = (
        select(RecordingRule, AlertEvaluation)
        .where(RecordingRule.enabled)
        .outerjoin(AlertEvaluation, AlertEvaluation.unit == RecordingRule.unit)
        .order_by(RecordingRule.created_at, RecordingRule.unit, RecordingRule.position)
        .limit(MOST_RULES)
    )
    return (await session.execute(statement)).all()


async def annotations_told(session: AsyncSession, alert_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The annotations that alerts began to fire with."""
    statement = select(AlertLog.alert_id, AlertLog.annotations).where(AlertLog.alert_id.in_(list(alert_ids)))
    return {row.alert_id: row.annotations for row in await session.execute(statement)}


async def seen_by(session: AsyncSession, actor: Actor, rule_ids: Collection[UUID]) -> Sequence[AlertInstance]:
    """What is pending or fires of rules, as far as an actor may see it; the oldest first."""
    scope = actor.scope(Permission.ALERTS_READ)
    statement = select(AlertInstance).where(
        AlertInstance.rule_id.in_(list(rule_ids)), AlertInstance.state != Seen.INACTIVE
    )
    if not scope.everywhere:
        statement = statement.where(AlertInstance.department_id.in_(sorted(scope.departments)))
    ordered = statement.order_by(AlertInstance.active_at, AlertInstance.fingerprint).limit(MOST_ALERTS)
    return (await session.scalars(ordered)).all()
