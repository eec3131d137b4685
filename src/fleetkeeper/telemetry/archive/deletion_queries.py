# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The SQL by which a device's telemetry is deleted; connections are the driver's own. Days are numbers since 1970."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from fleetkeeper.telemetry.archive.queries import DAY_DATE, Connection

_MIDNIGHT = f"({DAY_DATE}::timestamp AT TIME ZONE 'UTC')"
FIRST_DAY, LAST_DAY = 0, 36_500


@dataclass(frozen=True)
class Request:
    """What is to go: of a device all, or one metric, or some days (first to last, both included), or both."""

    id: UUID
    device_id: UUID
    metric: str | None
    first_day: int | None
    last_day: int | None
    requested_at: datetime

    @property
    def is_everything(self) -> bool:
        """Whether nothing of the device stays."""
        return self.metric is None and self.first_day is None and self.last_day is None

    @property
    def days(self) -> tuple[int, int]:
        """The first day, and the one after the last."""
        first = FIRST_DAY if self.first_day is None else self.first_day
        return first, (LAST_DAY if self.last_day is None else self.last_day) + 1


async def next_request(connection: Connection) -> Request | None:
    """The oldest request that is not done."""
    cursor = await connection.execute(
        "SELECT id, device_id, metric, first_day - date '1970-01-01', last_day - date '1970-01-01', requested_at "
        "FROM telemetry_deletions WHERE state IN ('waiting', 'running') ORDER BY requested_at, id LIMIT 1"
    )
    row = await cursor.fetchone()
    return Request(*row) if row else None


async def note_step(connection: Connection, request_id: UUID, step: str, outcome: dict[str, int]) -> None:
    """Say how far a request is."""
    await connection.execute(
        "UPDATE telemetry_deletions SET step = %s, outcome = %s WHERE id = %s",
        (step, json.dumps(outcome), request_id),
    )


async def channels_of_metric(connection: Connection, metric: str | None) -> list[int] | None:
    """The channels of a metric; None for all."""
    if metric is None:
        return None
    cursor = await connection.execute(
        "SELECT c.id FROM channels c JOIN metrics m ON m.id = c.metric_id WHERE m.name = %s ORDER BY c.id",
        (metric,),
    )
    return [row[0] for row in await cursor.fetchall()]


async def is_known(connection: Connection, device_id: UUID) -> bool:
    """Whether the device is still there."""
    cursor = await connection.execute("SELECT EXISTS (SELECT FROM devices WHERE id = %s)", (device_id,))
    row = await cursor.fetchone()
    return bool(row and row[0])


async def delete_frames(connection: Connection, request: Request, *, at_any_time: bool) -> int:
    """Delete frames up to the request, or at any time."""
    cursor = await connection.execute(
        "DELETE FROM frames WHERE device_id = %s AND (%s OR ts <= %s)",
        (request.device_id, at_any_time, request.requested_at),
    )
    return cursor.rowcount


async def clear_latest(connection: Connection, request: Request, channels: Sequence[int] | None) -> int:
    """Take what goes out of the newest frame, if that lies in the days."""
    first, following = request.days
    inside = f"device_id = %s AND ts >= {_MIDNIGHT} AND ts < {_MIDNIGHT} AND ts <= %s"
    where = (request.device_id, first, following, request.requested_at)
    if channels is None:
        cursor = await connection.execute(f"DELETE FROM latest WHERE {inside}", where)
        return cursor.rowcount
    cursor = await connection.execute(
        f"""
        UPDATE latest SET values = ARRAY(
            SELECT CASE WHEN c.channel_id = ANY(%s) THEN NULL ELSE v.value END
            FROM unnest(latest.values) WITH ORDINALITY AS v (value, position)
            LEFT JOIN layout_channels c ON c.layout_id = latest.layout_id AND c.position = v.position
            ORDER BY v.position)
        WHERE {inside}
        """,
        (list(channels), *where),
    )
    return cursor.rowcount


async def delete_chunks(connection: Connection, request: Request, channels: Sequence[int] | None) -> int:
    """Delete chunks of whole days; returns how many."""
    cursor = await connection.execute(
        f"DELETE FROM chunks WHERE device_id = %s AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT} "
        "AND (%s OR channel_id = ANY(%s))",
        (request.device_id, *request.days, channels is None, list(channels or [])),
    )
    return cursor.rowcount


async def files_with(connection: Connection, request: Request, channels: Sequence[int] | None) -> list[UUID]:
    """Files that count and hold something of what goes."""
    cursor = await connection.execute(
        f"""
        SELECT f.id FROM archive_parts p JOIN archive_files f ON f.id = p.file_id AND f.state = 'live'
        WHERE p.device_id = %s AND p.day >= {DAY_DATE} AND p.day < {DAY_DATE} AND (%s OR f.channel_ids && %s::int[])
        ORDER BY f.day, f.id
        """,
        (request.device_id, *request.days, channels is None, list(channels or [])),
    )
    return [row[0] for row in await cursor.fetchall()]


async def rollup_rows(connection: Connection, request: Request, tier: int, length_days: int) -> list[int]:
    """First days of the rollups of a tier that touch the days."""
    first, following = request.days
    cursor = await connection.execute(
        f"""
        SELECT DISTINCT (extract(epoch FROM start) / 86400)::int AS day FROM rollups
        WHERE device_id = %s AND tier = %s AND start > {_MIDNIGHT} AND start < {_MIDNIGHT} ORDER BY day
        """,
        (request.device_id, tier, first - length_days, following),
    )
    return [row[0] for row in await cursor.fetchall()]


async def delete_by_device(
    connection: Connection,
    table: str,
    column: str | None,
    request: Request,
    *,
    channels: Sequence[int] | None = None,
    at_any_time: bool = False,
) -> int:
    """Delete rows of a device in a table of ours: of its days where the table has a time, of `channels` where given."""
    if table not in {
        "rollups",
        "rollup_changes",
        "raw_removed",
        "device_layouts",
        "latest",
        "process_snapshots",
        "states",
        "user_sessions",
    }:
        raise ValueError(table)
    condition: str = "true"
    values: list[Any] = [request.device_id]
    if column is not None:
        first, following = request.days
        condition = f"{column} >= {_MIDNIGHT} AND {column} < {_MIDNIGHT} AND (%s OR {column} <= %s)"
        values += [first, following, at_any_time, request.requested_at]
    if channels is not None:
        condition += " AND channel_id = ANY(%s)"
        values.append(list(channels))
    cursor = await connection.execute(f"DELETE FROM {table} WHERE device_id = %s AND {condition}", values)
    return cursor.rowcount


async def count_all(
    connection: Connection, request: Request, channels: Sequence[int] | None
) -> dict[str, int]:
    """What would go, by tier: rows, and bytes where they are known."""
    days = request.days
    every = channels is None
    some = list(channels or [])
    device = request.device_id
    cursor = await connection.execute(
        f"""
        SELECT
          (SELECT count(*) FROM frames WHERE device_id = %s AND ts >= {_MIDNIGHT} AND ts < {_MIDNIGHT}),
          c.pieces, c.samples, c.size, a.files, a.samples, a.size,
          (SELECT count(DISTINCT (tier, start)) FROM rollups
           WHERE device_id = %s AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT} AND (%s OR channel_ids && %s::int[])),
          (SELECT count(*) FROM process_snapshots WHERE %s AND device_id = %s AND ts >= {_MIDNIGHT}
           AND ts < {_MIDNIGHT}),
          (SELECT count(*) FROM user_sessions WHERE %s AND device_id = %s AND login_time >= {_MIDNIGHT}
           AND login_time < {_MIDNIGHT}),
          (SELECT count(*) FROM states WHERE device_id = %s AND ts >= {_MIDNIGHT} AND ts < {_MIDNIGHT}
           AND (%s OR channel_id = ANY(%s)))
        FROM (SELECT count(*) AS pieces, coalesce(sum(samples), 0)::bigint AS samples,
                     coalesce(sum(octet_length(blob) + 100), 0)::bigint AS size
              FROM chunks WHERE device_id = %s AND channel_id > 0 AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT}
              AND (%s OR channel_id = ANY(%s))) c,
             (SELECT count(*) AS files, coalesce(sum(p.rows), 0)::bigint AS samples,
                     coalesce(sum(f.size_bytes * p.rows / greatest(f.rows, 1)), 0)::bigint AS size
              FROM archive_parts p JOIN archive_files f ON f.id = p.file_id AND f.state = 'live'
              WHERE p.device_id = %s AND p.day >= {DAY_DATE} AND p.day < {DAY_DATE}
              AND (%s OR f.channel_ids && %s::int[])) a
        """,
        (
            *(device, *days),
            *(device, *days, every, some),
            *(every, device, *days),
            *(every, device, *days),
            *(device, *days, every, some),
            *(device, *days, every, some),
            *(device, *days, every, some),
        ),
    )
    row = await cursor.fetchone() or (0,) * 11
    names = (
        "frames",
        "chunks",
        "chunk_samples",
        "chunk_bytes",
        "archive_files",
        "archive_samples",
        "archive_bytes",
        "rollups",
        "process_lists",
        "login_sessions",
        "states",
    )
    return dict(zip(names, (int(number) for number in row), strict=True))


async def orphans(connection: Connection, limit: int) -> list[UUID]:
    """Devices that are gone and have left telemetry, with no request for them yet."""
    cursor = await connection.execute(
        """
        WITH RECURSIVE with_states AS (
            (SELECT device_id FROM states ORDER BY device_id LIMIT 1)
            UNION ALL
            SELECT (SELECT s.device_id FROM states s WHERE s.device_id > w.device_id ORDER BY s.device_id LIMIT 1)
            FROM with_states w WHERE w.device_id IS NOT NULL
        )
        SELECT device_id FROM (
            SELECT device_id FROM latest UNION SELECT device_id FROM device_layouts
            UNION SELECT device_id FROM with_states WHERE device_id IS NOT NULL
        ) t
        WHERE NOT EXISTS (SELECT FROM devices d WHERE d.id = t.device_id)
        AND NOT EXISTS (SELECT FROM telemetry_deletions r WHERE r.device_id = t.device_id
                        AND r.state IN ('waiting', 'running')) LIMIT %s
        """,
        (limit,),
    )
    return [row[0] for row in await cursor.fetchall()]
