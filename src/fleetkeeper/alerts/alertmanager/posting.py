"""Takes alerts that Prometheus and others post: each set of labels is one alert until it ends or expires."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.alertmanager import queries
from fleetkeeper.alerts.alertmanager.expiring import end
from fleetkeeper.alerts.alertmanager.labels import (
    fingerprint_of,
    host_of,
    name_of,
    problem_of,
    severity_of,
    web_address,
)
from fleetkeeper.alerts.alertmanager.schemas import PostableAlert
from fleetkeeper.alerts.engine.queries import devices_named, store_instances
from fleetkeeper.alerts.engine.states import Seen
from fleetkeeper.alerts.log.firing_again import BY_API
from fleetkeeper.alerts.log.writing import NewAlert, open_alerts
from fleetkeeper.alerts.recording.placing import device_of
from fleetkeeper.alerts.status import Resolution
from fleetkeeper.devices import host_claims
from fleetkeeper.errors import BadRequestError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.text import is_storable

# Alertmanager's `resolve_timeout`.
RESOLVE_TIMEOUT = timedelta(minutes=5)
LONGEST = timedelta(days=3650)
# Of each department, so that none takes another's place.
MOST_OPEN = 20_000
_ZERO = datetime(1970, 1, 1, tzinfo=UTC)


class Posted(NamedTuple):
    """An alert as it came, with what tells it from others."""

    alert: PostableAlert
    labels: Mapping[str, str]
    fingerprint: bytes
    ends_at: datetime


async def home_of(session: AsyncSession, actor: Actor) -> UUID | None:
    """The department that what an actor makes belongs to; None for the whole installation. Raises BadRequestError."""
    scope = actor.scope(Permission.ALERTS_RESPOND)
    if scope.everywhere:
        return None
    tops = await queries.top_departments(session, scope)
    if len(tops) != 1:
        raise BadRequestError("Use an API token that is limited to one department.")
    return tops[0]


async def post_alerts(session: AsyncSession, actor: Actor, alerts: Sequence[PostableAlert]) -> list[str]:
    """Keep alerts; returns what is wrong with those that cannot be kept. Raises BadRequestError."""
    now = utc_now()
    home = await home_of(session, actor)
    await queries.hold(session)
    problems, wanted = [], {}
    for alert in alerts:
        problem = problem_of(alert.labels, alert.annotations) or _wrong_times(alert)
        if not is_storable(alert.generator_url):
            problem = "invalid generatorURL"
        if problem:
            problems.append(problem)
            continue
        one = _posted(alert, home, now)
        wanted[one.fingerprint] = one
    present = await queries.posted(session, wanted)
    over = [one for key, one in present.items() if wanted[key].ends_at <= now]
    await end(session, over, now, Resolution.CLEARED)
    firing = {key: one for key, one in wanted.items() if one.ends_at > now}
    await queries.postpone(session, [(key, one.ends_at) for key, one in firing.items() if key in present])
    new = [one for key, one in firing.items() if key not in present]
    return problems + await _open(session, actor, new, home, now)


def _wrong_times(alert: PostableAlert) -> str:
    begins, ends = _moment(alert.starts_at), _moment(alert.ends_at)
    return "start time must be before end time" if begins and ends and ends < begins else ""


def _posted(alert: PostableAlert, home: UUID | None, now: datetime) -> Posted:
    labels = {name: value for name, value in alert.labels.items() if value}
    ends_at = min(_moment(alert.ends_at) or now + RESOLVE_TIMEOUT, now + LONGEST)
    return Posted(alert, labels, fingerprint_of(labels, home), ends_at)


def _moment(told: datetime | None) -> datetime | None:
    """A moment; Go writes the year 1 for none."""
    return told if told is not None and told > _ZERO else None


async def _open(
    session: AsyncSession, actor: Actor, new: Sequence[Posted], home: UUID | None, now: datetime
) -> list[str]:
    """Open alerts, as many as each department may have; returns what is wrong with the others."""
    if not new:
        return []
    devices = await _devices(session, actor, new)
    counts = await queries.count_posted(session)
    kept: list[tuple[Posted, NewAlert]] = []
    for one in new:
        alert = _alert(one, devices.get(one.fingerprint), home, now)
        counts[alert.department_id] = counts.get(alert.department_id, 0) + 1
        if counts[alert.department_id] <= MOST_OPEN:
            kept.append((one, alert))
    numbers = await open_alerts(session, [alert for _, alert in kept])
    rows = [_instance(one, alert, number) for (one, alert), number in zip(kept, numbers, strict=True)]
    await store_instances(session, rows)
    left = len(new) - len(kept)
    full = f"a department has at most {MOST_OPEN:,} open alerts that came by the API; {left:,} were not kept"
    return [full] if left else []


async def _devices(session: AsyncSession, actor: Actor, new: Collection[Posted]) -> dict[bytes, Any]:
    """The device of each alert, by its label `device_id`, else by the host in `instance`; only what the actor sees."""
    scope = actor.scope(Permission.DEVICES_READ) & actor.scope(Permission.ALERTS_RESPOND)
    hosts = {one.fingerprint: host_of(one.labels) for one in new}
    claims = await host_claims.first_among(session, sorted(set(hosts.values()) - {""}), scope)
    told = {
        one.fingerprint: device_of(dict(one.labels))
        or (claims[host].device_id if (host := hosts[one.fingerprint]) in claims else None)
        for one in new
    }
    named = await devices_named(session, {key for key in told.values() if key is not None})
    return {
        fingerprint: named[key]
        for fingerprint, key in told.items()
        if key in named and named[key].department_id in scope
    }


def _alert(one: Posted, device: Any, home: UUID | None, now: datetime) -> NewAlert:
    begins = _moment(one.alert.starts_at)
    return NewAlert(
        rule_id=None,
        name=name_of(one.labels),
        severity=severity_of(one.labels),
        labels=one.labels,
        annotations=one.alert.annotations,
        fingerprint=one.fingerprint,
        triggered_at=now,
        pending_since=min(begins, now) if begins else None,
        device_id=device.id if device else None,
        department_id=device.department_id if device else home,
        device_name=device.name if device else "",
        source="api",
        generator_url=web_address(one.alert.generator_url),
    )


def _instance(one: Posted, alert: NewAlert, number: int) -> dict[str, Any]:
    return {
        "rule_id": BY_API,
        "fingerprint": one.fingerprint,
        "state": Seen.FIRING,
        "labels": dict(one.labels),
        "device_id": alert.device_id,
        "department_id": alert.department_id,
        "active_at": alert.pending_since or alert.triggered_at,
        "fired_at": alert.triggered_at,
        "alert_id": number,
        "triggered_at": alert.triggered_at,
        "expires_at": one.ends_at,
    }
