"""The SQL of responses on their way to devices."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.device_requests.models import DeviceRequest, RequestResponse
from fleetkeeper.device_requests.status import ResponseStatus
from fleetkeeper.notifications.models import NotificationDelivery


async def own_request(
    session: AsyncSession, device_id: UUID, request_id: UUID
) -> tuple[DeviceRequest, RequestResponse | None] | None:
    """A device's own request with its response."""
    statement = (
        select(DeviceRequest, RequestResponse)
        .outerjoin(RequestResponse, RequestResponse.request_id == DeviceRequest.id)
        .where(DeviceRequest.id == request_id, DeviceRequest.device_id == device_id)
        .execution_options(populate_existing=True)
    )
    row: Any = (await session.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def undelivered(
    session: AsyncSession, device_id: UUID, limit: int, skipped: Collection[UUID] = ()
) -> list[tuple[DeviceRequest, RequestResponse]]:
    """A device's requests whose responses it has not acknowledged, oldest first, without the `skipped` requests."""
    statement = (
        select(DeviceRequest, RequestResponse)
        .join(RequestResponse, RequestResponse.request_id == DeviceRequest.id)
        .where(
            DeviceRequest.device_id == device_id,
            RequestResponse.status == ResponseStatus.READY,
            DeviceRequest.id.not_in(skipped),
        )
        .order_by(RequestResponse.ready_at, RequestResponse.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def count_handed_out(session: AsyncSession, response_ids: Collection[UUID]) -> None:
    """Note that responses were handed to their device."""
    await session.execute(
        text(
            "UPDATE responses SET delivery_attempts = delivery_attempts + 1 "
            "WHERE id = ANY (:ids) AND status = 'ready'"
        ),
        {"ids": list(response_ids)},
    )


async def marks_of(session: AsyncSession, request_ids: Collection[UUID]) -> dict[UUID, tuple[int, int]]:
    """The versions of requests and their responses: they change with whatever a device is told."""
    statement = (
        select(DeviceRequest.id, DeviceRequest.version, func.coalesce(RequestResponse.version, 0))
        .outerjoin(RequestResponse, RequestResponse.request_id == DeviceRequest.id)
        .where(DeviceRequest.id.in_(request_ids))
    )
    return {row[0]: (row[1], row[2]) for row in await session.execute(statement)}


async def ready_of(
    session: AsyncSession, device_ids: Collection[UUID], limit: int
) -> list[tuple[UUID, UUID]]:
    """Devices with the requests whose responses they have not acknowledged, newest first."""
    statement = (
        select(DeviceRequest.device_id, DeviceRequest.id)
        .join(RequestResponse, RequestResponse.request_id == DeviceRequest.id)
        .where(DeviceRequest.device_id.in_(device_ids), RequestResponse.status == ResponseStatus.READY)
        .order_by(RequestResponse.ready_at.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(statement)]


async def given_up(
    session: AsyncSession, age: timedelta, most_attempts: int, limit: int
) -> Sequence[RequestResponse]:
    """Ready responses that no device took for too long, or that one asked for too often; locked."""
    statement = (
        select(RequestResponse)
        .where(
            RequestResponse.status == ResponseStatus.READY,
            (RequestResponse.ready_at < func.now() - age)
            | (RequestResponse.delivery_attempts >= most_attempts),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def pushed(session: AsyncSession, limit: int) -> Sequence[RequestResponse]:
    """Ready responses that a webhook has taken, locked."""
    taken = select(NotificationDelivery.event_id).where(
        NotificationDelivery.event_id == RequestResponse.event_id, NotificationDelivery.state == "delivered"
    )
    statement = (
        select(RequestResponse)
        .where(
            RequestResponse.status == ResponseStatus.READY,
            RequestResponse.event_id.is_not(None),
            taken.exists(),
        )
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()
