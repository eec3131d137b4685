"""Recording rules as people see them: files bring them, and they are enabled and disabled here.

They belong to the whole installation: whoever sees any alert sees them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvaluation
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.alerts.recording.schemas import RecordingRulePage, RecordingRuleRead
from fleetkeeper.alerts.rules.health import problem_of
from fleetkeeper.errors import ForbiddenError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing

LISTING = Listing(
    fields={
        "id": Field(RecordingRule.id.expression, UUID, sortable=False),
        "name": Field(RecordingRule.name.expression, str),
        "enabled": Field(RecordingRule.enabled.expression, bool),
        "interval_seconds": Field(RecordingRule.interval_seconds.expression, int),
        "origin_key": Field(RecordingRule.origin_key.expression, str),
        "created_at": Field(RecordingRule.created_at.expression, datetime),
        "updated_at": Field(RecordingRule.updated_at.expression, datetime),
    },
    search=(RecordingRule.name.expression, RecordingRule.expr.expression),
    key=RecordingRule.id.expression,
    default_ordering="name",
)


async def list_recording_rules(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> RecordingRulePage:
    """One page of them. Raises InvalidInputError."""
    return await LISTING.read(session, _visible_to(actor), parameters, RecordingRulePage, _read)


async def get_recording_rule(session: AsyncSession, actor: Actor, key: UUID) -> RecordingRuleRead:
    """One of them. Raises NotFoundError."""
    found = (await session.execute(_visible_to(actor).where(RecordingRule.id == key))).one_or_none()
    if found is None:
        raise NotFoundError("There is no such recording rule.")
    return _read(found)


async def enable_recording_rule(session: AsyncSession, actor: Actor, key: UUID, *, is_enabled: bool) -> None:
    """Enable or disable one; the series of one that is disabled end. Raises NotFoundError, ForbiddenError."""
    await get_recording_rule(session, actor, key)
    if not actor.may_in(Permission.ALERTS_WRITE, None):
        raise ForbiddenError(f"This needs the permission {Permission.ALERTS_WRITE} everywhere.")
    rule = await session.get_one(RecordingRule, key, with_for_update=True, populate_existing=True)
    rule.enabled = is_enabled
    await session.flush()


def _visible_to(actor: Actor) -> Select[Any]:
    statement: Select[Any] = select(RecordingRule).add_columns(AlertEvaluation)
    statement = statement.outerjoin(AlertEvaluation, AlertEvaluation.unit == RecordingRule.unit)
    return statement if actor.scope(Permission.ALERTS_READ) else statement.where(false())


def _read(row: Any) -> RecordingRuleRead:
    rule, last = row[0], row[1]
    problem = problem_of(rule.id, last) if rule.enabled else ""
    return RecordingRuleRead.model_validate(rule).model_copy(
        update={
            "evaluated_at": last.evaluated_at if last else None,
            "failing_since": last.failing_since if last and problem else None,
            "problem": problem,
        }
    )
