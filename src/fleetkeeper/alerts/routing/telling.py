"""Quiets what is silenced, puts alerts into groups, and tells of groups that are due: in one transaction of one worker.

What is told is an event of `notifications` in the same transaction: a worker that dies before the commit has told
nobody, and one that dies after it has told everybody once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.alertmanager.expiring import expire
from fleetkeeper.alerts.label_texts import text_of_labels
from fleetkeeper.alerts.log.writing import close_alerts, event, tell
from fleetkeeper.alerts.models import AlertGroup, AlertLog, AlertReceiver
from fleetkeeper.alerts.routing import queries
from fleetkeeper.alerts.routing.building import build, by_id
from fleetkeeper.alerts.routing.deciding import Member, Told, decide
from fleetkeeper.alerts.routing.messages import message_of
from fleetkeeper.alerts.routing.tree import Route, group_labels, walk
from fleetkeeper.alerts.silences.quieting import Quiet, active_at
from fleetkeeper.alerts.status import AlertStatus, EventKind
from fleetkeeper.alerts.words import ALERTS_TOLD
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.kit.turns import Turns
from fleetkeeper.notifications.deliveries.queries import ancestors_of
from fleetkeeper.notifications.events import ObjectRef, Way, emit

CONTEXT = product_context("job", "alerts.tell")


@dataclass(frozen=True)
class Ways:
    """The tree and the receivers as they are now."""

    root: Route
    routes: Mapping[UUID, Route]
    receivers: Mapping[UUID, AlertReceiver]
    ancestors: Mapping[UUID, frozenset[UUID]]

    def departments(self, department_id: UUID | None) -> frozenset[UUID]:
        """A department and those above it."""
        return self.ancestors.get(department_id, frozenset()) if department_id else frozenset()


async def tell_of_alerts(database: Database, origin: str, now: datetime) -> int:
    """One round; returns how many messages there were. Does nothing while another worker is at it."""
    async with database.session(CONTEXT) as session:
        if not await queries.only_one(session):
            return 0
        await end_orphans(session, now)
        await expire(session, now)
        await _wake(session, now)
        tree = build(await queries.routes(session))
        ancestors = await ancestors_of(session)
        ways = Ways(tree, by_id(tree), await queries.receivers(session), ancestors)
        await quiet(session, ways, now)
        await group(session, ways, now)
        told = 0
        for one in await queries.due_groups(session, now):
            told += await _flush(session, ways, one, origin, now)
        return told + await _escalate(session, ways, origin, now)


async def end_orphans(session: AsyncSession, now: datetime) -> None:
    """Resolve what rules fired that are gone or disabled, where whoever ended them could not see it.

    A device, say, that was moved to another department meanwhile took its alerts along.
    """
    for why, orphans in (await queries.orphans(session)).items():
        await close_alerts(session, [((one.alert_id, one.triggered_at), None) for one in orphans], now, why)
    await queries.forget_orphans(session)


async def _wake(session: AsyncSession, now: datetime) -> None:
    kinds = {
        AlertStatus.ACKNOWLEDGED: EventKind.UNACKNOWLEDGED,
        AlertStatus.SNOOZED: EventKind.UNSNOOZED,
    }
    woken = await queries.wake(session, now)
    # Whoever snoozed an alert is told if it still fires then, whatever the repeat interval.
    snoozed = {row.alert_id: _identity(row) for row in woken if row.status == AlertStatus.SNOOZED}
    await queries.tell_anew(session, snoozed, now)
    await tell(
        session,
        [
            event((row.alert_id, row.triggered_at), kinds[AlertStatus(row.status)], at=now)
            for row in woken
            if row.status in kinds
        ],
    )


async def quiet(session: AsyncSession, ways: Ways, now: datetime) -> None:
    """Keep with each open alert what quiets it: silences, and the alert of its device or host that is down."""
    silences = await active_at(await queries.silences_at(session, now), now)
    quieting = await queries.quieting_alerts(session)
    changes, events, turns = [], [], Turns()
    for row in await queries.suppressible(session, is_any=bool(silences or quieting)):
        await turns.give_way()
        told = _quieted_by(row, silences, quieting, ways.departments(row.department_id))
        if told == (row.suppressed_by or {}):
            continue
        changes.append((row.alert_id, row.triggered_at, json.dumps(told) if told else None))
        events += _events_of((row.alert_id, row.triggered_at), row.suppressed_by or {}, told, silences, now)
    if changes:
        await queries.set_suppressed(session, changes)
        await tell(session, events)


def _quieted_by(
    row: Any,
    silences: Sequence[Quiet],
    quieting: Mapping[UUID, queries.Quieting],
    departments: frozenset[UUID],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    fitting = [str(one.id) for one in silences if one.fits(row.labels, row.system_id, row.tags, departments)]
    if fitting:
        found["silences"] = fitting
    down = quieting.get(row.system_id)
    alert = down.of(quiets_device=row.quiets_device) if down is not None else None
    if alert is not None:
        found["alert"] = alert
    return found


def _events_of(
    key: tuple[int, datetime],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    silences: Sequence[Quiet],
    now: datetime,
) -> list[dict[str, Any]]:
    names = {str(one.id): one.name for one in silences}
    old, new = set(before.get("silences", ())), set(after.get("silences", ()))
    told: list[dict[str, Any]] = [
        event(key, EventKind.SILENCED, at=now, details={"silence": one, "name": names.get(one, "")})
        for one in sorted(new - old)
    ]
    told += [event(key, EventKind.UNSILENCED, at=now, details={"silence": one}) for one in sorted(old - new)]
    if before.get("alert") != after.get("alert"):
        kind = EventKind.SILENCED if after.get("alert") else EventKind.UNSILENCED
        alert = after.get("alert") or before.get("alert")
        told.append(event(key, kind, at=now, details={"alert": alert}))
    return told


async def group(session: AsyncSession, ways: Ways, now: datetime) -> None:
    """Put alerts into the groups that the tree says; one that is over stays where it is until that is told."""
    groups: dict[tuple[UUID, bytes], dict[str, Any]] = {}
    members = []
    kept: set[tuple[int, UUID, bytes]] = set()
    alerts, turns = await queries.unrouted(session), Turns()
    for alert in alerts:
        await turns.give_way()
        if alert.resolved_at is not None:
            continue
        for route in walk(ways.root, alert.labels, ways.departments(alert.department_id)).ends:
            labels = group_labels(route, alert.labels)
            key = _key(labels, alert.department_id)
            kept.add((alert.alert_id, route.id, key))
            wait = timedelta(seconds=route.options.group_wait_seconds)
            groups[route.id, key] = {
                "route_id": route.id,
                "key": key,
                "labels": labels,
                "next_at": max(now, alert.triggered_at + wait),
            }
            members.append(
                {
                    "route_id": route.id,
                    "key": key,
                    "alert_id": alert.alert_id,
                    "triggered_at": alert.triggered_at,
                }
            )
    await queries.settle_routing(session, alerts)
    open_ones = [one.alert_id for one in alerts if one.resolved_at is None]
    await queries.leave_groups(session, open_ones, kept)
    await queries.join_groups(session, list(groups.values()), members)


def _key(labels: Mapping[str, str], department_id: UUID | None) -> bytes:
    """Alerts of two departments are never told in one message: each has its own readers."""
    own = text_of_labels(labels)
    # Without labels it is the department alone, as it always was.
    told = f"{department_id or ''}\0{own}" if own else str(department_id or "")
    return hashlib.blake2b(told.encode(), digest_size=16).digest()


async def _flush(session: AsyncSession, ways: Ways, row: AlertGroup, origin: str, now: datetime) -> int:
    route = ways.routes.get(row.route_id)
    alerts = await queries.members_of(session, row)
    if route is None or not alerts:
        await session.delete(row)
        await session.flush()
        return 0
    receiver = ways.receivers.get(route.options.receiver_id) if route.options.receiver_id else None
    decision = decide(
        [_member(one) for one in alerts],
        Told(row.notified_at, frozenset(row.told_firing)),
        now,
        timedelta(seconds=route.options.repeat_interval_seconds),
        sends_resolved=receiver is None or receiver.sends_resolved,
    )
    row.notified_at, row.told_firing = decision.told.at, sorted(decision.told.firing)
    row.next_at = now + timedelta(seconds=route.options.group_interval_seconds)
    await queries.drop_members(session, row, decision.over)
    if not decision.is_told:
        await session.flush()
        return 0
    named = {one.alert_id: one for one in alerts}
    firing, resolved = [named[one] for one in decision.firing], [named[one] for one in decision.resolved]
    await _send(session, route, receiver, row.labels, firing, resolved, origin, now, decision.why)
    return 1


def _member(alert: AlertLog) -> Member:
    muted = alert.suppressed_by is not None or alert.status == AlertStatus.SNOOZED
    return Member(
        alert.alert_id,
        _identity(alert),
        is_resolved=alert.resolved_at is not None,
        is_muted=muted,
        is_acknowledged=alert.status == AlertStatus.ACKNOWLEDGED,
    )


def _identity(alert: Any) -> int:
    """What is the same for an alert that fires again."""
    rule = alert.rule_id.bytes if alert.rule_id else alert.name.encode()
    return int.from_bytes(
        hashlib.blake2b(rule + alert.fingerprint, digest_size=8).digest(), "big", signed=True
    )


async def _send(
    session: AsyncSession,
    route: Route,
    receiver: AlertReceiver | None,
    labels: Mapping[str, str],
    firing: Sequence[AlertLog],
    resolved: Sequence[AlertLog],
    origin: str,
    now: datetime,
    why: str,
    kind: EventKind = EventKind.TOLD,
) -> None:
    name = receiver.name if receiver else ""
    group_key = f"{route.name}:{json.dumps(dict(labels), sort_keys=True)}"
    told = message_of(firing, resolved, receiver=name, group=labels, group_key=group_key, origin=origin)
    alerts = [*firing, *resolved]
    page = f"/alerts/{alerts[0].alert_id}" if len(alerts) == 1 else "/alerts"
    notification = await emit(
        session,
        ALERTS_TOLD.name,
        subject=ObjectRef("alert", str(alerts[0].alert_id), told.title, page),
        department_id=alerts[0].department_id,
        to_users=receiver.user_ids if receiver else (),
        way=_way(receiver),
        severity=told.severity,
        payload=told.payload,
        at=now,
        text=told.text,
    )
    await tell(
        session,
        [
            event(
                (one.alert_id, one.triggered_at),
                kind,
                at=now,
                details={
                    "route": route.name,
                    "receiver": name,
                    "why": why,
                    "with": len(alerts) - 1,
                    "event": str(notification),
                    **({} if _has_recipients(receiver) else {"recipients": 0}),
                },
            )
            for one in alerts
        ],
    )
    await session.flush()


def _has_recipients(receiver: AlertReceiver | None) -> bool:
    """Whether a receiver names anybody; without a receiver, notification rules do."""
    if receiver is None:
        return True
    return any((receiver.channel_ids, receiver.user_ids, receiver.group_ids, receiver.addresses))


def _way(receiver: AlertReceiver | None) -> Way:
    if receiver is None:
        return Way()
    return Way(tuple(receiver.channel_ids), tuple(receiver.group_ids), tuple(receiver.addresses))


async def _escalate(session: AsyncSession, ways: Ways, origin: str, now: datetime) -> int:
    """Tell somebody else of what nobody has acknowledged for as long as its route says."""
    escalating = {
        one.id: one
        for one in ways.routes.values()
        if one.options.escalate_after_seconds and one.options.escalate_to_id
    }
    if not escalating:
        return 0
    due: dict[UUID, list[int]] = {}
    for row in await queries.to_escalate(session, now):
        route = escalating.get(row.route_id)
        after = route.options.escalate_after_seconds if route else None
        if after is not None and now - row.triggered_at >= timedelta(seconds=after):
            due.setdefault(row.route_id, []).append(row.alert_id)
    for route_id, numbers in due.items():
        route = escalating[route_id]
        receiver = ways.receivers.get(route.options.escalate_to_id) if route.options.escalate_to_id else None
        alerts = await queries.alerts_by_id(session, numbers)
        for one in alerts:
            one.escalated_at = now
        for department in {one.department_id for one in alerts}:
            own = [one for one in alerts if one.department_id == department]
            await _send(
                session,
                route,
                receiver,
                {},
                own,
                [],
                origin,
                now,
                f"Nobody acknowledged it within {(route.options.escalate_after_seconds or 0) // 60} minutes.",
                EventKind.ESCALATED,
            )
    return len(due)
