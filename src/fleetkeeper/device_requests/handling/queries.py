"""The SQL of handing out."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.models import AgentDecision, DeviceRequest, RequestHandler
from fleetkeeper.device_requests.queries import within
from fleetkeeper.device_requests.status import DeviceRequestStatus
from fleetkeeper.identity.actor import Scope

ALL = "*"


async def departments_below(session: AsyncSession, department_id: UUID) -> frozenset[UUID]:
    """A department and all below it."""
    rows = await session.scalars(
        text(
            "WITH RECURSIVE below AS (SELECT CAST(:id AS uuid) AS id UNION "
            "SELECT d.id FROM departments d JOIN below b ON d.parent_id = b.id) SELECT id FROM below"
        ),
        {"id": department_id},
    )
    return frozenset(rows)


async def next_waiting(
    session: AsyncSession,
    handler: RequestHandler,
    scope: Scope,
    types: Sequence[str] | None,
    limit: int,
) -> Sequence[DeviceRequest]:
    """The oldest requests that a handler may take on now, locked; what others take just now is left to them."""
    if handler.department_id is not None:
        scope &= Scope(departments=await departments_below(session, handler.department_id))
    statement = select(DeviceRequest).where(
        DeviceRequest.status == DeviceRequestStatus.PENDING,
        DeviceRequest.available_at <= func.now(),
        within(scope),
    )
    if handler.kind != "people":
        statement = statement.where(~DeviceRequest.needs_person)
    if ALL not in handler.request_types:
        statement = statement.where(DeviceRequest.request_type.in_(handler.request_types))
    if types is not None:
        statement = statement.where(DeviceRequest.request_type.in_(types))
    statement = statement.order_by(DeviceRequest.created_at, DeviceRequest.id).limit(limit)
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def ended_leases(session: AsyncSession, limit: int) -> Sequence[DeviceRequest]:
    """Requests whose lease has ended, locked."""
    statement = (
        select(DeviceRequest)
        .where(
            DeviceRequest.status == DeviceRequestStatus.PROCESSING,
            DeviceRequest.lease_expires_at <= func.now(),
        )
        .order_by(DeviceRequest.lease_expires_at)
        .limit(limit)
    )
    return (await session.scalars(statement.with_for_update(skip_locked=True))).all()


async def lowest_confidence(
    session: AsyncSession, request_id: UUID, since: datetime | None
) -> Decimal | None:
    """The least sure of the decisions that were recorded since the request was taken on."""
    statement = select(func.min(AgentDecision.confidence_score)).where(AgentDecision.request_id == request_id)
    if since is not None:
        statement = statement.where(AgentDecision.created_at >= since)
    return await session.scalar(statement)
