"""Opens and closes alerts in the log, many at once, each with its entry in the alert's story."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.alerts.models import AlertEvent, AlertInstance, AlertLog
from fleetkeeper.alerts.status import EventKind, Resolution, Severity
from fleetkeeper.database.many_rows import insert_many
from fleetkeeper.kit.ids import uuid7


@dataclass(frozen=True)
class NewAlert:
    """An alert that begins to fire."""

    rule_id: UUID | None
    name: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    fingerprint: bytes
    triggered_at: datetime
    pending_since: datetime | None = None
    device_id: UUID | None = None
    department_id: UUID | None = None
    device_name: str = ""
    metric: str = ""
    value: float | None = None
    threshold: float | None = None
    is_flapping: bool = False
    quiets_device: bool = False
    source: str = "rule"
    generator_url: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


# An alert's key: its number and when it was triggered.
Key = tuple[int, datetime]


async def open_alerts(session: AsyncSession, alerts: Sequence[NewAlert]) -> list[int]:
    """Write alerts that begin to fire; returns their numbers in the same order."""
    if not alerts:
        return []
    rows = await session.execute(
        text(
            "SELECT nextval(pg_get_serial_sequence('alert_logs', 'alert_id')) FROM generate_series(1, :count)"
        ),
        {"count": len(alerts)},
    )
    numbers: list[int] = list(rows.scalars())
    await insert_many(
        session, AlertLog, [_row(one, number) for one, number in zip(alerts, numbers, strict=True)]
    )
    await tell(
        session,
        [
            event(
                (number, one.triggered_at),
                EventKind.FLAPPING if one.is_flapping else EventKind.TRIGGERED,
                at=one.triggered_at,
                details={"value": one.value, "threshold": one.threshold, **one.details},
            )
            for one, number in zip(alerts, numbers, strict=True)
        ],
    )
    return numbers


def _row(one: NewAlert, number: int) -> dict[str, Any]:
    return {
        "alert_id": number,
        "rule_id": one.rule_id,
        "system_id": one.device_id,
        "department_id": one.department_id,
        "triggered_at": one.triggered_at,
        "metric_name": one.metric[:200],
        "actual_value": one.value,
        "last_value": one.value,
        "threshold_value": one.threshold,
        "name": one.name[:200],
        "severity": one.severity,
        "labels": dict(one.labels),
        "annotations": dict(one.annotations),
        "fingerprint": one.fingerprint,
        "source": one.source,
        "generator_url": one.generator_url[:2000],
        "pending_since": one.pending_since,
        "is_flapping": one.is_flapping,
        "quiets_device": one.quiets_device,
        "device_name": one.device_name[:255],
    }


async def close_alerts(
    session: AsyncSession,
    over: Sequence[tuple[Key, float | None]],
    at: datetime,
    why: Resolution,
    *,
    actor: str = "",
    user_id: UUID | None = None,
    note: str = "",
) -> int:
    """Resolve alerts that are not resolved yet, each with its last value; returns how many there were."""
    if not over:
        return 0
    rows = await session.execute(
        text(
            """
            UPDATE alert_logs l SET status = 'resolved',
                   resolved_at = greatest(CAST(:at AS timestamptz), l.triggered_at),
                   resolution = :why, resolved_by = :user, last_value = coalesce(k.value, l.last_value),
                   needs_routing = true, snoozed_until = NULL, acknowledged_until = NULL, suppressed_by = NULL
            FROM unnest(CAST(:numbers AS bigint[]), CAST(:moments AS timestamptz[]), CAST(:values AS float8[]))
                 AS k (alert_id, triggered_at, value)
            WHERE l.alert_id = k.alert_id AND l.triggered_at = k.triggered_at AND l.resolved_at IS NULL
            RETURNING l.alert_id, l.triggered_at, l.last_value
            """
        ),
        {
            "at": at,
            "why": why,
            "user": user_id,
            "numbers": [key[0] for key, _ in over],
            "moments": [key[1] for key, _ in over],
            "values": [value for _, value in over],
        },
    )
    closed = rows.all()
    await tell(
        session,
        [
            event(
                (row.alert_id, row.triggered_at),
                EventKind.RESOLVED,
                at=at,
                actor=actor,
                user_id=user_id,
                note=note,
                details={"why": why, "value": row.last_value},
            )
            for row in closed
        ],
    )
    return len(closed)


async def end_rule(session: AsyncSession, rule_id: UUID, at: datetime, why: Resolution) -> int:
    """Resolve all that a rule has fired and forget what it sees; returns how many alerts that were."""
    open_ones = await session.execute(
        select(AlertLog.alert_id, AlertLog.triggered_at).where(
            AlertLog.rule_id == rule_id, AlertLog.resolved_at.is_(None)
        )
    )
    keys = [((row[0], row[1]), None) for row in open_ones]
    # Alerts are locked before what rules see, as everywhere.
    count = await close_alerts(session, keys, at, why)
    await session.execute(delete(AlertInstance).where(AlertInstance.rule_id == rule_id))
    return count


def event(
    key: Key,
    kind: EventKind,
    *,
    at: datetime,
    actor: str = "",
    user_id: UUID | None = None,
    note: str = "",
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A row of an alert's story."""
    return {
        "id": uuid7(),
        "alert_id": key[0],
        "triggered_at": key[1],
        "at": at,
        "kind": kind,
        "actor": actor[:255],
        "user_id": user_id,
        "note": note[:2000],
        "details": {name: value for name, value in (details or {}).items() if value is not None},
    }


async def tell(session: AsyncSession, events: Sequence[dict[str, Any]]) -> None:
    """Add to the stories of alerts."""
    await insert_many(session, AlertEvent, events)


async def set_open(session: AsyncSession, key: Key, **values: Any) -> None:
    """Change an alert that is not over."""
    await session.execute(
        update(AlertLog)
        .where(AlertLog.alert_id == key[0], AlertLog.triggered_at == key[1], AlertLog.resolved_at.is_(None))
        .values(**values)
    )
