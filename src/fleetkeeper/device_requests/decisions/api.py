"""`/api/v1/agent-decisions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request

from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests.access import DecisionsWrite, RequestsRead, RequestsWrite
from fleetkeeper.device_requests.decisions import service
from fleetkeeper.device_requests.decisions.queries import LISTING
from fleetkeeper.device_requests.decisions.schemas import (
    Agreement,
    DecisionDetail,
    DecisionPage,
    DecisionRead,
    DecisionWrite,
    Step,
    VerdictWrite,
)
from fleetkeeper.error_handlers import problem_responses
from fleetkeeper.identity.exporting import add_export
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.list_query import ListParameters, listed_by
from fleetkeeper.kit.moments import Moment
from fleetkeeper.kit.pagination import with_links

router = APIRouter(prefix="/agent-decisions", tags=["agent-decisions"])
DecisionsQuery = Annotated[ListParameters, listed_by(LISTING)]


@router.post("", status_code=201, responses=problem_responses(400, 401, 403, 422))
async def record_decision(wanted: DecisionWrite, actor: DecisionsWrite, session: Session) -> DecisionDetail:
    """Record what an agent decided about a request. It cannot be changed or deleted later."""
    return await service.record(session, actor, wanted)


@router.get("", responses=problem_responses(401, 403, 422))
async def list_decisions(
    request: Request, actor: RequestsRead, session: Session, asked: DecisionsQuery
) -> DecisionPage:
    """List decisions of agents, newest first."""
    return with_links(await service.list_decisions(session, actor, asked), request.url.path)


add_export(
    router,
    "decisions of agents",
    Permission.REQUESTS_READ,
    DecisionRead,
    "agent_decisions",
    service.list_decisions,
)


@router.get("/agreement", responses=problem_responses(400, 401, 403, 422))
async def get_agreement(
    actor: RequestsRead,
    session: Session,
    start: Annotated[Moment, Query(alias="from", description="Epoch seconds or RFC 3339")],
    end: Annotated[Moment, Query(alias="to", description="Epoch seconds or RFC 3339")],
    agent: Annotated[
        str | None,
        Query(max_length=100, pattern=r"^[^\x00]*$", description="Only this agent; all without it"),
    ] = None,
    step: Step = Step.DAY,
) -> Agreement:
    """Get how often people agreed with each agent, by days or weeks in UTC."""
    return await service.agreement(session, actor, agent, start, end, step)


@router.get("/{decision_id}", responses=problem_responses(401, 403, 404, 422))
async def get_decision(decision_id: UUID, actor: RequestsRead, session: Session) -> DecisionDetail:
    """Get one decision with its reasons and verdicts."""
    return await service.get_decision(session, actor, decision_id)


@router.post(
    "/{decision_id}/verdicts", status_code=201, responses=problem_responses(400, 401, 403, 404, 409, 422)
)
async def judge_decision(
    decision_id: UUID, wanted: VerdictWrite, actor: RequestsWrite, session: Session
) -> DecisionDetail:
    """Agree or disagree with a decision, or say how it turned out. An answer that waits for it is settled by that."""
    return await service.judge(session, actor, decision_id, wanted)
