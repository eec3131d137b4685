"""Open alerts as Alertmanager lists them: filtered, with their receivers, and in groups that are told together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.alertmanager import queries
from fleetkeeper.alerts.alertmanager.posting import RESOLVE_TIMEOUT
from fleetkeeper.alerts.alertmanager.schemas import AlertState, GettableAlert, GettableGroup, ReceiverName
from fleetkeeper.alerts.matchers import LabelMatcher, MatcherError, match_all, parse_matchers
from fleetkeeper.alerts.models import AlertLog, AlertReceiver
from fleetkeeper.alerts.prometheus.service import rfc3339
from fleetkeeper.alerts.routing import queries as routing
from fleetkeeper.alerts.routing.building import build
from fleetkeeper.alerts.routing.tree import Route, group_labels, walk
from fleetkeeper.alerts.status import AlertStatus
from fleetkeeper.errors import BadRequestError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.expressions import PatternError, compile_pattern
from fleetkeeper.kit.turns import Turns
from fleetkeeper.notifications.deliveries.queries import ancestors_of

# Who is told where a route names no receiver: the rules of notifications.
NO_RECEIVER = "default"


@dataclass(frozen=True)
class Wanted:
    """Which alerts are asked for."""

    filters: Sequence[str] = ()
    receiver: str = ""
    active: bool = True
    silenced: bool = True
    inhibited: bool = True
    unprocessed: bool = True


@dataclass(frozen=True)
class _Ways:
    root: Route
    receivers: Mapping[UUID, AlertReceiver]
    ancestors: Mapping[UUID, frozenset[UUID]]

    def ends(self, alert: AlertLog) -> list[Route]:
        above = self.ancestors.get(alert.department_id, frozenset()) if alert.department_id else frozenset()
        return walk(self.root, alert.labels, above).ends

    def name(self, route: Route) -> str:
        key = route.options.receiver_id
        receiver = self.receivers.get(key) if key else None
        return receiver.name if receiver else NO_RECEIVER


async def list_alerts(session: AsyncSession, actor: Actor, wanted: Wanted) -> list[GettableAlert]:
    """The open alerts that the actor may see. Raises BadRequestError."""
    return [told for _, told, _ in await _found(session, actor, wanted)]


async def list_groups(session: AsyncSession, actor: Actor, wanted: Wanted) -> list[GettableGroup]:
    """The same in groups. Raises BadRequestError."""
    groups: dict[tuple[UUID, str, UUID | None], GettableGroup] = {}
    for alert, told, ends in await _found(session, actor, wanted):
        for route, name in ends:
            labels = group_labels(route, alert.labels)
            key = (route.id, json.dumps(labels, sort_keys=True), alert.department_id)
            if key not in groups:
                groups[key] = GettableGroup(labels=labels, receiver=ReceiverName(name=name), alerts=[])
            groups[key].alerts.append(told)
    return sorted(groups.values(), key=lambda one: (sorted(one.labels.items()), one.receiver.name))


async def list_receivers(session: AsyncSession) -> list[ReceiverName]:
    """The receivers that the actor may see."""
    names = {one.name for one in (await routing.receivers(session)).values()}
    return [ReceiverName(name=name) for name in sorted(names) or [NO_RECEIVER]]


def matchers_of(filters: Sequence[str]) -> list[LabelMatcher]:
    """The conditions of filters. Raises BadRequestError."""
    try:
        return [one for text in filters for one in parse_matchers(text)]
    except MatcherError as error:
        raise BadRequestError(f"bad matcher format: {error}") from None


async def _found(
    session: AsyncSession, actor: Actor, wanted: Wanted
) -> list[tuple[AlertLog, GettableAlert, list[tuple[Route, str]]]]:
    matchers = matchers_of(wanted.filters)
    try:
        pattern = compile_pattern(wanted.receiver) if wanted.receiver else None
    except PatternError as error:
        raise BadRequestError(f"failed to parse receiver param: {error}") from None
    ways = _Ways(
        build(await routing.routes(session)), await routing.receivers(session), await ancestors_of(session)
    )
    now, found, turns = utc_now(), [], Turns()
    for alert, expires_at in await queries.open_alerts_of(session, actor):
        await turns.give_way()
        state = _state(alert)
        if not (_is_wanted(state, wanted) and match_all(matchers, alert.labels)):
            continue
        ends = [(route, ways.name(route)) for route in ways.ends(alert)]
        if pattern is not None:
            ends = [one for one in ends if pattern.fullmatch(one[1])]
        if ends:
            found.append((alert, _told(alert, state, ends, expires_at or now + RESOLVE_TIMEOUT), ends))
    return found


def _state(alert: AlertLog) -> AlertState:
    quiet = alert.suppressed_by or {}
    inhibiting = quiet.get("alert")
    told = AlertState(
        state="active",
        silenced_by=quiet.get("silences", []),
        inhibited_by=[] if inhibiting is None else [str(inhibiting)],
    )
    if quiet or alert.status == AlertStatus.SNOOZED:
        return told.model_copy(update={"state": "suppressed"})
    return told.model_copy(update={"state": "unprocessed"}) if alert.needs_routing else told


def _is_wanted(state: AlertState, wanted: Wanted) -> bool:
    return (
        (wanted.active or state.state != "active")
        and (wanted.unprocessed or state.state != "unprocessed")
        and (wanted.silenced or not state.silenced_by)
        and (wanted.inhibited or not state.inhibited_by)
    )


def _told(
    alert: AlertLog, state: AlertState, ends: Sequence[tuple[Route, str]], ends_at: datetime
) -> GettableAlert:
    posted_since = alert.pending_since if alert.source == "api" else None
    return GettableAlert(
        labels=alert.labels,
        annotations=alert.annotations,
        receivers=[ReceiverName(name=name) for name in dict.fromkeys(name for _, name in ends)],
        fingerprint=alert.fingerprint.hex()[:16],
        starts_at=rfc3339(posted_since or alert.triggered_at),
        updated_at=rfc3339(alert.triggered_at),
        ends_at=rfc3339(ends_at),
        generatorURL=alert.generator_url,
        status=state,
    )
