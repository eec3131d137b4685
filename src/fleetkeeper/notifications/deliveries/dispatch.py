"""From events to deliveries: rules say which channels, preferences say when."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.ids import uuid7
from fleetkeeper.notifications.channels.schemas import ChannelKind
from fleetkeeper.notifications.deliveries import queries
from fleetkeeper.notifications.events import Severity
from fleetkeeper.notifications.models import NotificationChannel, NotificationEvent, NotificationRule
from fleetkeeper.notifications.preferences.quiet_hours import earliest, next_digest
from fleetkeeper.notifications.rules.matching import fits, fits_name

AT_ONCE = 100


async def dispatch(session: AsyncSession) -> int:
    """Make deliveries and inbox entries of events that wait; returns how many there were.

    All in one transaction: a worker that dies in the middle leaves the events to the next.
    """
    events = await queries.take_waiting(session, AT_ONCE)
    if not events:
        return 0
    now = utc_now()
    rules = await _rules(session)
    ancestors = await queries.ancestors_of(session)
    by_event = [(event, [pair for pair in rules if _is_for(pair[0], event, ancestors)]) for event in events]
    users = {one for event, _ in by_event for one in event.to_users}
    users |= {one for _, pairs in by_event for rule, _ in pairs for one in rule.user_ids}
    groups = {one for _, pairs in by_event for rule, _ in pairs for one in rule.group_ids}
    groups |= {one for event, _ in by_event for one in event.to_groups}
    named_channels = await _channels(session, {one for event, _ in by_event for one in event.to_channels})
    people = await queries.people(session, users, groups)
    mail = (
        await _first_mail_channel(session)
        if any(event.to_users or event.to_groups for event in events)
        else None
    )
    deliveries, entries = [], []
    for event, pairs in by_event:
        addressed = [person for person in people if _is_addressed(event, person)]
        entries += [_entry(event, person) for person in addressed]
        ways = [named_channels[one] for one in event.to_channels if one in named_channels]
        mails = [one.id for one in ways if one.kind == ChannelKind.EMAIL] or ([mail.id] if mail else [])
        for channel_id in mails:
            deliveries += _mails(event, channel_id, addressed, event.to_addresses, now)
        deliveries += [_delivery(event, one.id, "", now) for one in ways if one.kind != ChannelKind.EMAIL]
        for rule, channel in pairs:
            if channel.kind == ChannelKind.EMAIL:
                named = [person for person in people if _is_named(rule, person)]
                deliveries += _mails(event, channel.id, named, rule.addresses, now)
            else:
                deliveries.append(_delivery(event, channel.id, "", now))
        event.dispatched_at = now
    await session.flush()
    await queries.add_deliveries(session, deliveries)
    await queries.add_inbox_entries(session, entries)
    return len(events)


async def _rules(session: AsyncSession) -> Sequence[tuple[NotificationRule, NotificationChannel]]:
    rows = await session.execute(
        select(NotificationRule, NotificationChannel)
        .join(NotificationChannel, NotificationChannel.id == NotificationRule.channel_id)
        .where(NotificationRule.enabled, NotificationChannel.enabled)
    )
    return [(row[0], row[1]) for row in rows]


async def _channels(session: AsyncSession, wanted: set[UUID]) -> dict[UUID, NotificationChannel]:
    if not wanted:
        return {}
    found = select(NotificationChannel).where(NotificationChannel.id.in_(wanted), NotificationChannel.enabled)
    return {one.id: one for one in await session.scalars(found)}


def _is_addressed(event: NotificationEvent, person: Any) -> bool:
    return person.id in event.to_users or not set(event.to_groups).isdisjoint(person.groups)


async def _first_mail_channel(session: AsyncSession) -> NotificationChannel | None:
    """The one for what is addressed to people: the oldest of those that belong to no department."""
    found: NotificationChannel | None = await session.scalar(
        select(NotificationChannel)
        .where(
            NotificationChannel.kind == ChannelKind.EMAIL,
            NotificationChannel.enabled,
            NotificationChannel.department_id.is_(None),
        )
        .order_by(NotificationChannel.created_at, NotificationChannel.id)
        .limit(1)
    )
    return found


def _is_for(rule: NotificationRule, event: NotificationEvent, ancestors: dict[UUID, frozenset[UUID]]) -> bool:
    departments = ancestors.get(event.department_id, frozenset()) if event.department_id else frozenset()
    return fits(rule, event.name, event.severity, departments)


def _is_named(rule: NotificationRule, person: Any) -> bool:
    return person.id in rule.user_ids or not set(rule.group_ids).isdisjoint(person.groups)


def _mails(
    event: NotificationEvent,
    channel_id: UUID,
    people: Iterable[Any],
    addresses: Iterable[str],
    now: datetime,
) -> list[dict[str, Any]]:
    """Mails to addresses at once, to people as they want them; what is critical goes out at once all the same."""
    found = [_delivery(event, channel_id, address, now) for address in addresses]
    for person in people:
        if not person.email or not person.wants_email or fits_name(person.muted_events, event.name):
            continue
        due, is_digest = now, False
        if event.severity != Severity.CRITICAL:
            is_digest = person.digest != "none"
            due = next_digest(now, person.time_zone, person.digest) if is_digest else now
            due = earliest(due, person.time_zone, person.quiet_from, person.quiet_until)
        found.append(_delivery(event, channel_id, person.email, due, is_digest=is_digest))
    return found


def _delivery(
    event: NotificationEvent, channel_id: UUID, recipient: str, due: datetime, *, is_digest: bool = False
) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "event_id": event.id,
        "channel_id": channel_id,
        "recipient": recipient,
        "next_attempt_at": due,
        "is_digest": is_digest,
    }


def _entry(event: NotificationEvent, person: Any) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "user_id": person.id,
        "event_id": event.id,
        "name": event.name,
        "severity": event.severity,
        "title": event.title,
        "body": event.body,
        "href": str(event.subject.get("href", ""))[:500],
        "created_at": event.occurred_at,
    }
