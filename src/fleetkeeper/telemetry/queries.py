"""The SQL of telemetry, apart from the writer's COPY."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def store_latest(session: AsyncSession, newest: Sequence[tuple[UUID, datetime]]) -> None:
    """Copy the frames with these keys into `latest`, where they are newer than what is there."""
    await session.execute(
        text(
            """
            INSERT INTO latest AS l (device_id, ts, layout_id, values)
            SELECT f.device_id, f.ts, f.layout_id, f.values
            FROM (SELECT unnest(CAST(:keys AS uuid[])) AS device_id, unnest(CAST(:ts AS timestamptz[])) AS ts) k
            JOIN frames f ON f.device_id = k.device_id AND f.ts = k.ts
            ON CONFLICT (device_id) DO UPDATE
            SET ts = excluded.ts, layout_id = excluded.layout_id, values = excluded.values
            WHERE excluded.ts > l.ts
            """
        ),
        {"keys": [key for key, _ in newest], "ts": [ts for _, ts in newest]},
    )


async def latest_of_device(session: AsyncSession, device_id: UUID) -> Any:
    """The newest frame of a device with its channels; `latest` has it when the frames are sealed."""
    return (
        await session.execute(
            text(
                """
                SELECT f.ts, array_agg(c.key ORDER BY l.position) AS keys,
                       array_agg(f.values[l.position] ORDER BY l.position) AS values
                FROM (
                    (SELECT ts, layout_id, values FROM frames WHERE device_id = :device ORDER BY ts DESC LIMIT 1)
                    UNION ALL
                    SELECT ts, layout_id, values FROM latest WHERE device_id = :device
                    ORDER BY ts DESC LIMIT 1
                ) f
                JOIN layout_channels l ON l.layout_id = f.layout_id
                JOIN channels c ON c.id = l.channel_id
                GROUP BY f.ts
                """
            ),
            {"device": device_id},
        )
    ).one_or_none()


async def channels_of_device(
    session: AsyncSession, device_id: UUID, metrics: Sequence[str] | None = None
) -> Sequence[Any]:
    """A device's channels: id, metric, labels, unit, kind, group, description, and {layout: position}."""
    rows = await session.execute(
        text(
            """
            SELECT c.id, m.name, c.labels, m.unit, m.kind, m.metric_type, m.description,
                   jsonb_object_agg(l.layout_id, l.position) AS places
            FROM device_layouts d
            JOIN layout_channels l ON l.layout_id = d.layout_id
            JOIN channels c ON c.id = l.channel_id
            JOIN metrics m ON m.id = c.metric_id
            WHERE d.device_id = :device AND (CAST(:metrics AS text[]) IS NULL OR m.name = ANY(CAST(:metrics AS text[])))
            GROUP BY c.id, m.id
            ORDER BY m.metric_type, m.name, c.key
            """
        ),
        {"device": device_id, "metrics": list(metrics) if metrics is not None else None},
    )
    return rows.all()


async def frames_since(
    session: AsyncSession, cursors: Sequence[tuple[UUID, datetime]], limit: int = 2000
) -> Sequence[Any]:
    """Frames of the devices that are newer than each one's cursor, oldest first."""
    rows = await session.execute(
        text(
            """
            SELECT f.device_id, f.ts, f.layout_id, f.values
            FROM (SELECT unnest(CAST(:keys AS uuid[])) AS device_id, unnest(CAST(:ts AS timestamptz[])) AS ts) k
            CROSS JOIN LATERAL (
              SELECT * FROM frames f WHERE f.device_id = k.device_id AND f.ts > k.ts ORDER BY f.ts LIMIT 200
            ) f
            ORDER BY f.ts LIMIT :limit
            """
        ),
        {"keys": [key for key, _ in cursors], "ts": [ts for _, ts in cursors], "limit": limit},
    )
    return rows.all()


async def layout_keys(session: AsyncSession, layout_ids: Sequence[int]) -> dict[int, list[str]]:
    """The channels of layouts, in their order."""
    rows = await session.execute(
        text(
            """
            SELECT l.layout_id, array_agg(c.key ORDER BY l.position)
            FROM layout_channels l JOIN channels c ON c.id = l.channel_id
            WHERE l.layout_id = ANY(CAST(:ids AS int[])) GROUP BY l.layout_id
            """
        ),
        {"ids": list(layout_ids)},
    )
    return {row[0]: row[1] for row in rows}


async def manage_partitions(session: AsyncSession) -> None:
    """Make the partitions of the coming days and drop those past the retention."""
    await session.execute(text("SELECT manage_telemetry_partitions()"))


async def repair_latest(session: AsyncSession) -> None:
    """Bring `latest` up to the newest frames, which a killed process may have left behind."""
    await session.execute(
        text(
            """
            INSERT INTO latest AS l (device_id, ts, layout_id, values)
            SELECT n.* FROM devices d CROSS JOIN LATERAL (
              SELECT f.device_id, f.ts, f.layout_id, f.values FROM frames f
              WHERE f.device_id = d.id AND f.ts > now() - interval '1 hour' ORDER BY f.ts DESC LIMIT 1
            ) n
            ON CONFLICT (device_id) DO UPDATE
            SET ts = excluded.ts, layout_id = excluded.layout_id, values = excluded.values WHERE excluded.ts > l.ts
            """
        )
    )


async def store_process_snapshots(
    session: AsyncSession, device_id: UUID, snapshots: Sequence[tuple[datetime, str]]
) -> int:
    """Store lists of processes (time, JSON text); returns how many were new."""
    outcome = await session.execute(
        text(
            """
            INSERT INTO process_snapshots (device_id, ts, processes)
            SELECT :device, s.ts, CAST(s.processes AS jsonb)
            FROM (SELECT unnest(CAST(:ts AS timestamptz[])) AS ts, unnest(CAST(:documents AS text[])) AS processes) s
            ORDER BY s.ts ON CONFLICT DO NOTHING
            """
        ),
        {
            "device": device_id,
            "ts": [item[0] for item in snapshots],
            "documents": [item[1] for item in snapshots],
        },
    )
    return int(getattr(outcome, "rowcount", 0))


async def ensure_partition(session: AsyncSession, moment: datetime) -> None:
    """Make the partition of a moment's day."""
    await session.execute(
        text("SELECT create_telemetry_partition(CAST(:day AS date), CAST(:day AS date) + 1)"),
        {"day": moment.date()},
    )


async def processes_at(session: AsyncSession, device_id: UUID, at: datetime) -> Any:
    """The last list of processes at or before a moment, no more than a day old."""
    return (
        await session.execute(
            text(
                """
                SELECT ts, processes FROM process_snapshots
                WHERE device_id = :device AND ts <= :at AND ts > CAST(:at AS timestamptz) - interval '1 day'
                ORDER BY ts DESC LIMIT 1
                """
            ),
            {"device": device_id, "at": at},
        )
    ).one_or_none()
