"""The SQL that counts a tier and shares its bytes among groups and devices, all inside the database.

Each tier gives pieces: a device, a metric group (NULL for what groups share), samples, and a weight, which is about the
bytes that they take by themselves. The tier's true size is then shared in proportion to the weights. Shares are cut
from running sums, so they are whole bytes and add up to the size exactly.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

HOT: Final = "hot"
SEALED: Final = "sealed"
ROLLUPS: Final = "rollups"
ARCHIVE: Final = "archive"
TIERS: Final = (HOT, SEALED, ROLLUPS, ARCHIVE)

# Weights are in thousandths of a byte. A row of frames costs about 64 bytes besides its values.
_PIECES = {
    HOT: """
        widths AS (SELECT layout_id, count(*) AS width FROM layout_channels GROUP BY layout_id),
        group_widths AS (
            SELECT l.layout_id, m.metric_type, count(*) AS own, w.width
            FROM layout_channels l JOIN widths w USING (layout_id) JOIN channels c ON c.id = l.channel_id
            JOIN metrics m ON m.id = c.metric_id GROUP BY l.layout_id, m.metric_type, w.width
        ),
        -- Frames of a device that lack the same values are counted together: few kinds, however many frames.
        kinds AS MATERIALIZED (
            SELECT device_id, layout_id, count(*) AS frames,
                   array_positions("values", NULL) || array_positions("values", 'NaN') AS holes
            FROM frames GROUP BY device_id, layout_id, holes
        ),
        lacking AS (
            SELECT k.device_id, k.layout_id, m.metric_type, sum(k.frames) AS samples
            FROM kinds k CROSS JOIN LATERAL unnest(k.holes) AS hole (position)
            JOIN layout_channels l ON l.layout_id = k.layout_id AND l.position = hole.position
            JOIN channels c ON c.id = l.channel_id JOIN metrics m ON m.id = c.metric_id
            GROUP BY k.device_id, k.layout_id, m.metric_type
        ),
        counted AS (
            SELECT f.device_id, g.metric_type, f.frames * g.own - coalesce(lacking.samples, 0) AS samples,
                   f.frames * g.own * 64000 / g.width AS weight
            FROM (SELECT device_id, layout_id, sum(frames) AS frames FROM kinds GROUP BY device_id, layout_id) f
            JOIN group_widths g USING (layout_id) LEFT JOIN lacking USING (device_id, layout_id, metric_type)
        ),
        pieces AS MATERIALIZED (
            SELECT device_id, metric_type, samples::bigint AS samples, (weight + samples * 8000)::bigint AS weight
            FROM counted
        )
    """,
    SEALED: """
        series AS (
            SELECT device_id, channel_id, sum(samples) FILTER (WHERE channel_id > 0) AS samples,
                   sum(coalesce(octet_length(blob), 0) + 110) * 1000 AS weight
            FROM chunks GROUP BY device_id, channel_id
        ),
        pieces AS MATERIALIZED (
            SELECT s.device_id, m.metric_type, coalesce(s.samples, 0) AS samples, s.weight
            FROM series s LEFT JOIN channels c ON c.id = s.channel_id LEFT JOIN metrics m ON m.id = c.metric_id
        )
    """,
    ROLLUPS: """
        shapes AS (
            SELECT device_id, channel_ids, sum(CASE tier WHEN 1 THEN 24 ELSE 1 END) AS buckets,
                   sum(octet_length(counts) + octet_length(sums) + octet_length(mins) + octet_length(maxs)
                       + octet_length(lasts) + coalesce(octet_length(sketches), 0)
                       + coalesce(octet_length(counters), 0) + coalesce(octet_length(medians), 0)
                       + coalesce(octet_length(p95s), 0) + 4 * cardinality(channel_ids)
                       + 100) * 1000 AS weight
            FROM rollups GROUP BY device_id, channel_ids
        ),
        pieces AS MATERIALIZED (
            SELECT s.device_id, m.metric_type, sum(s.buckets) AS samples,
                   sum(s.weight / cardinality(s.channel_ids))::bigint AS weight
            FROM shapes s, unnest(s.channel_ids) AS held (id)
            JOIN channels c ON c.id = held.id JOIN metrics m ON m.id = c.metric_id
            GROUP BY s.device_id, m.metric_type
        )
    """,
    ARCHIVE: """
        pieces AS MATERIALIZED (
            SELECT p.device_id, g.metric_type, sum(n.rows) AS samples,
                   sum(n.rows * f.size_bytes::numeric * 1000 / f.rows)::bigint AS weight
            FROM archive_parts p JOIN archive_files f ON f.id = p.file_id AND f.state = 'live'
            CROSS JOIN LATERAL unnest(p.metric_groups, p.group_rows) WITH ORDINALITY AS g (metric_type, rows, place)
            -- Parts from before rows were counted by group: equal shares, the first with what remains.
            CROSS JOIN LATERAL (SELECT coalesce(g.rows, p.rows / cardinality(p.metric_groups)
                + CASE g.place WHEN 1 THEN p.rows % cardinality(p.metric_groups) ELSE 0 END)::bigint AS rows) n
            GROUP BY p.device_id, g.metric_type
        )
    """,
}
_SIZES = {
    HOT: "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree('frames')",
    SEALED: "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_partition_tree('chunks')",
    ROLLUPS: "SELECT pg_total_relation_size('rollups') + pg_total_relation_size('hourly_statistics')",
    ARCHIVE: "SELECT coalesce(sum(size_bytes), 0) FROM archive_files WHERE state = 'live'",
}
_SHARED = """
    size AS (SELECT (CAST(:size AS bigint))::numeric AS bytes),
    by_device AS (
        SELECT device_id, sum(samples) AS samples, sum(weight) AS weight FROM pieces GROUP BY device_id
    ),
    cut_devices AS (
        SELECT device_id, samples, floor(size.bytes * sum(weight) OVER (ORDER BY device_id)
                                         / sum(weight) OVER ()) AS upto
        FROM by_device, size
    ),
    by_group AS (
        SELECT metric_type, sum(samples) AS samples, sum(weight) AS weight FROM pieces
        WHERE metric_type IS NOT NULL GROUP BY metric_type
    ),
    cut_groups AS (
        SELECT metric_type, samples, floor(size.bytes * sum(weight) OVER (ORDER BY metric_type)
                                           / sum(weight) OVER ()) AS upto
        FROM by_group, size
    ),
    told_devices AS (
        INSERT INTO space_devices (device_id, tier, samples, size_bytes)
        SELECT device_id, :tier, samples, upto - lag(upto, 1, 0) OVER (ORDER BY device_id) FROM cut_devices
    ),
    told_groups AS (
        INSERT INTO space_groups (measured_at, tier, metric_type, samples, size_bytes)
        SELECT :at, :tier, metric_type, samples, upto - lag(upto, 1, 0) OVER (ORDER BY metric_type) FROM cut_groups
    )
    INSERT INTO space_totals (measured_at, tier, samples, size_bytes)
    SELECT :at, :tier, coalesce(sum(samples), 0), :size FROM by_device
"""
_CHANNELS = """
    INSERT INTO space_channels (device_id, channels)
    SELECT d.device_id, count(DISTINCT l.channel_id)
    FROM device_layouts d
    JOIN layout_channels l ON l.layout_id = d.layout_id
         AND (d.present IS NULL OR d.present & (1::bigint << l.position - 1) <> 0)
    GROUP BY d.device_id
"""


async def measure_tier(session: AsyncSession, tier: str, at: datetime) -> None:
    """Count one tier and replace what was known of its devices. One measurement at a time."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.space'))"))
    size = await session.scalar(text(_SIZES[tier]))
    await session.execute(text("DELETE FROM space_devices WHERE tier = :tier"), {"tier": tier})
    await session.execute(
        text(f"WITH {_PIECES[tier]}, {_SHARED}"), {"tier": tier, "at": at, "size": int(size or 0)}
    )


async def count_channels(session: AsyncSession) -> None:
    """Count the channels of all devices anew."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtext('fleetkeeper.space'))"))
    await session.execute(text("DELETE FROM space_channels"))
    await session.execute(text(_CHANNELS))


async def forget_old(session: AsyncSession, now: datetime) -> None:
    """Keep totals for a year, groups of each measurement for two days and of one a day for a year; minutes 8 days."""
    for statement in (
        "DELETE FROM space_totals WHERE measured_at < CAST(:now AS timestamptz) - interval '366 days'",
        """
        DELETE FROM space_groups g WHERE measured_at < CAST(:now AS timestamptz) - interval '366 days'
           OR measured_at < CAST(:now AS timestamptz) - interval '2 days' AND EXISTS (
              SELECT FROM space_totals t WHERE t.tier = g.tier AND t.measured_at < g.measured_at
              AND t.measured_at >= date_trunc('day', g.measured_at))
        """,
        "DELETE FROM intake_minutes WHERE minute < CAST(:now AS timestamptz) - interval '8 days'",
    ):
        await session.execute(text(statement), {"now": now})
