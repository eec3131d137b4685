"""One's own notifications: reading them, and marking them as read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.notifications.inbox.schemas import MarkedRead, NotificationPage, NotificationRead
from fleetkeeper.notifications.models import NotificationInboxEntry

LISTING = Listing(
    fields={
        "name": Field(NotificationInboxEntry.name.expression, str),
        "severity": Field(NotificationInboxEntry.severity.expression, str),
        "created_at": Field(NotificationInboxEntry.created_at.expression, datetime),
        "read_at": Field(NotificationInboxEntry.read_at.expression, datetime, sortable=False),
    },
    search=(NotificationInboxEntry.title.expression, NotificationInboxEntry.body.expression),
    key=NotificationInboxEntry.id.expression,
    default_ordering="-created_at",
)


def visible_to(actor: Actor) -> Select[Any]:
    """One's own, and nobody else's."""
    return select(NotificationInboxEntry).where(NotificationInboxEntry.user_id == actor.user_id)


async def list_notifications(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]]
) -> NotificationPage:
    """One page of one's own notifications, newest first."""
    page = await LISTING.page(session, visible_to(actor), parameters)
    return NotificationPage(
        count=page.count,
        next=page.next,
        previous=page.previous,
        unread=await count_unread(session, actor),
        results=[NotificationRead.model_validate(row[0]) for row in page.rows],
    )


async def count_unread(session: AsyncSession, actor: Actor) -> int:
    """How many of one's own are unread."""
    statement = select(func.count()).where(
        NotificationInboxEntry.user_id == actor.user_id, NotificationInboxEntry.read_at.is_(None)
    )
    return await session.scalar(statement) or 0


async def mark_read(session: AsyncSession, actor: Actor, entry_id: UUID) -> NotificationRead:
    """Mark one as read; one that is read already stays as it is. Raises NotFoundError."""
    entry: NotificationInboxEntry | None = await session.scalar(
        visible_to(actor).where(NotificationInboxEntry.id == entry_id)
    )
    if entry is None:
        raise NotFoundError("There is no such notification.")
    entry.read_at = entry.read_at or utc_now()
    await session.flush()
    return NotificationRead.model_validate(entry)


async def mark_all_read(session: AsyncSession, actor: Actor) -> MarkedRead:
    """Mark all as read."""
    outcome = await session.execute(
        update(NotificationInboxEntry)
        .where(NotificationInboxEntry.user_id == actor.user_id, NotificationInboxEntry.read_at.is_(None))
        .values(read_at=utc_now())
        .execution_options(synchronize_session=False)
    )
    return MarkedRead(marked=outcome.rowcount if isinstance(outcome, CursorResult) else 0)
