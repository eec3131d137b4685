"""`/agent-decisions`: what agents decided, and what people say of it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.contexts.panels import Fragment
from fleetkeeper.console.contexts.requests import DrawnChart
from fleetkeeper.console.decision_panels import (
    AGREE,
    DECISIONS,
    DISAGREE,
    HOME,
    OUTCOME,
    agreement_chart,
    agreement_table,
    decision_facts,
    verdict_forms,
    verdicts_table,
)
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.form import Form
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import model_of, submit
from fleetkeeper.console.request_list import HOME as REQUESTS_HOME
from fleetkeeper.console.request_list import json_table
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.device_requests.access import RequestsRead, RequestsWrite
from fleetkeeper.device_requests.decisions import service
from fleetkeeper.device_requests.decisions.schemas import Step, Verdict, VerdictWrite
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now

router = APIRouter(prefix=HOME)
declare(
    Place(
        HOME,
        "Agent decisions",
        "circle-check",
        Permission.REQUESTS_READ,
        parent=REQUESTS_HOME,
        order=15,
        words="ai confidence verdict agreement oversight",
    )
)
_LOOK_BACK = timedelta(weeks=26)
_FORMS: dict[Verdict, Form[VerdictWrite]] = {
    Verdict.AGREE: AGREE,
    Verdict.DISAGREE: DISAGREE,
    Verdict.OUTCOME: OUTCOME,
}


@router.get("")
async def list_decisions(request: Request, actor: RequestsRead, session: Session) -> Response:
    """All decisions, the newest first, below how often people agreed."""

    async def fetch(asked: list[tuple[str, str]]) -> Any:
        return await service.list_decisions(session, actor, asked)

    now = utc_now()
    found = await service.agreement(session, actor, None, now - _LOOK_BACK, now, Step.WEEK)
    chart = Fragment("requests/_agreement.html", DrawnChart(agreement_chart(found)))
    return await show_list(
        request,
        session,
        actor,
        DECISIONS,
        fetch,
        after=(chart, agreement_table(found)) if found.points else (),
    )


@router.get("/{decision_id}")
async def show_decision(
    request: Request, decision_id: UUID, actor: RequestsRead, session: Session
) -> Response:
    """One decision."""
    return await _page(request, session, actor, decision_id)


@router.post("/{decision_id}/{verdict}")
async def judge(
    request: Request,
    decision_id: UUID,
    verdict: Verdict,
    sent: FormLists,
    actor: RequestsWrite,
    session: Session,
) -> Response:
    """Say what one thinks of it."""

    async def apply() -> object:
        comment = next(iter(sent.get("comment", ())), "").strip()
        wanted = model_of(VerdictWrite, {"verdict": verdict, "comment": comment})
        return await service.judge(session, actor, decision_id, wanted)

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, decision_id, Refusal(_FORMS[verdict].id, error, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{decision_id}", again)


async def _page(
    request: Request, session: AsyncSession, actor: Actor, decision_id: UUID, refusal: Refusal | None = None
) -> Response:
    found = await service.get_decision(session, actor, decision_id)

    async def overview() -> Panels:
        change = found.resulting_change
        return [
            *(verdict_forms(found) if actor.may(Permission.REQUESTS_WRITE) else ()),
            decision_facts(found),
            json_table("reasoning", "Reasoning", found.reasoning, "The agent gave no reasons."),
            json_table("inputs", "Inputs", found.inputs, "The agent named no inputs."),
            json_table(
                "evidence", "Evidence", {"": found.evidence} if found.evidence else {}, "No evidence."
            ),
            None if change is None else json_table("change", "Resulting change", change, "Nothing changed."),
            verdicts_table(found.verdicts),
        ]

    return await show_detail(
        request,
        actor,
        HOME,
        f"{found.agent_name}: {found.decision_type}",
        [Tab("overview", "Overview", overview), history_tab(session, actor, "agent_decisions", found.id)],
        crumbs=((REQUESTS_HOME, "Device requests"), (HOME, "Agent decisions")),
        refusal=refusal,
    )
