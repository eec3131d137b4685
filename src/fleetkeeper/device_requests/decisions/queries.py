"""The SQL of decisions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.decisions.schemas import Step, Verdict
from fleetkeeper.device_requests.models import AgentDecision, DecisionVerdict, DeviceRequest
from fleetkeeper.device_requests.queries import WAITS_FOR_VERDICT, within
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.listing import Field, Listing

# The last word of people on whether they agree.
LAST_VERDICT: ColumnElement[Any] = (
    select(DecisionVerdict.verdict)
    .where(DecisionVerdict.decision_id == AgentDecision.id, DecisionVerdict.verdict != Verdict.OUTCOME)
    .order_by(DecisionVerdict.created_at.desc(), DecisionVerdict.id.desc())
    .limit(1)
    .scalar_subquery()
)
LISTING = Listing(
    fields={
        "id": Field(AgentDecision.id.expression, UUID, sortable=False),
        "request_id": Field(AgentDecision.request_id.expression, UUID, sortable=False),
        "device_id": Field(DeviceRequest.device_id.expression, UUID, sortable=False),
        "agent": Field(AgentDecision.agent_name.expression, str),
        "type": Field(AgentDecision.decision_type.expression, str),
        "confidence": Field(AgentDecision.confidence_score.expression, float),
        "verdict": Field(LAST_VERDICT, str, sortable=False, choices=(Verdict.AGREE, Verdict.DISAGREE)),
        "created_at": Field(AgentDecision.created_at.expression, datetime),
    },
    search=(
        AgentDecision.agent_name.expression,
        AgentDecision.decision_type.expression,
        AgentDecision.decision_value.expression,
    ),
    key=AgentDecision.id.expression,
    default_ordering="-created_at",
)


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The decisions about requests that an actor may see, each with its request and last verdict."""
    return (
        select(
            AgentDecision,
            DeviceRequest.request_type,
            DeviceRequest.device_id,
            LAST_VERDICT.label("verdict"),
            WAITS_FOR_VERDICT.label("waits"),
        )
        .join(DeviceRequest, DeviceRequest.id == AgentDecision.request_id)
        .where(within(actor.scope(Permission.REQUESTS_READ)))
    )


async def verdicts_of(session: AsyncSession, decision_id: UUID) -> Sequence[DecisionVerdict]:
    """What people said of a decision, oldest first."""
    statement = select(DecisionVerdict).where(DecisionVerdict.decision_id == decision_id)
    ordered = statement.order_by(DecisionVerdict.created_at, DecisionVerdict.id).limit(200)
    return (await session.scalars(ordered)).all()


async def agreement(
    session: AsyncSession, actor: Actor, agent: str | None, start: datetime, end: datetime, step: Step
) -> Sequence[Any]:
    """Per step and agent: decisions, judged ones, agreed ones."""
    judged = (
        select(
            func.date_trunc(literal_column(f"'{step.value}'"), AgentDecision.created_at, "UTC").label(
                "start"
            ),
            AgentDecision.agent_name.label("agent"),
            LAST_VERDICT.label("verdict"),
        )
        .join(DeviceRequest, DeviceRequest.id == AgentDecision.request_id)
        .where(
            within(actor.scope(Permission.REQUESTS_READ)),
            AgentDecision.created_at >= start,
            AgentDecision.created_at < end,
        )
    )
    if agent is not None:
        judged = judged.where(AgentDecision.agent_name == agent)
    found = judged.subquery()
    agreed = func.sum(case((found.c.verdict == Verdict.AGREE, 1), else_=0))
    statement = (
        select(found.c.start, found.c.agent, func.count(), func.count(found.c.verdict), agreed)
        .group_by(found.c.start, found.c.agent)
        .order_by(found.c.start, found.c.agent)
        .limit(5000)
    )
    return (await session.execute(statement)).all()
