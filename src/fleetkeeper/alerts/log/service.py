"""What people see of alerts, and what they do about them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.log import queries
from fleetkeeper.alerts.log.firing_again import let_fire_again
from fleetkeeper.alerts.log.naming import hide_unseen_names
from fleetkeeper.alerts.log.schemas import (
    MOST_AT_ONCE,
    AlertAct,
    AlertActItem,
    AlertActResult,
    AlertDetail,
    AlertEventRead,
    AlertPage,
    AlertRead,
    AlertTimes,
)
from fleetkeeper.alerts.log.writing import close_alerts, event, tell
from fleetkeeper.alerts.models import AlertLog
from fleetkeeper.alerts.status import ALERTS, AlertStatus, EventKind, Resolution
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, NotFoundError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.users.queries import holders
from fleetkeeper.identity.users.queries import visible_to as users_visible_to
from fleetkeeper.kit.clock import utc_now

_WANTED = {
    "acknowledge": (AlertStatus.ACKNOWLEDGED, EventKind.ACKNOWLEDGED),
    "unacknowledge": (AlertStatus.FIRING, EventKind.UNACKNOWLEDGED),
    "snooze": (AlertStatus.SNOOZED, EventKind.SNOOZED),
    "unsnooze": (AlertStatus.FIRING, EventKind.UNSNOOZED),
}
_TAKEN_BACK = {"unacknowledge": AlertStatus.ACKNOWLEDGED, "unsnooze": AlertStatus.SNOOZED}
LONGEST_SNOOZE = timedelta(days=365)


async def list_alerts(
    session: AsyncSession, actor: Actor, parameters: Sequence[tuple[str, str]], *, is_counted: bool = True
) -> AlertPage:
    """One page of the alerts that the actor may see. Raises InvalidInputError."""
    page = await queries.LISTING.read(
        session,
        queries.visible_to(actor),
        parameters,
        AlertPage,
        lambda row: AlertRead.model_validate(row[0]),
        is_counted=is_counted,
    )
    await _add_newest_values(session, page.results)
    return page


async def _add_newest_values(session: AsyncSession, alerts: Sequence[AlertRead]) -> None:
    """What alerts that are not over are at now: the log has their values as they fired, and as they ended."""
    still_open = [one.alert_id for one in alerts if one.resolved_at is None]
    values = await queries.newest_values(session, still_open) if still_open else {}
    for one in alerts:
        one.last_value = values.get(one.alert_id, one.last_value)


async def get_alert(session: AsyncSession, actor: Actor, alert_id: int) -> AlertDetail:
    """One alert with its story. Raises NotFoundError."""
    alert = await find(session, actor, alert_id)
    told = await queries.events_of(session, alert)
    await hide_unseen_names(session, actor, told)
    events = [AlertEventRead.model_validate(one) for one in told]
    read = AlertRead.model_validate(alert)
    await _add_newest_values(session, [read])
    return AlertDetail(**read.model_dump(), events=events)


async def find(session: AsyncSession, actor: Actor, alert_id: int) -> AlertLog:
    """An alert that the actor may see. Raises NotFoundError."""
    found: AlertLog | None = await session.scalar(
        queries.visible_to(actor).where(AlertLog.alert_id == alert_id)
    )
    if found is None:
        raise NotFoundError("There is no such alert.")
    return found


async def act(session: AsyncSession, actor: Actor, wanted: AlertAct) -> AlertActResult:
    """Do something about alerts, each with its own result. Raises InvalidInputError."""
    now = utc_now()
    await _check(session, actor, wanted, now)
    alerts = await _chosen(session, actor, wanted)
    unseen = await _unseen_by_assignee(session, wanted, alerts)
    items, events, over = [], [], list[AlertLog]()
    for alert in alerts:
        if alert.department_id in unseen:
            detail = "The assignee may not see this alert."
            items.append(AlertActItem(alert_id=alert.alert_id, outcome="refused", detail=detail))
            continue
        try:
            outcome, told = _apply(alert, actor, wanted, now)
        except ConflictError as error:
            items.append(AlertActItem(alert_id=alert.alert_id, outcome="refused", detail=error.detail))
            continue
        items.append(AlertActItem(alert_id=alert.alert_id, outcome="changed" if outcome else "unchanged"))
        if wanted.act == "resolve" and outcome:
            over.append(alert)
        events += told
    await session.flush()
    await tell(session, events)
    await close_alerts(
        session,
        [((alert.alert_id, alert.triggered_at), None) for alert in over],
        now,
        Resolution.BY_PERSON,
        actor=actor.name,
        user_id=actor.user_id,
        note=wanted.note,
    )
    await let_fire_again(session, over)
    known = {one.alert_id for one in items}
    items += [
        AlertActItem(alert_id=one, outcome="refused", detail="There is no such alert.")
        for one in dict.fromkeys(wanted.alert_ids or ())
        if one not in known
    ]
    counts = {name: sum(one.outcome == name for one in items) for name in ("changed", "unchanged", "refused")}
    return AlertActResult(results=items, **counts)


async def _check(session: AsyncSession, actor: Actor, wanted: AlertAct, now: datetime) -> None:
    problems = []
    if (wanted.alert_ids is None) == (wanted.matching is None):
        problems.append(FieldError("alert_ids", "Give either alert_ids or matching"))
    if wanted.act == "snooze" and wanted.until is None:
        problems.append(FieldError("until", "A snooze needs an end"))
    if wanted.until is not None and not now < wanted.until <= now + LONGEST_SNOOZE:
        problems.append(FieldError("until", "Must lie in the future, within a year"))
    if wanted.act == "comment" and not wanted.note.strip():
        problems.append(FieldError("note", "Is the comment"))
    if wanted.assignee_id is not None:
        found = await session.scalar(users_visible_to(actor).where(User.id == wanted.assignee_id))
        if found is None:
            problems.append(FieldError("assignee_id", "No such user"))
    if problems:
        raise InvalidInputError("Nothing was done.", fields=problems)


async def _unseen_by_assignee(
    session: AsyncSession, wanted: AlertAct, alerts: Sequence[AlertLog]
) -> set[UUID | None]:
    """Departments whose alerts the assignee may not see. Raises InvalidInputError where that is all of them."""
    if wanted.assignee_id is None:
        return set()
    departments = {one.department_id for one in alerts}
    unseen = set()
    for department in departments:
        may_read = holders(Permission.ALERTS_READ, department).where(User.id == wanted.assignee_id)
        if await session.scalar(may_read) is None:
            unseen.add(department)
    if unseen and unseen == departments:
        message = (
            "May not see this alert; choose somebody who may"
            if len(alerts) == 1
            else ("May not see these alerts; choose somebody who may")
        )
        raise InvalidInputError("Nothing was done.", fields=[FieldError("assignee_id", message)])
    return unseen


async def _chosen(session: AsyncSession, actor: Actor, wanted: AlertAct) -> Sequence[AlertLog]:
    """The alerts that are meant, locked, oldest first."""
    statement = queries.visible_to(actor, Permission.ALERTS_RESPOND)
    if wanted.alert_ids is not None:
        statement = statement.where(AlertLog.alert_id.in_(wanted.alert_ids))
    else:
        conditions = queries.LISTING.filters(parse_qsl(wanted.matching or ""))
        statement = statement.where(*conditions, AlertLog.resolved_at.is_(None))
    locked = statement.order_by(AlertLog.alert_id).limit(MOST_AT_ONCE + 1).with_for_update()
    found = (await session.scalars(locked)).all()
    if len(found) > MOST_AT_ONCE:
        message = f"Matches more than {MOST_AT_ONCE:,} alerts; add a filter"
        raise InvalidInputError("Nothing was done.", fields=[FieldError("matching", message)])
    return found


def _apply(
    alert: AlertLog, actor: Actor, wanted: AlertAct, now: datetime
) -> tuple[bool, list[dict[str, Any]]]:
    """Change one alert; returns whether it changed, and what to add to its story. Raises ConflictError."""
    key = alert.alert_id, alert.triggered_at
    present = AlertStatus(alert.status)

    def told(kind: EventKind, **details: Any) -> list[dict[str, Any]]:
        return [
            event(
                key,
                kind,
                at=now,
                actor=actor.name,
                user_id=actor.user_id,
                note=wanted.note,
                details=details,
            )
        ]

    if wanted.act == "comment":
        return True, told(EventKind.COMMENTED)
    if wanted.act == "resolve":
        ALERTS.check(present, AlertStatus.RESOLVED)
        return True, []
    if wanted.act == "assign":
        if alert.assignee_id == wanted.assignee_id:
            return False, []
        alert.assignee_id = wanted.assignee_id
        assignee = None if wanted.assignee_id is None else str(wanted.assignee_id)
        return True, told(EventKind.ASSIGNED, assignee=assignee)
    status, kind = _WANTED[wanted.act]
    if _is_as_wanted(alert, present, wanted):
        return False, []
    if present is not status:
        ALERTS.check(present, status)
    alert.status = status
    _mark(alert, status, actor, wanted, now)
    return True, told(kind, until=wanted.until.isoformat() if wanted.until else None)


def _is_as_wanted(alert: AlertLog, present: AlertStatus, wanted: AlertAct) -> bool:
    """Whether there is nothing to do: what is not acknowledged or snoozed need not be taken back."""
    if present is AlertStatus.RESOLVED:
        return False
    if wanted.act == "acknowledge":
        return present is AlertStatus.ACKNOWLEDGED and alert.acknowledged_until == wanted.until
    return present is not _TAKEN_BACK.get(wanted.act, present)


def _mark(alert: AlertLog, status: AlertStatus, actor: Actor, wanted: AlertAct, now: datetime) -> None:
    alert.snoozed_until = wanted.until if status is AlertStatus.SNOOZED else None
    alert.acknowledged_until = wanted.until if status is AlertStatus.ACKNOWLEDGED else None
    if status is AlertStatus.ACKNOWLEDGED:
        alert.is_acknowledged, alert.acknowledged_by = True, actor.user_id
        # The first one counts for the time that it took.
        alert.acknowledged_at = alert.acknowledged_at or now
    elif wanted.act == "unacknowledge":
        alert.is_acknowledged, alert.acknowledged_by = False, None


async def times(session: AsyncSession, actor: Actor, by: str, days: int) -> list[AlertTimes]:
    """How long alerts of the last days took, by rule, severity, department or week."""
    rows = await queries.times(session, actor, by, utc_now() - timedelta(days=days))
    return [
        AlertTimes(
            group=row.told,
            alerts=row.alerts,
            resolved=row.resolved,
            mtta_seconds=None if row.mtta is None else float(row.mtta),
            mttr_seconds=None if row.mttr is None else float(row.mttr),
        )
        for row in rows
    ]


async def silenced_by(
    session: AsyncSession, actor: Actor, silence_id: UUID, limit: int = 25
) -> list[AlertRead]:
    """The newest of the alerts that a silence has quieted."""
    found = await queries.silenced_by(session, actor, silence_id, limit)
    return [AlertRead.model_validate(one) for one in found]


async def counts(session: AsyncSession, actor: Actor) -> dict[str, int]:
    """How many alerts are open that the actor may see, by status."""
    rows = await session.execute(
        queries.visible_to(actor)
        .where(AlertLog.resolved_at.is_(None))
        .with_only_columns(AlertLog.status, func.count())
        .group_by(AlertLog.status)
    )
    return {row[0]: row[1] for row in rows}


async def severities(session: AsyncSession, actor: Actor) -> dict[str, int]:
    """How many alerts are open that the actor may see, by severity."""
    rows = await session.execute(
        queries.visible_to(actor)
        .where(AlertLog.resolved_at.is_(None))
        .with_only_columns(AlertLog.severity, func.count())
        .group_by(AlertLog.severity)
    )
    return {row[0]: row[1] for row in rows}


async def names_of(session: AsyncSession, user_ids: Sequence[UUID]) -> dict[UUID, str]:
    """What users are called."""
    rows = await session.execute(select(User.id, User.username).where(User.id.in_(user_ids)))
    return {row[0]: row[1] for row in rows}
