"""The delivery log, and sending something again."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.jobs.service import wake
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.id_prefix import find_id
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.channels.service import check_may_write
from fleetkeeper.notifications.deliveries import queries
from fleetkeeper.notifications.deliveries.schemas import DeliveryPage, DeliveryRead
from fleetkeeper.notifications.deliveries.status import DELIVERIES, DeliveryState
from fleetkeeper.notifications.models import NotificationDelivery


async def list_deliveries(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> DeliveryPage:
    """One page of deliveries on channels that the actor may see, newest first."""
    page = await queries.LISTING.page(session, queries.visible_to(actor), parameters)
    results = [_read(row) for row in page.rows]
    return DeliveryPage(count=page.count, next=page.next, previous=page.previous, results=results)


async def get_delivery(session: AsyncSession, actor: Actor, delivery_id: UUID) -> DeliveryRead:
    """One delivery. Raises NotFoundError."""
    return _read(await _find(session, actor, delivery_id))


async def find_delivery(session: AsyncSession, beginning: str) -> UUID:
    """A delivery by its ID, or by a beginning that no other has. Raises NotFoundError, InvalidInputError."""
    column = NotificationDelivery.id.expression
    return await find_id(session, select(NotificationDelivery.id), column, beginning, "delivery")


async def replay(session: AsyncSession, actor: Actor, delivery_id: UUID) -> DeliveryRead:
    """Send a delivery that is over once more, as a new one. Raises NotFoundError, ForbiddenError, ConflictError."""
    old, _, channel, *_ = await _find(session, actor, delivery_id)
    check_may_write(actor, channel.department_id)
    if DeliveryState(old.state) not in DELIVERIES.final:
        raise ConflictError("The delivery is not finished; it is retried automatically.")
    again = NotificationDelivery(
        id=uuid7(),
        event_id=old.event_id,
        channel_id=old.channel_id,
        recipient=old.recipient,
        next_attempt_at=utc_now(),
        replay_of=old.id,
    )
    session.add(again)
    await session.flush()
    await wake(session, "notifications.deliver")
    return await get_delivery(session, actor, again.id)


async def _find(session: AsyncSession, actor: Actor, delivery_id: UUID) -> Any:
    statement = queries.visible_to(actor).where(NotificationDelivery.id == delivery_id)
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such delivery.")
    return row


def _read(row: Any) -> DeliveryRead:
    delivery, event, channel = row[0], row[1], row[2]
    names = (
        "id",
        "event_id",
        "channel_id",
        "recipient",
        "state",
        "attempts",
        "last_attempt_at",
        "response_status",
        "last_error",
        "replay_of",
        "created_at",
        "finished_at",
    )
    is_over = DeliveryState(delivery.state) in DELIVERIES.final
    return DeliveryRead(
        event=event.name,
        severity=event.severity,
        title=event.title,
        channel=channel.name,
        next_attempt_at=None if is_over else delivery.next_attempt_at,
        **{name: getattr(delivery, name) for name in names},
    )
