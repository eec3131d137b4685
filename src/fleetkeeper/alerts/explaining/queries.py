"""The SQL of explanations."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fleetkeeper.alerts.models import AlertGroup, AlertGroupMember, AlertLog, AlertSilence
from fleetkeeper.alerts.silences.service import silences
from fleetkeeper.identity.actor import Actor
from fleetkeeper.notifications.channels.queries import visible_to as channels_visible_to
from fleetkeeper.notifications.models import NotificationChannel, NotificationDelivery


async def groups_of(session: AsyncSession, alert: AlertLog) -> dict[UUID, tuple[AlertGroup, int]]:
    """The groups of an alert, by route, each with how many alerts it has."""
    together = aliased(AlertGroupMember)
    count = (
        select(func.count())
        .select_from(together)
        .where(together.route_id == AlertGroup.route_id, together.key == AlertGroup.key)
        .correlate(AlertGroup)
        .scalar_subquery()
    )
    statement = (
        select(AlertGroup, count)
        .join(
            AlertGroupMember,
            (AlertGroupMember.route_id == AlertGroup.route_id) & (AlertGroupMember.key == AlertGroup.key),
        )
        .where(
            AlertGroupMember.alert_id == alert.alert_id, AlertGroupMember.triggered_at == alert.triggered_at
        )
    )
    return {row[0].route_id: (row[0], row[1]) for row in await session.execute(statement)}


async def silences_named(session: AsyncSession, actor: Actor, keys: Sequence[str]) -> dict[str, str]:
    """The names of those silences that an actor may see."""
    statement = silences.visible_to(actor).where(AlertSilence.id.in_([UUID(one) for one in keys]))
    return {str(one.id): one.name for one in await session.scalars(statement)}


async def deliveries_of(session: AsyncSession, actor: Actor, events: Sequence[UUID]) -> dict[UUID, list[Any]]:
    """The deliveries of notifications, as far as an actor may see their channels."""
    visible = channels_visible_to(actor).with_only_columns(NotificationChannel.id)
    statement = (
        select(
            NotificationDelivery.id,
            NotificationDelivery.event_id,
            NotificationDelivery.recipient,
            NotificationDelivery.state,
            NotificationDelivery.last_error,
            NotificationDelivery.next_attempt_at,
            NotificationChannel.name.label("channel"),
        )
        .join(NotificationChannel, NotificationChannel.id == NotificationDelivery.channel_id)
        .where(NotificationDelivery.event_id.in_(events), NotificationDelivery.channel_id.in_(visible))
        .order_by(NotificationDelivery.id)
        .limit(1000)
    )
    found: dict[UUID, list[Any]] = {}
    for row in await session.execute(statement):
        found.setdefault(row.event_id, []).append(row)
    return found


async def inbox_of(session: AsyncSession, user_id: UUID, events: Sequence[UUID]) -> set[UUID]:
    """Which notifications stand in a user's inbox."""
    rows = await session.execute(
        text(
            "SELECT event_id FROM notification_inbox WHERE user_id = :user AND event_id = ANY(CAST(:events AS uuid[]))"
        ),
        {"user": user_id, "events": list(events)},
    )
    return set(rows.scalars())
