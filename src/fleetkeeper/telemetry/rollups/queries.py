# ruff: noqa: S608 - the pieces of statements are constants of this file
"""The SQL of rollups; connections are the driver's own, inside a transaction. Days are numbers since 1970."""

from collections.abc import Collection, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from fleetkeeper.telemetry.rollups.hourly import spread
from fleetkeeper.telemetry.rollups.packing import Packed, joined, sliced
from fleetkeeper.telemetry.rollups.periods import Tier

_DAY = "(date '1970-01-01' + %s::int)"
_MIDNIGHT = f"({_DAY}::timestamp AT TIME ZONE 'UTC')"
_COLUMNS = "channel_ids, counts, sums, mins, maxs, lasts, sketches, counters, medians, p95s"


async def note_changes(connection: AsyncConnection[Any], days: Sequence[tuple[UUID, int]]) -> None:
    """Remember that the chunks of these devices' days changed.

    A row that is there is written anew: somebody who sums the day up without seeing the change fails on it then.
    """
    await connection.execute(
        "INSERT INTO rollup_changes (device_id, day) SELECT device_id, date '1970-01-01' + day "
        "FROM unnest(%s::uuid[], %s::int[]) AS t (device_id, day) "
        "ON CONFLICT (device_id, day) DO UPDATE SET day = excluded.day",
        ([device_id for device_id, _ in days], [day for _, day in days]),
    )


async def changed_days(
    connection: AsyncConnection[Any], after: tuple[UUID, int], limit: int
) -> list[tuple[UUID, int]]:
    """Devices with a changed day each, past `after`, in order."""
    cursor = await connection.execute(
        f"SELECT device_id, day - date '1970-01-01' FROM rollup_changes WHERE (device_id, day) > (%s, {_DAY}) "
        "ORDER BY device_id, day LIMIT %s",
        (*after, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def take_change(connection: AsyncConnection[Any], device_id: UUID, day: int) -> bool:
    """Whether the day still waits; it no longer does."""
    cursor = await connection.execute(
        f"DELETE FROM rollup_changes WHERE device_id = %s AND day = {_DAY}", (device_id, day)
    )
    return cursor.rowcount > 0


async def final_channels(connection: AsyncConnection[Any], device_id: UUID, day: int) -> set[int]:
    """Channels with rollups of a day whose raw samples a policy has removed since."""
    cursor = await connection.execute(
        f"""
        SELECT DISTINCT c.id FROM rollups r, unnest(r.channel_ids) AS held (id)
        JOIN channels c ON c.id = held.id JOIN metrics m ON m.id = c.metric_id
        JOIN raw_removed x ON x.metric_group = m.metric_type
        WHERE r.device_id = %s AND r.tier IN (1, 2) AND r.start = {_MIDNIGHT}
          AND x.device_id = r.device_id AND x.until > {_DAY}
        """,
        (device_id, day, day),
    )
    return {row[0] for row in await cursor.fetchall()}


async def counters_among(connection: AsyncConnection[Any], channel_ids: Collection[int]) -> set[int]:
    """Those of some channels that count upward."""
    cursor = await connection.execute(
        "SELECT c.id FROM channels c JOIN metrics m ON m.id = c.metric_id WHERE c.id = ANY(%s) AND m.kind = 'counter'",
        (list(channel_ids),),
    )
    return {row[0] for row in await cursor.fetchall()}


async def store(
    connection: AsyncConnection[Any],
    device_id: UUID,
    tier: Tier,
    day: int,
    row: Packed | None,
) -> None:
    """Replace a row; None takes it away. What SQL sees of hours follows."""
    if tier is Tier.HOUR:
        await spread(connection, device_id, day, row)
    await connection.execute(
        f"DELETE FROM rollups WHERE device_id = %s AND tier = %s AND start = {_MIDNIGHT}",
        (device_id, int(tier), day),
    )
    if row is not None:
        async with connection.cursor() as cursor:
            await cursor.executemany(
                f"INSERT INTO rollups (device_id, tier, start, slice, {_COLUMNS}) "
                f"VALUES (%s, %s, {_MIDNIGHT}, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                [
                    (
                        device_id,
                        int(tier),
                        day,
                        number,
                        part.channel_ids,
                        part.counts,
                        part.sums,
                        part.mins,
                        part.maxs,
                        part.lasts,
                        part.sketches,
                        part.counters,
                        part.medians,
                        part.p95s,
                    )
                    for number, part in sliced(row)
                ],
            )


async def rows_between(
    connection: AsyncConnection[Any], device_id: UUID, tier: Tier, first_day: int, next_day: int
) -> list[tuple[int, Packed]]:
    """The rows of a tier that begin in [first, next), in the order of time, each with its day."""
    slices = await slices_between(connection, device_id, tier, first_day, next_day)
    return [
        (day, joined([row for _, row in of_day])) for day, of_day in groupby(slices, key=lambda item: item[0])
    ]


async def slices_between(
    connection: AsyncConnection[Any], device_id: UUID, tier: Tier, first_day: int, next_day: int
) -> list[tuple[int, Packed]]:
    """The same rows in slices as they are stored."""
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            f"SELECT (extract(epoch FROM start) / 86400)::int, {_COLUMNS} FROM rollups "
            f"WHERE device_id = %s AND tier = %s AND start >= {_MIDNIGHT} AND start < {_MIDNIGHT} "
            "ORDER BY start, slice",
            (device_id, int(tier), first_day, next_day),
        )
        return [(row[0], Packed(*row[1:])) for row in await cursor.fetchall()]
