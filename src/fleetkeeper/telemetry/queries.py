"""The SQL of telemetry, apart from the writer's COPY."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def store_latest(session: AsyncSession, newest: Sequence[tuple[UUID, datetime, int]]) -> None:
    """Copy the frames with these keys (device, time, part) into `latest`, where nothing newer is there.

    What is there and lies ahead of the clock makes room for whatever arrives, unless that is old.
    """
    await session.execute(
        text(
            """
            INSERT INTO latest AS l (device_id, ts, layout_id, values, part)
            SELECT f.device_id, f.ts, f.layout_id, f.values, f.part
            FROM (SELECT unnest(CAST(:keys AS uuid[])) AS device_id, unnest(CAST(:ts AS timestamptz[])) AS ts,
                         unnest(CAST(:parts AS int[])) AS part) k
            JOIN frames f ON f.device_id = k.device_id AND f.ts = k.ts AND f.part = k.part
            ON CONFLICT (device_id, part) DO UPDATE
            SET ts = excluded.ts, layout_id = excluded.layout_id, values = excluded.values
            WHERE excluded.ts >= l.ts
               OR (l.ts > now() + interval '5 seconds' AND excluded.ts > now() - interval '5 minutes')
            """
        ),
        {
            "keys": [key for key, _, _ in newest],
            "ts": [ts for _, ts, _ in newest],
            "parts": [part for _, _, part in newest],
        },
    )


async def latest_of_device(session: AsyncSession, device_id: UUID) -> Sequence[Any]:
    """The newest value of each channel of a device: key, value and time. `latest` has it when the frames are sealed.

    Senders that deliver channel by channel do not do so at one moment: what is up to five minutes older counts too.
    """
    rows = await session.execute(
        text(
            """
            WITH hot AS (
                -- A frame ahead of the clock is newest only as long as it is in `latest`.
                SELECT coalesce(
                    (SELECT max(ts) FROM frames WHERE device_id = :device AND ts <= now() + interval '5 seconds'),
                    (SELECT max(ts) FROM frames WHERE device_id = :device)) AS ts
            ),
            found AS (
                SELECT f.ts, f.part, f.layout_id, f.values FROM frames f, hot
                WHERE f.device_id = :device AND f.ts = hot.ts
                UNION ALL
                SELECT l.ts, l.part, l.layout_id, l.values FROM latest l, hot WHERE l.device_id = :device
                  AND (hot.ts IS NULL OR l.ts > hot.ts - interval '5 minutes')
            ),
            newest AS (
                SELECT DISTINCT ON (part) * FROM found
                WHERE ts > (SELECT max(ts) FROM found) - interval '5 minutes' ORDER BY part, ts DESC
            )
            SELECT DISTINCT ON (c.id) c.key, n.values[l.position] AS value, n.ts
            FROM newest n
            JOIN layout_channels l ON l.layout_id = n.layout_id
            JOIN channels c ON c.id = l.channel_id
            WHERE n.values[l.position] IS NOT NULL
            ORDER BY c.id, n.ts DESC
            """
        ),
        {"device": device_id},
    )
    return rows.all()


async def channels_of_device(
    session: AsyncSession, device_id: UUID, metrics: Sequence[str] | None = None
) -> Sequence[Any]:
    """A device's channels: id, metric, labels, unit, kind, group, description, {layout: position}, and the devices.

    The devices are itself and those merged into it, as far as they have the channel.
    """
    rows = await session.execute(
        text(
            """
            SELECT c.id, m.name, c.labels, m.unit, m.kind, m.metric_type, m.description,
                   jsonb_object_agg(l.layout_id, l.position) AS places, array_agg(DISTINCT d.device_id) AS devices
            FROM device_layouts d
            JOIN layout_channels l ON l.layout_id = d.layout_id
                 AND (d.present IS NULL OR d.present & (CAST(1 AS bigint) << l.position - 1) <> 0)
            JOIN channels c ON c.id = l.channel_id
            JOIN metrics m ON m.id = c.metric_id
            WHERE d.device_id = ANY(ARRAY(SELECT id FROM devices WHERE id = :device OR merged_into = :device))
                  AND (CAST(:metrics AS text[]) IS NULL OR m.name = ANY(CAST(:metrics AS text[])))
            GROUP BY c.id, m.id
            ORDER BY m.metric_type, m.name, c.key
            """
        ),
        {"device": device_id, "metrics": list(metrics) if metrics is not None else None},
    )
    return rows.all()


async def newest_frame_keys(
    session: AsyncSession,
    devices: Sequence[tuple[UUID, datetime]],
    now: datetime,
    window: timedelta,
    limit: int = 5000,
) -> Sequence[Any]:
    """The keys (device, time, part) of devices' newest frames, newest first, of each device at most `limit`.

    They are those ahead of `now`, and those within a window that ends with the newest one that is not; none is as old
    as the moment that is given with its device.
    """
    rows = await session.execute(
        text(
            """
            SELECT k.device_id, f.ts, f.part
            FROM (SELECT unnest(CAST(:devices AS uuid[])) AS device_id,
                         unnest(CAST(:since AS timestamptz[])) AS since) k
            CROSS JOIN LATERAL (
              SELECT max(ts) AS ts FROM frames WHERE device_id = k.device_id AND ts <= :now
            ) newest
            CROSS JOIN LATERAL (
              SELECT f.ts, f.part FROM frames f
              WHERE f.device_id = k.device_id
                AND f.ts > greatest(k.since, coalesce(newest.ts, CAST(:now AS timestamptz)) - CAST(:window AS interval))
              ORDER BY f.ts DESC, f.part DESC LIMIT :limit
            ) f
            """
        ),
        {
            "devices": [device for device, _ in devices],
            "since": [since for _, since in devices],
            "now": now,
            "window": window,
            "limit": limit,
        },
    )
    return rows.all()


async def frames_by_key(session: AsyncSession, keys: Sequence[tuple[UUID, datetime, int]]) -> Sequence[Any]:
    """The frames with these keys, oldest first."""
    rows = await session.execute(
        text(
            """
            SELECT f.device_id, f.ts, f.part, f.layout_id, f.values
            FROM (SELECT unnest(CAST(:devices AS uuid[])) AS device_id, unnest(CAST(:ts AS timestamptz[])) AS ts,
                         unnest(CAST(:parts AS int[])) AS part) k
            JOIN frames f ON f.device_id = k.device_id AND f.ts = k.ts AND f.part = k.part
            ORDER BY f.ts, f.part
            """
        ),
        {
            "devices": [key[0] for key in keys],
            "ts": [key[1] for key in keys],
            "parts": [key[2] for key in keys],
        },
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
            INSERT INTO latest AS l (device_id, ts, layout_id, values, part)
            SELECT f.device_id, f.ts, f.layout_id, f.values, f.part FROM devices d CROSS JOIN LATERAL (
              SELECT ts FROM frames f
              WHERE f.device_id = d.id AND f.ts > now() - interval '1 hour' AND f.ts <= now() + interval '5 seconds'
              ORDER BY f.ts DESC LIMIT 1
            ) n JOIN frames f ON f.device_id = d.id AND f.ts = n.ts
            ON CONFLICT (device_id, part) DO UPDATE
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
