"""The SQL of telling: which alerts, silences, routes and groups there are, and what is due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import (
    AlertGroup,
    AlertGroupMember,
    AlertLog,
    AlertReceiver,
    AlertRoute,
    AlertSilence,
)
from fleetkeeper.alerts.status import Resolution
from fleetkeeper.database.many_rows import insert_many

AT_ONCE = 2_000


async def only_one(session: AsyncSession) -> bool:
    """Whether no other worker tells, and nobody changes the tree; holds until the transaction ends."""
    return bool(
        await session.scalar(text("SELECT pg_try_advisory_xact_lock(hashtextextended('alerts.tell', 0))"))
    )


async def lock_tree(session: AsyncSession) -> None:
    """Let nobody else change the tree of routes, and no worker tell by it, until the transaction ends.

    Both lock alerts and routes, and would do so in different orders.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('alerts.tell', 0))"))


async def reroute(session: AsyncSession) -> None:
    """Let alerts that are open go through the tree again; locked in the order in which people's acts lock them."""
    await session.execute(
        text(
            """
            WITH open AS (
                SELECT alert_id, triggered_at FROM alert_logs WHERE resolved_at IS NULL ORDER BY alert_id FOR UPDATE
            )
            UPDATE alert_logs l SET needs_routing = true FROM open o
            WHERE l.alert_id = o.alert_id AND l.triggered_at = o.triggered_at
            """
        )
    )


async def orphans(session: AsyncSession) -> dict[Resolution, list[Any]]:
    """Open alerts of rules that are gone or disabled, by what became of the rule: number, trigger."""
    rows = await session.execute(
        text(
            "SELECT l.alert_id, l.triggered_at, r.id IS NULL AS is_gone FROM alert_logs l "
            "LEFT JOIN alert_rules r ON r.id = l.rule_id "
            "WHERE l.resolved_at IS NULL AND l.source = 'rule' AND (r.id IS NULL OR NOT r.enabled)"
        )
    )
    found: dict[Resolution, list[Any]] = {}
    for row in rows:
        why = Resolution.RULE_DELETED if row.is_gone else Resolution.RULE_DISABLED
        found.setdefault(why, []).append(row)
    return found


async def forget_orphans(session: AsyncSession) -> None:
    """Forget what such rules saw."""
    await session.execute(
        text(
            "DELETE FROM alert_instances i WHERE i.expires_at IS NULL "
            "AND NOT EXISTS (SELECT FROM alert_rules r WHERE r.id = i.rule_id AND r.enabled)"
        )
    )


async def silences_at(session: AsyncSession, now: datetime) -> Sequence[AlertSilence]:
    """The silences that have begun and are not over; recurring ones may be between two windows."""
    statement = select(AlertSilence).where(
        AlertSilence.starts_at <= now, or_(AlertSilence.ends_at.is_(None), AlertSilence.ends_at > now)
    )
    return (await session.scalars(statement.order_by(AlertSilence.id))).all()


@dataclass(frozen=True)
class Quieting:
    """The alerts that say that a device is down: its own, and that of a machine that it runs on."""

    own: int | None
    of_host: int | None

    def of(self, *, quiets_device: bool) -> int | None:
        """What quiets an alert of the device: no alert quiets itself, a host's quiets that its guest is down, too."""
        return self.of_host if quiets_device else self.of_host or self.own


async def quieting_alerts(session: AsyncSession) -> dict[UUID, Quieting]:
    """Devices whose own alert, or that of a host of theirs, quiets the others."""
    rows = await session.execute(
        text(
            """
            WITH RECURSIVE down AS (
                SELECT system_id AS device, min(alert_id) AS alert, false AS is_of_host FROM alert_logs
                WHERE resolved_at IS NULL AND quiets_device AND system_id IS NOT NULL GROUP BY system_id
                UNION
                SELECT r.child_device_id, d.alert, true
                FROM down d JOIN device_relationships r ON r.parent_device_id = d.device
                WHERE r.relationship_type = 'hosts' AND r.valid_to IS NULL
            )
            SELECT device, min(alert) FILTER (WHERE NOT is_of_host) AS own,
                   min(alert) FILTER (WHERE is_of_host) AS of_host
            FROM down GROUP BY device
            """
        )
    )
    return {row.device: Quieting(row.own, row.of_host) for row in rows}


async def suppressible(session: AsyncSession, *, is_any: bool) -> Sequence[Any]:
    """Open alerts as silences look at them: all when something may quiet them, else those that are quieted."""
    rows = await session.execute(
        text(
            """
            SELECT l.alert_id, l.triggered_at, l.labels, l.system_id, l.department_id, l.suppressed_by, l.quiets_device,
                   ARRAY(SELECT t.tag_id FROM tagged t WHERE t.object_type = 'devices' AND t.object_id = l.system_id)
                       AS tags
            FROM alert_logs l WHERE l.resolved_at IS NULL AND (:any OR l.suppressed_by IS NOT NULL)
            """
        ),
        {"any": is_any},
    )
    return rows.all()


async def set_suppressed(session: AsyncSession, changes: Sequence[tuple[int, datetime, str | None]]) -> None:
    """Keep what quiets alerts (number, trigger, JSON), nothing where nothing does."""
    await session.execute(
        text(
            "UPDATE alert_logs l SET suppressed_by = CAST(k.told AS jsonb) "
            "FROM unnest(CAST(:numbers AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:told AS text[])) "
            "AS k (alert_id, triggered_at, told) "
            "WHERE l.alert_id = k.alert_id AND l.triggered_at = k.triggered_at AND l.resolved_at IS NULL"
        ),
        {
            "numbers": [one[0] for one in changes],
            "moments": [one[1] for one in changes],
            "told": [one[2] for one in changes],
        },
    )


async def wake(session: AsyncSession, now: datetime) -> Sequence[Any]:
    """Let alerts fire again whose snooze or acknowledgement is over; each with its status before."""
    rows = await session.execute(
        text(
            """
            WITH over AS (
                SELECT alert_id, triggered_at, status FROM alert_logs
                WHERE resolved_at IS NULL AND (snoozed_until <= :now OR acknowledged_until <= :now) FOR UPDATE
            )
            UPDATE alert_logs l SET status = 'firing', snoozed_until = NULL, acknowledged_until = NULL,
                   is_acknowledged = CASE WHEN o.status = 'acknowledged' THEN false ELSE l.is_acknowledged END
            FROM over o WHERE l.alert_id = o.alert_id AND l.triggered_at = o.triggered_at
            RETURNING l.alert_id, l.triggered_at, o.status, l.rule_id, l.name, l.fingerprint
            """
        ),
        {"now": now},
    )
    return rows.all()


async def tell_anew(session: AsyncSession, woken: Mapping[int, int], now: datetime) -> None:
    """Let groups forget at once that alerts (identities by number) were told to fire."""
    if woken:
        await session.execute(
            text(
                """
                UPDATE alert_groups g SET next_at = least(g.next_at, :now), told_firing = ARRAY(
                    SELECT told FROM unnest(g.told_firing) AS told WHERE told <> ALL (k.identities))
                FROM (SELECT m.route_id, m.key, array_agg(w.identity) AS identities
                      FROM unnest(CAST(:numbers AS bigint[]), CAST(:identities AS bigint[])) AS w (alert_id, identity)
                      JOIN alert_group_members m ON m.alert_id = w.alert_id GROUP BY m.route_id, m.key) k
                WHERE g.route_id = k.route_id AND g.key = k.key
                """
            ),
            {"now": now, "numbers": list(woken), "identities": list(woken.values())},
        )


async def unrouted(session: AsyncSession) -> Sequence[AlertLog]:
    """Alerts that are new, over, or whose way may have changed; locked."""
    statement = select(AlertLog).where(AlertLog.needs_routing).order_by(AlertLog.alert_id).limit(AT_ONCE)
    return (await session.scalars(statement.with_for_update())).all()


async def settle_routing(session: AsyncSession, alerts: Sequence[AlertLog]) -> None:
    """Keep that alerts, which are locked, found their way."""
    if alerts:
        await session.execute(
            text(
                "UPDATE alert_logs l SET needs_routing = false "
                "FROM unnest(CAST(:numbers AS bigint[]), CAST(:moments AS timestamptz[])) AS k (id, triggered_at) "
                "WHERE l.alert_id = k.id AND l.triggered_at = k.triggered_at"
            ),
            {"numbers": [one.alert_id for one in alerts], "moments": [one.triggered_at for one in alerts]},
        )


async def routes(session: AsyncSession) -> Sequence[AlertRoute]:
    """All routes."""
    return (await session.scalars(select(AlertRoute).order_by(AlertRoute.position, AlertRoute.id))).all()


async def receivers(session: AsyncSession) -> dict[UUID, AlertReceiver]:
    """All receivers."""
    return {one.id: one for one in await session.scalars(select(AlertReceiver))}


async def join_groups(
    session: AsyncSession, groups: Sequence[dict[str, Any]], members: Sequence[dict[str, Any]]
) -> None:
    """Put alerts into groups, which are made where they are missing."""
    await insert_many(session, AlertGroup, groups, on_conflict="DO NOTHING")
    await insert_many(session, AlertGroupMember, members, on_conflict="DO NOTHING")


async def leave_groups(
    session: AsyncSession, alert_ids: Collection[int], kept: Collection[tuple[int, UUID, bytes]]
) -> None:
    """Take alerts out of groups that they are no more part of; `kept` are those where they stay."""
    rows = await session.execute(
        select(AlertGroupMember.alert_id, AlertGroupMember.route_id, AlertGroupMember.key).where(
            AlertGroupMember.alert_id.in_(list(alert_ids))
        )
    )
    gone = [tuple(row) for row in rows if tuple(row) not in kept]
    if gone:
        await session.execute(
            text(
                "DELETE FROM alert_group_members m USING unnest(CAST(:alerts AS bigint[]), CAST(:routes AS uuid[]), "
                "CAST(:keys AS bytea[])) AS k (alert_id, route_id, key) "
                "WHERE m.alert_id = k.alert_id AND m.route_id = k.route_id AND m.key = k.key"
            ),
            {
                "alerts": [one[0] for one in gone],
                "routes": [one[1] for one in gone],
                "keys": [one[2] for one in gone],
            },
        )


async def due_groups(session: AsyncSession, now: datetime, limit: int = 200) -> Sequence[AlertGroup]:
    """Groups that are due, locked; those of each department in turn, so that many of one do not delay another's."""
    place = func.row_number().over(partition_by=AlertRoute.department_id, order_by=AlertGroup.next_at)
    due = (
        select(AlertGroup.route_id, AlertGroup.key, place.label("place"), AlertGroup.next_at)
        .join(AlertRoute, AlertRoute.id == AlertGroup.route_id)
        .where(AlertGroup.next_at <= now)
        .order_by(place, AlertGroup.next_at)
        .limit(limit)
        .subquery()
    )
    statement = (
        select(AlertGroup)
        .join(due, (due.c.route_id == AlertGroup.route_id) & (due.c.key == AlertGroup.key))
        .order_by(due.c.place, due.c.next_at)
        .with_for_update(of=AlertGroup)
    )
    return (await session.scalars(statement)).all()


async def members_of(session: AsyncSession, group: AlertGroup) -> Sequence[AlertLog]:
    """The alerts of a group, oldest first."""
    statement = (
        select(AlertLog)
        .join(
            AlertGroupMember,
            (AlertGroupMember.alert_id == AlertLog.alert_id)
            & (AlertGroupMember.triggered_at == AlertLog.triggered_at),
        )
        .where(AlertGroupMember.route_id == group.route_id, AlertGroupMember.key == group.key)
        .order_by(AlertLog.alert_id)
    )
    return (await session.scalars(statement)).all()


async def drop_members(session: AsyncSession, group: AlertGroup, alert_ids: Collection[int]) -> None:
    """Let alerts leave a group."""
    if alert_ids:
        await session.execute(
            text(
                "DELETE FROM alert_group_members WHERE route_id = :route AND key = :key "
                "AND alert_id = ANY(CAST(:alerts AS bigint[]))"
            ),
            {"route": group.route_id, "key": group.key, "alerts": list(alert_ids)},
        )


async def to_escalate(session: AsyncSession, now: datetime) -> Sequence[Any]:
    """Alerts that were told so long ago that somebody else is told, each with its route."""
    rows = await session.execute(
        text(
            """
            SELECT DISTINCT ON (l.alert_id) l.alert_id, l.triggered_at, m.route_id
            FROM alert_logs l
            JOIN alert_group_members m ON m.alert_id = l.alert_id AND m.triggered_at = l.triggered_at
            JOIN alert_groups g ON g.route_id = m.route_id AND g.key = m.key AND g.notified_at IS NOT NULL
            JOIN alert_routes r ON r.id = m.route_id
            WHERE l.resolved_at IS NULL AND l.status = 'firing' AND l.escalated_at IS NULL AND l.suppressed_by IS NULL
            ORDER BY l.alert_id, r.position
            """
        ),
        {"now": now},
    )
    return rows.all()


async def alerts_by_id(session: AsyncSession, alert_ids: Collection[int]) -> Sequence[AlertLog]:
    """Alerts by their numbers."""
    statement = select(AlertLog).where(AlertLog.alert_id.in_(list(alert_ids))).order_by(AlertLog.alert_id)
    return (await session.scalars(statement)).all()
