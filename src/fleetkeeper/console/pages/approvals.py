"""`/approvals`: requests that wait for approval, deciding on them, and delegations."""

from collections.abc import Awaitable
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals import service
from fleetkeeper.approvals.delegations import service as delegations
from fleetkeeper.approvals.delegations.schemas import DelegationCreate, DelegationRead
from fleetkeeper.approvals.rules.schemas import Approvers
from fleetkeeper.approvals.rules.service import names_of
from fleetkeeper.approvals.schemas import ApprovalDetail
from fleetkeeper.approvals.status import REQUESTS
from fleetkeeper.console.approval_panels import (
    APPROVE,
    CANCEL,
    DELEGATE,
    DELEGATIONS,
    HOME,
    REJECT,
    REQUEST_LIST,
    decision_forms,
    delegation_table,
    levels_table,
    request_facts,
)
from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.panels import EntryForm
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.forms.status_forms import status_cell
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import Sent, at_entries, done, model_of, refused, show_page, submit
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.access import SignedIn
from fleetkeeper.identity.actor import Actor

router = APIRouter(prefix=HOME)
declare(
    Place(
        HOME,
        "Approvals",
        "circle-check",
        None,
        order=30,
        key="y",
        words="requests inbox waiting for me decide",
    )
)
declare(
    Place(
        DELEGATIONS,
        "Delegations",
        "users",
        None,
        order=32,
        parent=HOME,
        words="absence away vacation stand in",
    )
)


@router.get("")
async def list_requests(request: Request, actor: SignedIn, session: Session) -> Response:
    """Requests that one may see."""
    return await show_list(
        request, session, actor, REQUEST_LIST, partial(service.list_requests, session, actor)
    )


@router.get("/delegations")
async def show_delegations(actor: SignedIn, session: Session) -> Response:
    """Who decides for one, and for whom one decides."""
    return await _delegations_page(session, actor, DELEGATE.shown(DELEGATIONS))


@router.post("/delegations")
async def delegate(request: Request, sent: FormLists, actor: SignedIn, session: Session) -> Response:
    """Let somebody decide in one's place."""

    async def make() -> DelegationRead:
        wanted = model_of(DelegationCreate, DELEGATE.read(sent).delegation())
        return await delegations.delegate(session, actor, wanted)

    async def again(error: FleetkeeperError) -> Response:
        at_days = at_entries(error, {"starts_at": "first_day", "ends_at": "last_day"})
        form = refused(DELEGATE.shown(DELEGATIONS), at_days, sent)
        return await _delegations_page(session, actor, form, error.status)

    return await submit(request, session, make(), lambda _: DELEGATIONS, again)


@router.post("/delegations/{delegation_id}/end")
async def end_delegation(
    request: Request, delegation_id: UUID, actor: SignedIn, session: Session
) -> Response:
    """End a delegation."""
    await delegations.end_delegation(session, actor, delegation_id)
    return done(request, DELEGATIONS)


@router.get("/{request_id}")
async def show_request(request: Request, request_id: UUID, actor: SignedIn, session: Session) -> Response:
    """One request."""
    return await _page(request, session, actor, request_id)


@router.post("/{request_id}/approve")
async def approve(
    request: Request, request_id: UUID, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Approve a request."""
    act = service.approve(session, actor, request_id, APPROVE.read(sent).comment)
    return await _decided(request, session, actor, request_id, APPROVE.id, act, sent)


@router.post("/{request_id}/reject")
async def reject(
    request: Request, request_id: UUID, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Reject a request."""

    async def act() -> ApprovalDetail:
        return await service.reject(session, actor, request_id, REJECT.read(sent).comment)

    return await _decided(request, session, actor, request_id, REJECT.id, act(), sent)


@router.post("/{request_id}/cancel")
async def cancel(
    request: Request, request_id: UUID, sent: FormLists, actor: SignedIn, session: Session
) -> Response:
    """Cancel a request of one's own."""
    act = service.cancel(session, actor, request_id, CANCEL.read(sent).comment)
    return await _decided(request, session, actor, request_id, CANCEL.id, act, sent)


async def _decided(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    request_id: UUID,
    form_id: str,
    act: Awaitable[ApprovalDetail],
    sent: Sent,
) -> Response:
    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, request_id, Refusal(form_id, error, sent))

    return await submit(request, session, act, lambda _: f"{HOME}/{request_id}", again)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    request_id: UUID,
    refusal: Refusal | None = None,
) -> Response:
    found = await service.get_request(session, actor, request_id)
    rule = found.rule
    named = [Approvers.model_validate(rule["escalation"])]
    named += [
        Approvers.model_validate({name: one[name] for name in Approvers.model_fields})
        for one in rule["levels"]
    ]

    async def overview() -> Panels:
        names = await names_of(session, named)
        return [request_facts(found), levels_table(found, names), *decision_forms(found)]

    return await show_detail(
        request,
        actor,
        HOME,
        f"{found.title}: {found.subject_label}",
        [
            Tab("overview", "Overview", overview),
            history_tab(session, actor, "approval_requests", found.id),
        ],
        crumbs=((HOME, "Approvals"),),
        tags=status_cell(REQUESTS, found.status).tags,
        links=history_links(actor, "approval_requests", found.id),
        refusal=refusal,
    )


async def _delegations_page(
    session: AsyncSession, actor: Actor, form: EntryForm, status: int = 200
) -> Response:
    table = delegation_table(await delegations.list_delegations(session, actor))
    crumbs = ((HOME, "Approvals"),)
    return show_page(actor, DELEGATIONS, "Delegations", (table, form), crumbs=crumbs, status=status)
