"""Decisions of agents: kept as they were said, and judged by people, on whom unsure answers wait."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests import queries as requests
from fleetkeeper.device_requests.decisions import queries
from fleetkeeper.device_requests.decisions.schemas import (
    Agreement,
    AgreementPoint,
    DecisionDetail,
    DecisionPage,
    DecisionRead,
    DecisionWrite,
    Step,
    Verdict,
    VerdictRead,
    VerdictWrite,
)
from fleetkeeper.device_requests.models import (
    AgentDecision,
    DecisionVerdict,
    DeviceRequest,
    RequestResponse,
)
from fleetkeeper.device_requests.responses.readiness import make_ready
from fleetkeeper.device_requests.service import locked_to_write, move_request
from fleetkeeper.device_requests.status import DeviceRequestStatus, ResponseStatus
from fleetkeeper.errors import FieldError, ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7

LONGEST_DAYS = 1100


async def record(session: AsyncSession, actor: Actor, wanted: DecisionWrite) -> DecisionDetail:
    """Keep what an agent decided. Raises ForbiddenError, InvalidInputError for a request that is not there."""
    request = await session.get(DeviceRequest, wanted.request_id)
    known = actor.scope(Permission.REQUESTS_READ) | actor.scope(Permission.DECISIONS_WRITE)
    if request is None or request.department_id not in known:
        problem = FieldError("request_id", "No such device request")
        raise InvalidInputError("The decision was not recorded.", fields=[problem])
    if not actor.may_in(Permission.DECISIONS_WRITE, request.department_id):
        raise ForbiddenError(f"This needs the permission {Permission.DECISIONS_WRITE} in its department.")
    decision = AgentDecision(
        id=uuid7(), recorded_by=actor.name[:255], user_id=actor.user_id, **wanted.model_dump()
    )
    session.add(decision)
    await session.flush()
    await session.refresh(decision)
    values = {
        name: getattr(decision, name) for name in DecisionDetail.model_fields if hasattr(decision, name)
    }
    return DecisionDetail(**values, request_type=request.request_type, device_id=request.device_id)


async def list_decisions(
    session: AsyncSession,
    actor: Actor,
    parameters: Sequence[tuple[str, str]],
    *,
    is_counted: bool = True,
) -> DecisionPage:
    """One page of the decisions about requests that the actor may see."""
    return await queries.LISTING.read(
        session, queries.visible_to(actor), parameters, DecisionPage, _read, is_counted=is_counted
    )


async def get_decision(session: AsyncSession, actor: Actor, decision_id: UUID) -> DecisionDetail:
    """One decision with its verdicts. Raises NotFoundError."""
    found = queries.visible_to(actor).where(AgentDecision.id == decision_id)
    row = (await session.execute(found)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such decision.")
    decision: AgentDecision = row[0]
    verdicts = await queries.verdicts_of(session, decision_id)
    return DecisionDetail(
        **_read(row).model_dump(),
        reasoning=decision.reasoning,
        inputs=decision.inputs,
        evidence=decision.evidence,
        resulting_change=decision.resulting_change,
        verdicts=[VerdictRead.model_validate(one) for one in verdicts],
    )


async def judge(
    session: AsyncSession, actor: Actor, decision_id: UUID, wanted: VerdictWrite
) -> DecisionDetail:
    """Keep what a person says of a decision. An answer that waits for it becomes ready, or goes back for people.

    Raises NotFoundError, and ForbiddenError for a caller who is no person or may not handle the request.
    """
    seen = await get_decision(session, actor, decision_id)
    request = await locked_to_write(session, actor, seen.request_id)
    if actor.user_id is None or (actor.token_id is not None and _is_own(actor, seen)):
        raise ForbiddenError("Nobody judges their own agent's decision with a token. Sign in to judge it.")
    response = await requests.response_of(session, request.id, is_locked=True)
    waits = response is not None and response.status == ResponseStatus.PROCESSING
    is_about_answer = waits and wanted.verdict != Verdict.OUTCOME and _is_open(request)
    session.add(
        DecisionVerdict(
            id=uuid7(),
            decision_id=decision_id,
            verdict=wanted.verdict,
            comment=wanted.comment,
            answer=response.content if response is not None and is_about_answer else None,
            user_id=actor.user_id,
            user_name=actor.name[:255],
        )
    )
    await session.flush()
    if response is not None and is_about_answer:
        await _settle(session, request, response, wanted)
    return await get_decision(session, actor, decision_id)


async def agreement(
    session: AsyncSession, actor: Actor, agent: str | None, start: datetime, end: datetime, step: Step
) -> Agreement:
    """How often people agreed with agents, step by step. Raises InvalidInputError."""
    if not start < end or (end - start).days > LONGEST_DAYS:
        problem = FieldError("to", f"Must be later than from, by at most {LONGEST_DAYS} days")
        raise InvalidInputError("The time range is wrong.", fields=[problem])
    rows = await queries.agreement(session, actor, agent, start, end, step)
    points = [
        AgreementPoint(
            start=row[0],
            agent=row[1],
            decisions=row[2],
            judged=row[3],
            agreed=row[4],
            agreement=round(row[4] / row[3], 4) if row[3] else None,
        )
        for row in rows
    ]
    return Agreement(step=step, points=points)


async def decisions_of(session: AsyncSession, actor: Actor, request_id: UUID) -> list[DecisionRead]:
    """The decisions about one request, oldest first."""
    found = queries.visible_to(actor).where(AgentDecision.request_id == request_id)
    rows = await session.execute(found.order_by(AgentDecision.created_at, AgentDecision.id).limit(100))
    return [_read(row) for row in rows]


async def agents_of(session: AsyncSession, actor: Actor) -> list[str]:
    """The names of agents whose decisions the actor may see."""
    seen = queries.visible_to(actor).with_only_columns(AgentDecision.agent_name).distinct()
    return list(await session.scalars(seen.order_by(AgentDecision.agent_name).limit(100)))


async def _settle(
    session: AsyncSession, request: DeviceRequest, response: RequestResponse, wanted: VerdictWrite
) -> None:
    if wanted.verdict == Verdict.AGREE:
        await make_ready(session, request, response, wanted.comment or "A person agreed")
        return
    # Its content stays with the verdict; people answer anew.
    await session.delete(response)
    await session.flush()
    request.needs_person = True
    request.attempts = 0
    request.answered_at = None
    request.available_at = utc_now()
    await move_request(session, request, DeviceRequestStatus.PENDING, wanted.comment or "A person disagreed")


def _is_own(actor: Actor, decision: DecisionDetail) -> bool:
    return actor.name == decision.recorded_by


def _is_open(request: DeviceRequest) -> bool:
    return request.status == DeviceRequestStatus.PROCESSING


def _read(row: Any) -> DecisionRead:
    read = DecisionRead.model_validate(row[0])
    return read.model_copy(
        update={
            "request_type": row.request_type,
            "device_id": row.device_id,
            "verdict": None if row.verdict is None else Verdict(row.verdict),
            "waits_for_person": row.waits,
        }
    )
