"""The SQL of evaluating: what is due, what is seen now, and what is different for some devices."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.engine.observations import Override
from fleetkeeper.alerts.models import AlertInstance, AlertRule
from fleetkeeper.alerts.recording.models import RecordingRule
from fleetkeeper.database.many_rows import insert_many

# For which a unit waits at most that takes too long.
MOST_WAIT_SECONDS = 300


@dataclass(frozen=True)
class Problem:
    """Why a rule failed at an instant."""

    rule_id: UUID
    name: str
    reason: str


async def enlist(session: AsyncSession) -> None:
    """Let units that were never evaluated be due."""
    await session.execute(
        text(
            "INSERT INTO alert_evaluations (unit, next_at) SELECT r.unit, now() "
            "FROM (SELECT unit FROM alert_rules WHERE enabled "
            "UNION SELECT unit FROM recording_rules WHERE enabled) r "
            "WHERE NOT EXISTS (SELECT FROM alert_evaluations e WHERE e.unit = r.unit) ON CONFLICT DO NOTHING"
        )
    )
    # A clock that was set back leaves units due in a time to come.
    await session.execute(
        text(
            "UPDATE alert_evaluations e SET next_at = now(), evaluated_at = least(e.evaluated_at, now()) "
            "FROM (SELECT unit, max(interval_seconds) AS seconds FROM alert_rules GROUP BY unit "
            "UNION ALL SELECT unit, max(interval_seconds) FROM recording_rules GROUP BY unit) r "
            "WHERE r.unit = e.unit AND e.next_at > now() + make_interval(secs => 2 * r.seconds + 5) "
            # What takes too long waits on purpose.
            "AND (e.failing_since IS NULL OR e.next_at > now() + make_interval(secs => :most + 5))"
        ),
        {"most": MOST_WAIT_SECONDS},
    )


async def claim(session: AsyncSession) -> Any:
    """The unit that is due for longest and that nobody else is at, locked until the transaction ends; None at best."""
    rows = await session.execute(
        text(
            "SELECT unit, next_at, evaluated_at, running_since, error, failures, clock_timestamp() AS now "
            "FROM alert_evaluations "
            "WHERE next_at <= now() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED"
        )
    )
    return rows.one_or_none()


async def rules_of(session: AsyncSession, unit: UUID) -> list[AlertRule | RecordingRule]:
    """The rules of a unit that are enabled, in their order."""
    alerting = await session.scalars(select(AlertRule).where(AlertRule.unit == unit, AlertRule.enabled))
    recording = await session.scalars(
        select(RecordingRule).where(RecordingRule.unit == unit, RecordingRule.enabled)
    )
    return sorted((*alerting, *recording), key=lambda one: (one.position, one.id))


async def forget_unit(session: AsyncSession, unit: UUID) -> None:
    """A unit without enabled rules is due no more."""
    await session.execute(text("DELETE FROM alert_evaluations WHERE unit = :unit"), {"unit": unit})


async def settle(
    session: AsyncSession,
    unit: UUID,
    *,
    at: datetime,
    next_at: datetime,
    running_since: datetime,
    duration_seconds: float,
    series: int,
    problems: Sequence[Problem],
) -> None:
    """Keep how an evaluation went, and when the next is due."""
    await session.execute(
        text(
            """
            UPDATE alert_evaluations SET evaluated_at = :at, next_at = :next_at, running_since = :running_since,
                   duration_seconds = :duration, series = :series, error = CAST(:error AS text),
                   failures = CAST(:failures AS jsonb),
                   failing_since = CASE WHEN CAST(:error AS text) <> ''
                                        THEN coalesce(failing_since, CAST(:at AS timestamptz)) END
            WHERE unit = :unit
            """
        ),
        {
            "unit": unit,
            "at": at,
            "next_at": next_at,
            "running_since": running_since,
            "duration": duration_seconds,
            "series": series,
            "error": "; ".join(f"{one.name}: {one.reason}" for one in problems)[:1000],
            "failures": json.dumps({str(one.rule_id): one.reason for one in problems}),
        },
    )


async def fail(
    session: AsyncSession, unit: UUID, *, at: datetime, next_at: datetime, error: str, waits: bool = False
) -> None:
    """Keep that an evaluation failed as a whole; whoever evaluated the unit since then is not undone.

    One that `waits` is due after as long as it has been failing: what takes too long again and again would hold up
    all others.
    """
    await session.execute(
        text(
            "UPDATE alert_evaluations SET next_at = greatest(:next_at, CASE WHEN :waits THEN now() + "
            "least(now() - coalesce(failing_since, now()), make_interval(secs => :most)) END), "
            "error = :error, failures = '{}', "
            "failing_since = coalesce(failing_since, CAST(:at AS timestamptz)) "
            "WHERE unit = :unit AND (evaluated_at IS NULL OR evaluated_at < CAST(:at AS timestamptz))"
        ),
        {
            "unit": unit,
            "at": at,
            "next_at": next_at,
            "error": error[:1000],
            "waits": waits,
            "most": MOST_WAIT_SECONDS,
        },
    )


async def overrides_of(session: AsyncSession, rule_id: UUID) -> dict[UUID, Override]:
    """What is different for which device; what names a device counts more than what names one of its tags."""
    rows = await session.execute(
        text(
            """
            SELECT coalesce(o.device_id, t.object_id) AS device, o.enabled, o.threshold, o.recovery, o.for_seconds,
                   o.severity
            FROM alert_overrides o LEFT JOIN tagged t ON t.tag_id = o.tag_id AND t.object_type = 'devices'
            WHERE o.alert_rule_id = :rule AND coalesce(o.device_id, t.object_id) IS NOT NULL
            ORDER BY o.device_id IS NOT NULL, o.created_at, o.id
            """
        ),
        {"rule": rule_id},
    )
    return {
        row.device: Override(row.enabled, row.threshold, row.recovery, row.for_seconds, row.severity)
        for row in rows
    }


async def instances_of(session: AsyncSession, rule_id: UUID) -> Sequence[AlertInstance]:
    """All that a rule sees."""
    return (await session.scalars(select(AlertInstance).where(AlertInstance.rule_id == rule_id))).all()


async def store_instances(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write what a rule sees, anew or changed."""
    if rows:
        own = {"rule_id", "fingerprint", "device_id"}
        changed = ", ".join(f"{name} = excluded.{name}" for name in rows[0] if name not in own)
        conflict = f"(rule_id, fingerprint) DO UPDATE SET {changed}"
        await insert_many(session, AlertInstance, rows, on_conflict=conflict)


async def drop_instances(session: AsyncSession, rule_id: UUID, fingerprints: Collection[bytes]) -> None:
    """Forget what a rule sees no more."""
    if fingerprints:
        await session.execute(
            delete(AlertInstance).where(
                AlertInstance.rule_id == rule_id, AlertInstance.fingerprint.in_(list(fingerprints))
            )
        )


async def update_values(
    session: AsyncSession, rule_id: UUID, values: Sequence[tuple[bytes, float | None]]
) -> None:
    """Keep the newest values of what fires or is pending."""
    if values:
        await session.execute(
            text(
                "UPDATE alert_instances i SET value = k.value "
                "FROM unnest(CAST(:keys AS bytea[]), CAST(:values AS float8[])) AS k (fingerprint, value) "
                "WHERE i.rule_id = :rule AND i.fingerprint = k.fingerprint AND i.value IS DISTINCT FROM k.value"
            ),
            {"rule": rule_id, "keys": [one[0] for one in values], "values": [one[1] for one in values]},
        )


async def devices_named(session: AsyncSession, devices: Collection[UUID]) -> dict[UUID, Any]:
    """Name and department of devices."""
    rows = await session.execute(
        text("SELECT id, name, department_id FROM devices WHERE id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": sorted(devices)},
    )
    return {row.id: row for row in rows}
