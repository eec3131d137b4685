"""Orders wait for approval: what was approved is the order as it was then, and a no makes it rejected."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.approvals.kinds import declare_kind
from fleetkeeper.approvals.models import ApprovalDecision, ApprovalRequest
from fleetkeeper.approvals.status import RequestState
from fleetkeeper.errors import ConflictError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.jobs.service import enqueue
from fleetkeeper.orders.models import Order
from fleetkeeper.orders.service import APPROVE, advance, approve_order, orders
from fleetkeeper.orders.status import OrderStatus

ENDED = "orders.approval_ended"


async def _apply(session: AsyncSession, actor: Actor, payload: Mapping[str, Any], reason: str) -> None:
    row: Order = await orders.locked(session, actor, UUID(payload["id"]))
    if row.version != payload["version"] or row.status != OrderStatus.PENDING:
        raise ConflictError("It was changed after approval was asked for. Submit it again.")
    decided = (
        select(ApprovalDecision.user_id)
        .join(ApprovalRequest, ApprovalRequest.id == ApprovalDecision.request_id)
        .where(
            ApprovalRequest.subject_type == "orders",
            ApprovalRequest.subject_id == str(row.id),
            ApprovalDecision.decision == "approve",
        )
        .order_by(ApprovalDecision.decided_at.desc())
        .limit(1)
    )
    row.approved_by = await session.scalar(decided)
    await approve_order(session, actor, row, reason)


async def _ended(session: AsyncSession, payload: Mapping[str, Any], state: str, why: str) -> None:
    """Let a job see to the order: whoever decides may not change it."""
    await enqueue(session, ENDED, key=payload["id"], order=payload["id"], state=str(state), why=why)


def _facts(payload: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(label, text) for label, text in payload["facts"] if text]


declare_kind(
    APPROVE, "Approve an order", unit="units of your currency", describe=_facts, apply=_apply, ended=_ended
)


async def see_to(session: AsyncSession, order_id: UUID, state: str, why: str) -> None:
    """Reject an order whose request was, or make a draft of one whose request ended otherwise."""
    row = await session.scalar(select(Order).where(Order.id == order_id).with_for_update())
    waits = select(ApprovalRequest.id).where(
        ApprovalRequest.subject_type == "orders",
        ApprovalRequest.subject_id == str(order_id),
        ApprovalRequest.status.in_([RequestState.PENDING, RequestState.APPROVED]),
    )
    if row is None or row.status != OrderStatus.PENDING or await session.scalar(waits.limit(1)) is not None:
        return
    is_no = state == RequestState.REJECTED
    await advance(session, None, row, OrderStatus.REJECTED if is_no else OrderStatus.DRAFT, why)
