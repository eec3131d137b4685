"""`/device-requests`: what devices ask for, and what people do about it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.cloud_file_list import request_files
from fleetkeeper.console.decision_panels import decisions_table
from fleetkeeper.console.details import Panels, Refusal, Tab, show_detail
from fleetkeeper.console.history import history_tab
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.order_list import HOME as ORDERS_HOME
from fleetkeeper.console.panels import submit
from fleetkeeper.console.request_acts import FORMS, act_forms
from fleetkeeper.console.request_list import (
    HOME,
    INBOX,
    REQUESTS,
    WAITING,
    json_table,
    metadata_table,
    moves_table,
    request_facts,
    response_panels,
    status_tags,
)
from fleetkeeper.console.request_orders import ACT as DRAFT_ORDER
from fleetkeeper.console.request_orders import FORM as ORDER_FORM
from fleetkeeper.console.request_orders import draft_for, order_panels
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.engine import settings_of
from fleetkeeper.database.request_session import Session
from fleetkeeper.database.status_history import changes_of
from fleetkeeper.device_requests import service
from fleetkeeper.device_requests.access import RequestsRead, RequestsWrite
from fleetkeeper.device_requests.decisions.service import decisions_of
from fleetkeeper.device_requests.handling import service as handling
from fleetkeeper.device_requests.handling.schemas import AnswerWrite
from fleetkeeper.errors import FleetkeeperError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

router = APIRouter(prefix=HOME)
declare(
    Place(
        HOME,
        "Device requests",
        "upload",
        Permission.REQUESTS_READ,
        order=12,
        words="responses answers dead letter",
    )
)
declare(
    Place(
        INBOX,
        "Requests for people",
        "user",
        Permission.REQUESTS_READ,
        parent=HOME,
        order=13,
        words="inbox waiting human verdict",
    )
)


@router.get("")
async def list_requests(request: Request, actor: RequestsRead, session: Session) -> Response:
    """All requests, the newest first."""

    async def fetch(asked: list[tuple[str, str]]) -> Any:
        return await service.list_requests(session, actor, asked)

    return await show_list(request, session, actor, REQUESTS, fetch)


@router.get("/inbox")
async def list_waiting(request: Request, actor: RequestsRead, session: Session) -> Response:
    """Requests that wait for people, the oldest first."""

    async def fetch(asked: list[tuple[str, str]]) -> Any:
        return await service.list_requests(session, actor, _oldest_first(asked))

    return await show_list(request, session, actor, WAITING, fetch, crumbs=((HOME, "Device requests"),))


@router.get("/{request_id}")
async def show_request(request: Request, request_id: UUID, actor: RequestsRead, session: Session) -> Response:
    """One request."""
    return await _page(request, session, actor, request_id)


@router.post(f"/{{request_id}}/{DRAFT_ORDER}")
async def draft_order(
    request: Request, request_id: UUID, sent: FormLists, actor: RequestsRead, session: Session
) -> Response:
    """Draft an order for what a request asks for."""

    async def apply() -> Any:
        found = await service.get_request(session, actor, request_id)
        return await draft_for(session, actor, found, ORDER_FORM.read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, request_id, Refusal(DRAFT_ORDER, error, sent))

    return await submit(request, session, apply(), lambda order: f"{ORDERS_HOME}/{order.id}", again)


@router.post("/{request_id}/{act}")
async def act_on_request(
    request: Request, request_id: UUID, act: str, sent: FormLists, actor: RequestsWrite, session: Session
) -> Response:
    """Do something about one."""
    if act not in FORMS:
        raise NotFoundError("There is no such act.")

    async def apply() -> object:
        return await _apply(session, actor, request_id, act, FORMS[act].read(sent))

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, request_id, Refusal(act, error, sent))

    return await submit(request, session, apply(), lambda _: f"{HOME}/{request_id}", again)


async def _apply(session: AsyncSession, actor: Actor, request_id: UUID, act: str, values: Any) -> object:
    if act == "take":
        return await handling.take(session, actor, request_id)
    if act == "answer":
        wanted = AnswerWrite(lease_token=values.lease_token, content=values.content)
        return await handling.answer(session, actor, request_id, wanted)
    if act == "release":
        return await handling.release(session, actor, request_id, values.lease_token, values.reason)
    if act == "fail":
        token, reason = values.lease_token, values.reason
        return await handling.fail(session, actor, request_id, token, reason, is_retried=values.retry)
    if act == "retry":
        return await service.retry(session, actor, request_id, values.reason)
    return await service.cancel(session, actor, request_id, values.reason)


async def _page(
    request: Request, session: AsyncSession, actor: Actor, request_id: UUID, refusal: Refusal | None = None
) -> Response:
    found = await service.get_request(session, actor, request_id)
    may_write = actor.may_in(Permission.REQUESTS_WRITE, found.department_id)

    async def overview() -> Panels:
        token = await handling.own_lease(session, actor, request_id) if may_write else None
        decisions = await decisions_of(session, actor, request_id)
        return [
            *(act_forms(found, token) if may_write else ()),
            request_facts(found),
            json_table("payload", "Payload", found.payload, "The payload is empty."),
            metadata_table("metadata", found.metadata),
            *response_panels(found.response),
            *await order_panels(session, actor, found),
            decisions_table(decisions) if decisions else None,
            moves_table(await changes_of(session, request_id)),
        ]

    async def files() -> Panels:
        limits = settings_of(session).cloud_files
        return await request_files(session, actor, limits, request_id, may_write=may_write)

    return await show_detail(
        request,
        actor,
        HOME,
        f"{found.request_type} from {found.device_name}" if found.device_name else found.request_type,
        [
            Tab("overview", "Overview", overview),
            Tab("files", "Files", files),
            history_tab(session, actor, "device_requests", found.id),
        ],
        crumbs=((HOME, "Device requests"),),
        tags=status_tags(found),
        refusal=refusal,
    )


def _oldest_first(asked: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    wanted = [*asked, ("waiting_for", "people")]
    return wanted if any(name == "ordering" for name, _ in asked) else [*wanted, ("ordering", "created_at")]
