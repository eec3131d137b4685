# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The SQL by which policies are read and applied; connections are the driver's own. Days are numbers since 1970."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from fleetkeeper.telemetry.archive.policies import DeviceKind, Policy
from fleetkeeper.telemetry.archive.queries import DAY_DATE, Connection
from fleetkeeper.telemetry.rollups.periods import Tier

_MIDNIGHT = f"({DAY_DATE}::timestamp AT TIME ZONE 'UTC')"
_NO_DEPARTMENT = DeviceKind()
# The length of a tier's longest row, in days: it is past when all of it is.
_ROW_DAYS = {Tier.HOUR: 1, Tier.DAY: 1, Tier.WEEK: 7, Tier.MONTH: 31}


async def read_policies(connection: Connection) -> list[Policy]:
    """All policies."""
    cursor = await connection.execute(
        "SELECT id, name, priority, metric_group, device_type, department_id, archive_enabled, retention_days, "
        "archive_after_days, downsample_enabled, downsample_after_days, hour_rollup_days, day_rollup_days, "
        "week_rollup_days, month_rollup_days, downsample_interval FROM archive_policy ORDER BY id"
    )
    return [policy_of_row(row) for row in await cursor.fetchall()]


def policy_of_row(row: Sequence[Any]) -> Policy:
    """A policy from its columns."""
    (
        number,
        name,
        priority,
        group,
        device_type,
        department,
        removes,
        raw,
        archive,
        thins,
        thin,
        *tiers,
        step,
    ) = row
    if thins and step.rstrip("s").endswith("day"):
        # Thinned out to days: hours go with the samples.
        tiers[0] = min(thin, tiers[0] or thin)
    return Policy(
        number,
        name,
        priority,
        group,
        device_type,
        department,
        raw if removes else None,
        archive,
        thin if thins else None,
        dict(zip((Tier.HOUR, Tier.DAY, Tier.WEEK, Tier.MONTH), tiers, strict=True)),
    )


async def department_paths(connection: Connection) -> dict[UUID, tuple[UUID, ...]]:
    """Each department with those above it, nearest first."""
    cursor = await connection.execute("SELECT id, parent_id FROM departments")
    parents: dict[UUID, UUID | None] = dict(await cursor.fetchall())
    paths: dict[UUID, tuple[UUID, ...]] = {}
    for department in parents:
        path: list[UUID] = []
        at: UUID | None = department
        while at is not None and at not in path:
            path.append(at)
            at = parents.get(at)
        paths[department] = tuple(path)
    return paths


async def kinds_of_devices(
    connection: Connection, device_ids: Iterable[UUID], paths: Mapping[UUID, tuple[UUID, ...]]
) -> dict[UUID, DeviceKind]:
    """What policies go by, of devices. One that is not there any more is of no kind."""
    wanted = list(device_ids)
    cursor = await connection.execute(
        "SELECT id, device_type, department_id FROM devices WHERE id = ANY(%s)", (wanted,)
    )
    kinds = dict.fromkeys(wanted, _NO_DEPARTMENT)
    for device_id, device_type, department in await cursor.fetchall():
        kinds[device_id] = DeviceKind(device_type, paths.get(department, ()))
    return kinds


async def groups_of_channels(connection: Connection) -> dict[int, str]:
    """The metric group of each channel."""
    cursor = await connection.execute(
        "SELECT c.id, m.metric_type FROM channels c JOIN metrics m ON m.id = c.metric_id"
    )
    return dict(await cursor.fetchall())


async def devices_with_old_chunks(
    connection: Connection, until_day: int, after: UUID, limit: int
) -> list[UUID]:
    """Devices past `after`, in order, that have chunks of days before one."""
    cursor = await connection.execute(
        f"SELECT DISTINCT device_id FROM chunks WHERE channel_id <= 0 AND start < {_MIDNIGHT} AND device_id > %s "
        "ORDER BY device_id LIMIT %s",
        (until_day, after, limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def old_channels(
    connection: Connection, device_id: UUID, until_day: int
) -> list[tuple[int, int, int, int, int]]:
    """What a device's chunks before a day hold, by channel and day: both, and samples, chunks and bytes."""
    cursor = await connection.execute(
        f"""
        SELECT channel_id, (extract(epoch FROM date_trunc('day', start, 'UTC')) / 86400)::int AS day,
               sum(samples)::bigint, count(*), (sum(coalesce(octet_length(blob), 0)) + count(*) * 100)::bigint
        FROM chunks WHERE device_id = %s AND channel_id > 0 AND start < {_MIDNIGHT} GROUP BY 1, 2
        """,
        (device_id, until_day),
    )
    return list(await cursor.fetchall())


async def delete_raw_before(
    connection: Connection, device_id: UUID, channel_ids: Sequence[int], until_day: int
) -> tuple[int, int, int]:
    """Delete chunks of channels before a day, but for days whose rollups wait; returns chunks, samples and bytes."""
    cursor = await connection.execute(
        f"""
        WITH gone AS (
            DELETE FROM chunks c WHERE device_id = %s AND channel_id = ANY(%s) AND start < {_MIDNIGHT}
            AND NOT EXISTS (SELECT FROM rollup_changes r WHERE r.device_id = c.device_id
                            AND r.day = (c.start AT TIME ZONE 'UTC')::date)
            RETURNING samples, octet_length(blob) AS size
        )
        SELECT count(*), coalesce(sum(samples), 0)::bigint, (coalesce(sum(size), 0) + count(*) * 100)::bigint FROM gone
        """,
        (device_id, list(channel_ids), until_day),
    )
    row = await cursor.fetchone()
    return (row[0], row[1], row[2]) if row else (0, 0, 0)


async def note_raw_removed(connection: Connection, device_id: UUID, group: str, until_day: int) -> None:
    """Remember that rollups before a day are final. It never goes back."""
    await connection.execute(
        f"INSERT INTO raw_removed AS r (device_id, metric_group, until) VALUES (%s, %s, {DAY_DATE}) "
        "ON CONFLICT (device_id, metric_group) DO UPDATE SET until = greatest(r.until, excluded.until)",
        (device_id, group, until_day),
    )


async def old_rollups(
    connection: Connection, tier: Tier, until_day: int, after: tuple[UUID, int], limit: int
) -> list[tuple[UUID, int, list[int], int]]:
    """Periods of a tier that end before a day, past `after`: device, first day, channels and bytes of each."""
    cursor = await connection.execute(
        f"""
        WITH page AS (
            SELECT DISTINCT device_id, start FROM rollups
            WHERE tier = %s AND start < {_MIDNIGHT} AND (device_id, start) > (%s, {_MIDNIGHT})
            ORDER BY device_id, start LIMIT %s
        )
        SELECT p.device_id, (extract(epoch FROM p.start) / 86400)::int AS day, s.channel_ids, s.size
        FROM page p CROSS JOIN LATERAL (
            SELECT array_agg(held.id ORDER BY held.id) AS channel_ids, sum(CASE held.place WHEN 1 THEN
                   octet_length(counts) + octet_length(sums) + octet_length(mins) + octet_length(maxs)
                   + octet_length(lasts) + coalesce(octet_length(sketches), 0)
                   + coalesce(octet_length(counters), 0) + coalesce(octet_length(medians), 0)
                   + coalesce(octet_length(p95s), 0) + 4 * cardinality(r.channel_ids)
                   ELSE 0 END)::bigint AS size
            FROM rollups r CROSS JOIN LATERAL unnest(r.channel_ids) WITH ORDINALITY AS held (id, place)
            WHERE r.device_id = p.device_id AND r.tier = %s AND r.start = p.start
        ) s
        ORDER BY p.device_id, p.start
        """,
        (int(tier), until_day - _ROW_DAYS[tier] + 1, *after, limit, int(tier)),
    )
    return list(await cursor.fetchall())


async def devices_of_file(connection: Connection, file_id: UUID) -> list[tuple[UUID, int, list[str]]]:
    """The devices of a file, with the rows and the metric groups of each."""
    cursor = await connection.execute(
        "SELECT device_id, rows, metric_groups FROM archive_parts WHERE file_id = %s ORDER BY device_id",
        (file_id,),
    )
    return list(await cursor.fetchall())


async def note_months_removed(connection: Connection, everything_before: int) -> None:
    """Remember that rollups of whole months are final, before their chunks go with their partitions."""
    await connection.execute(
        f"""
        INSERT INTO raw_removed AS r (device_id, metric_group, until)
        SELECT d.device_id, g.metric_type, date_trunc('month', {DAY_DATE})::date
        FROM (SELECT DISTINCT device_id FROM chunks WHERE channel_id <= 0
              AND start < date_trunc('month', {DAY_DATE}::timestamp) AT TIME ZONE 'UTC') d
        CROSS JOIN (SELECT DISTINCT metric_type FROM metrics) g
        ON CONFLICT (device_id, metric_group) DO UPDATE SET until = greatest(r.until, excluded.until)
        """,
        (everything_before, everything_before),
    )


async def drop_months(connection: Connection, everything_before: int | None) -> list[tuple[str, int]]:
    """Drop months of chunks that are empty, or past what any policy keeps; returns each with its bytes."""
    cursor = await connection.execute(
        f"SELECT month, bytes FROM drop_chunk_months(CASE WHEN %s THEN NULL ELSE {DAY_DATE} END)",
        (everything_before is None, everything_before or 0),
    )
    return list(await cursor.fetchall())


async def drop_process_days(connection: Connection, before_day: int) -> int:
    """Drop days of process lists before one; returns the bytes that came back."""
    cursor = await connection.execute(f"SELECT drop_process_days({DAY_DATE})", (before_day,))
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def process_bytes(connection: Connection, before_day: int) -> int:
    """The bytes of days of process lists before one."""
    cursor = await connection.execute(
        f"""
        SELECT coalesce(sum(pg_total_relation_size(child.oid)), 0)::bigint FROM pg_inherits
        JOIN pg_class child ON child.oid = inhrelid
        WHERE inhparent = 'process_snapshots'::regclass AND child.relname ~ '_[0-9]{{4}}_[0-9]{{2}}_[0-9]{{2}}$'
          AND to_date(right(child.relname, 10), 'YYYY_MM_DD') < {DAY_DATE}
        """,
        (before_day,),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def note_policies_ran(connection: Connection) -> None:
    """Document 004's `last_archive_run`."""
    await connection.execute("UPDATE archive_policy SET last_archive_run = now()")
