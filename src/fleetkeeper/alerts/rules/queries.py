"""The SQL of rules."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvaluation, AlertLog, AlertRule
from fleetkeeper.alerts.status import Severity
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(AlertRule.id.expression, UUID, sortable=False),
        "name": Field(AlertRule.name.expression, str),
        "kind": Field(AlertRule.kind.expression, str, choices=("threshold", "no_report", "state", "promql")),
        "severity": Field(AlertRule.severity.expression, str, choices=tuple(Severity)),
        "enabled": Field(AlertRule.enabled.expression, bool),
        "origin": Field(AlertRule.origin.expression, str, choices=("builtin", "person", "file")),
        "department_id": Field(AlertRule.department_id.expression, UUID, sortable=False),
        "created_at": Field(AlertRule.created_at.expression, datetime),
        "updated_at": Field(AlertRule.updated_at.expression, datetime),
    },
    search=(AlertRule.name.expression, AlertRule.description.expression),
    key=AlertRule.id.expression,
    default_ordering="name",
)


async def evaluations_of(session: AsyncSession, rule_ids: Collection[UUID]) -> dict[UUID, AlertEvaluation]:
    """How the last evaluation of each rule went; those that were never due are left out."""
    statement = select(AlertRule.id, AlertEvaluation).join(
        AlertEvaluation, AlertEvaluation.unit == AlertRule.unit
    )
    rows = await session.execute(statement.where(AlertRule.id.in_(sorted(rule_ids))))
    return {row[0]: row[1] for row in rows}


async def count_open_of(session: AsyncSession, rule_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many alerts of rules are not resolved; those without any are left out."""
    statement = select(AlertLog.rule_id, func.count()).group_by(AlertLog.rule_id)
    rows = await session.execute(
        statement.where(AlertLog.rule_id.in_(sorted(rule_ids)), AlertLog.resolved_at.is_(None))
    )
    return {row[0]: row[1] for row in rows if row[0]}
