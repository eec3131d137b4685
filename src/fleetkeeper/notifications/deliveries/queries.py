"""The SQL of deliveries: taking events out of the outbox, claiming what is due, keeping how it went."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.listing import Field, Listing
from fleetkeeper.notifications.channels import queries as channels
from fleetkeeper.notifications.deliveries.status import MOST_ATTEMPTS
from fleetkeeper.notifications.models import (
    NotificationChannel,
    NotificationDelivery,
    NotificationEvent,
    NotificationInboxEntry,
)

LISTING = Listing(
    fields={
        "state": Field(NotificationDelivery.state.expression, str),
        "event": Field(NotificationEvent.name.expression, str, joined=True),
        "severity": Field(NotificationEvent.severity.expression, str, joined=True),
        "event_id": Field(NotificationDelivery.event_id.expression, UUID, sortable=False),
        "channel_id": Field(NotificationDelivery.channel_id.expression, UUID, sortable=False),
        "recipient": Field(NotificationDelivery.recipient.expression, str),
        "created_at": Field(NotificationDelivery.created_at.expression, datetime),
    },
    search=(NotificationEvent.title.expression, NotificationDelivery.recipient.expression),
    key=NotificationDelivery.id.expression,
    default_ordering="-created_at",
)

# Counts the lease, too: a worker that says nothing for this long has died. Longer than any sending takes.
LEASE_SECONDS = 120

_CLAIM = """
    WITH room AS (
        SELECT c.id, c.per_minute - (
            SELECT count(DISTINCT CASE WHEN d.is_digest THEN d.recipient ELSE d.id::text END)
            FROM notification_deliveries d WHERE d.channel_id = c.id AND d.last_attempt_at > now() - interval '1 minute'
        ) AS places
        FROM notification_channels c WHERE c.enabled
    ), due AS (
        SELECT id, channel_id, row_number() OVER (PARTITION BY channel_id ORDER BY next_attempt_at, id) AS place
        FROM notification_deliveries
        WHERE state IN ('pending', 'retrying', 'sending') AND next_attempt_at <= now() AND attempts < :most
    ), chosen AS (
        SELECT due.id FROM due JOIN room ON room.id = due.channel_id AND due.place <= room.places
        ORDER BY due.place LIMIT :limit
    ), whole AS (
        SELECT id FROM chosen
        UNION
        -- A digest goes out with all that is due of it.
        SELECT other.id FROM chosen JOIN notification_deliveries own ON own.id = chosen.id AND own.is_digest
        JOIN notification_deliveries other ON other.channel_id = own.channel_id AND other.recipient = own.recipient
            AND other.is_digest AND other.state IN ('pending', 'retrying') AND other.next_attempt_at <= now()
            AND other.attempts < :most
    )
    UPDATE notification_deliveries d
    SET state = 'sending', attempts = attempts + 1, last_attempt_at = now(),
        next_attempt_at = now() + make_interval(secs => :lease)
    FROM whole WHERE d.id = whole.id
    RETURNING d.id
"""


async def take_waiting(session: AsyncSession, limit: int) -> Sequence[NotificationEvent]:
    """Events that nobody has taken out of the outbox, oldest first; those of other workers are left to them."""
    statement = (
        select(NotificationEvent)
        .where(NotificationEvent.dispatched_at.is_(None))
        .order_by(NotificationEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return (await session.scalars(statement)).all()


async def add_deliveries(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add deliveries that are not there yet."""
    if rows:
        await session.execute(insert(NotificationDelivery).values(list(rows)).on_conflict_do_nothing())


async def add_inbox_entries(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put events into people's lists, where they are not in them yet."""
    if rows:
        await session.execute(insert(NotificationInboxEntry).values(list(rows)).on_conflict_do_nothing())


async def claim_due(
    session: AsyncSession, limit: int
) -> Sequence[tuple[NotificationDelivery, NotificationEvent, NotificationChannel]]:
    """Take on deliveries that are due, as far as their channels' rates allow; each with its event and channel.

    One worker after the other, so that together they keep to the rates.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('notifications.claim', 0))"))
    parameters = {"most": MOST_ATTEMPTS, "limit": limit, "lease": LEASE_SECONDS}
    claimed = (await session.scalars(text(_CLAIM), parameters)).all()
    if not claimed:
        return []
    rows = await session.execute(_joined().where(NotificationDelivery.id.in_(claimed)))
    return [(row[0], row[1], row[2]) for row in rows]


async def bury_abandoned(session: AsyncSession) -> None:
    """Give up what died with its worker at the last attempt."""
    await session.execute(
        text(
            "UPDATE notification_deliveries SET state = 'dead', finished_at = now(), "
            "last_error = 'The worker stopped during the last attempt.' "
            "WHERE state = 'sending' AND next_attempt_at <= now() AND attempts >= :most"
        ),
        {"most": MOST_ATTEMPTS},
    )


async def settle(
    session: AsyncSession, claimed: Iterable[tuple[UUID, int]], outcome: Mapping[str, Any]
) -> None:
    """Keep how an attempt went, of deliveries by id and number of the attempt: a later one has the last word."""
    for delivery_id, attempt in claimed:
        await session.execute(
            update(NotificationDelivery)
            .where(
                NotificationDelivery.id == delivery_id,
                NotificationDelivery.attempts == attempt,
                NotificationDelivery.state == "sending",
            )
            .values(**outcome)
            .execution_options(synchronize_session=False)
        )


def _joined() -> Select[*tuple[Any, ...]]:
    return (
        select(NotificationDelivery, NotificationEvent, NotificationChannel)
        .join(NotificationEvent, NotificationEvent.id == NotificationDelivery.event_id)
        .join(NotificationChannel, NotificationChannel.id == NotificationDelivery.channel_id)
    )


def visible_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Deliveries on channels that an actor may see, each with its event and channel."""
    visible = channels.visible_to(actor).with_only_columns(NotificationChannel.id)
    return _joined().where(NotificationDelivery.channel_id.in_(visible))


async def ancestors_of(session: AsyncSession) -> dict[UUID, frozenset[UUID]]:
    """Each department, with itself and all above it."""
    rows = await session.execute(text("SELECT id, parent_id FROM departments"))
    parents = {row.id: row.parent_id for row in rows}
    found = {}
    for department in parents:
        above, current = set(), department
        while current is not None and current not in above:
            above.add(current)
            current = parents.get(current)
        found[department] = frozenset(above)
    return found


async def people(session: AsyncSession, user_ids: Iterable[UUID], group_ids: Iterable[UUID]) -> Sequence[Any]:
    """Enabled users, by themselves or their groups: id, email, time_zone, groups, and their preferences."""
    statement = text(
        """
        SELECT u.id, u.email, coalesce(u.time_zone, 'UTC') AS time_zone,
               ARRAY(SELECT g.group_id FROM group_members g WHERE g.user_id = u.id) AS groups,
               coalesce(p.email, true) AS wants_email, coalesce(p.muted_events, '{}') AS muted_events,
               p.quiet_from, p.quiet_until, coalesce(p.digest, 'none') AS digest
        FROM users u LEFT JOIN notification_preferences p ON p.user_id = u.id
        WHERE u.enabled AND (u.id = ANY (:users)
            OR EXISTS (SELECT FROM group_members g WHERE g.user_id = u.id AND g.group_id = ANY (:groups)))
        """
    ).bindparams(bindparam("users"), bindparam("groups"))
    rows = await session.execute(statement, {"users": list(user_ids), "groups": list(group_ids)})
    return rows.all()


async def forget_old(session: AsyncSession, delivered_days: int, dead_days: int) -> None:
    """Remove deliveries that ended so long ago, and events that are as old as the oldest of them."""
    days = {"delivered": delivered_days, "dead": dead_days}
    await session.execute(
        text(
            "DELETE FROM notification_deliveries WHERE finished_at < now() - make_interval(days => "
            "CASE state WHEN 'delivered' THEN :delivered ELSE :dead END)"
        ),
        days,
    )
    await session.execute(
        text(
            "DELETE FROM notification_events e WHERE occurred_at < now() - make_interval(days => :dead) "
            "AND dispatched_at IS NOT NULL "
            "AND NOT EXISTS (SELECT FROM notification_deliveries d WHERE d.event_id = e.id)"
        ),
        {"dead": dead_days},
    )
