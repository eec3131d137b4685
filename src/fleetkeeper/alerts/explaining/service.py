"""Explains an alert's way from its rule to those who are told."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.explaining import queries, steps
from fleetkeeper.alerts.explaining.schemas import About, AlertExplanation, Effect, ExplanationStep
from fleetkeeper.alerts.log.naming import hide_unseen_names
from fleetkeeper.alerts.log.queries import events_of
from fleetkeeper.alerts.log.service import find
from fleetkeeper.alerts.models import AlertEvent, AlertLog, AlertReceiver, AlertRoute
from fleetkeeper.alerts.routing import queries as routing
from fleetkeeper.alerts.routing.building import build
from fleetkeeper.alerts.routing.service import receivers, routes
from fleetkeeper.alerts.routing.tree import Walk, walk
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.notifications.deliveries.queries import ancestors_of, people

# Notifications that an explanation tells of, the newest.
MOST_TOLD = 20


async def explain_alert(session: AsyncSession, actor: Actor, alert_id: int) -> AlertExplanation:
    """Why people were told of an alert, or were not; what the actor may not see is left out. Raises NotFoundError."""
    alert = await find(session, actor, alert_id)
    past = await events_of(session, alert)
    await hide_unseen_names(session, actor, past)
    told = [one for one in past if one.kind in steps.TOLD]
    names = await queries.silences_named(session, actor, (alert.suppressed_by or {}).get("silences", ()))
    found = [steps.of_rule(alert), *steps.of_state(alert), *steps.of_suppression(alert, names, past)]
    way = await _way(session, alert)
    known = await _receivers(session, actor)
    found += await _routes(session, actor, way)
    found += await _groups(session, alert, way, known)
    found += await _notifications(session, actor, told[-MOST_TOLD:])
    found += await _reader(session, actor, way, known, told)
    return AlertExplanation(answer=steps.answer_of(found, told, alert), is_told=bool(told), steps=found)


async def _way(session: AsyncSession, alert: AlertLog) -> Walk:
    above = (await ancestors_of(session)).get(alert.department_id) if alert.department_id else None
    return walk(build(await routing.routes(session)), alert.labels, above or frozenset())


async def _receivers(session: AsyncSession, actor: Actor) -> dict[UUID, AlertReceiver]:
    return {one.id: one for one in await session.scalars(receivers.visible_to(actor))}


async def _routes(session: AsyncSession, actor: Actor, way: Walk) -> list[ExplanationStep]:
    seen = set(await session.scalars(routes.visible_to(actor).with_only_columns(AlertRoute.id)))
    return [
        ExplanationStep(
            about=About.ROUTE,
            effect=Effect.PASSES if one.is_taken else Effect.NEUTRAL,
            text=f"{one.route.name}: {one.why}",
            depth=one.depth,
            href=f"/alerts/routes/{one.route.id}",
        )
        for one in way.decisions
        if one.route.id in seen
    ]


async def _groups(
    session: AsyncSession, alert: AlertLog, way: Walk, known: Mapping[UUID, AlertReceiver]
) -> list[ExplanationStep]:
    groups, now = await queries.groups_of(session, alert), utc_now()
    found = []
    for route in way.ends:
        receiver = known.get(route.options.receiver_id) if route.options.receiver_id else None
        found.append(steps.of_group(route, groups.get(route.id), alert, now))
        found.append(steps.of_receiver(route, receiver))
    return found


async def _notifications(
    session: AsyncSession, actor: Actor, told: Sequence[AlertEvent]
) -> list[ExplanationStep]:
    may_see = actor.may(Permission.NOTIFICATIONS_READ)
    keys = _keys(told)
    deliveries = await queries.deliveries_of(session, actor, list(keys.values())) if may_see and keys else {}
    return [
        steps.of_notification(one, deliveries.get(keys[one.id], []) if may_see and one.id in keys else None)
        for one in told
    ]


async def _reader(
    session: AsyncSession,
    actor: Actor,
    way: Walk,
    known: Mapping[UUID, AlertReceiver],
    told: Sequence[AlertEvent],
) -> list[ExplanationStep]:
    person: Any = next(iter(await people(session, [actor.user_id], [])), None) if actor.user_id else None
    if person is None:
        return []
    ends = [known[key] for one in way.ends if (key := one.options.receiver_id) in known and key is not None]
    inbox = await queries.inbox_of(session, person.id, list(_keys(told).values()))
    return [steps.of_reader(person, ends, in_inbox=bool(inbox), now=utc_now())]


def _keys(told: Sequence[AlertEvent]) -> dict[UUID, UUID]:
    """The notification of each entry of an alert's story."""
    return {one.id: UUID(one.details["event"]) for one in told if "event" in one.details}
