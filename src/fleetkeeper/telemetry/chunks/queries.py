"""The SQL of chunks. Moments are microseconds since 1970; connections are the driver's own, inside a transaction."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.chunks.codec import (
    MISSING,
    decode_times,
    decode_values,
    encode_series,
    encode_times,
    summaries_of,
)
from fleetkeeper.telemetry.chunks.hot_frames import block_of, unpack_times, unpack_values

# Time axes of one device that may begin at the same moment.
MAX_AXES = 16
# A chunk has at most this many moments: a day at one every five seconds.
MAX_MOMENTS = 17_280
_MOMENT = "timestamptz '1970-01-01 00:00:00+00' + {} * interval '1 microsecond'"
_AT = _MOMENT.format("%s::bigint")


async def lock_device(connection: AsyncConnection[Any], device_id: UUID) -> bool:
    """Whether this transaction alone may rewrite the device's chunks now."""
    cursor = await connection.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended('fleetkeeper.chunks ' || %s, 0))",
        (str(device_id),),
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def lock_devices(connection: AsyncConnection[Any], device_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the devices whose chunks this transaction alone may rewrite now."""
    cursor = await connection.execute(
        "SELECT id FROM unnest(%s::uuid[]) AS id "
        "WHERE pg_try_advisory_xact_lock(hashtextextended('fleetkeeper.chunks ' || id, 0))",
        (list(device_ids),),
    )
    return [row[0] for row in await cursor.fetchall()]


async def due_devices(
    connection: AsyncConnection[Any],
    *,
    settled_us: int,
    aged_us: int,
    frames: int,
    after: UUID | None,
    limit: int,
) -> list[UUID]:
    """Devices, in the order of their ids, that have a frame before `aged`, or `frames` of them before `settled`."""
    cursor = await connection.execute(
        f"""
        SELECT device_id FROM (
            SELECT DISTINCT device_id FROM device_layouts WHERE device_id > coalesce(%s, uuid '{UUID(int=0)}')
        ) d
        WHERE EXISTS (SELECT FROM frames f WHERE f.device_id = d.device_id AND f.ts < {_AT})
           OR EXISTS (SELECT FROM frames f WHERE f.device_id = d.device_id AND f.ts < {_AT} OFFSET %s)
        ORDER BY device_id LIMIT %s
        """,  # noqa: S608 - the pieces are constants
        (after, aged_us, settled_us, frames - 1, limit),
    )
    return [row[0] for row in await cursor.fetchall()]


async def ensure_months(connection: AsyncConnection[Any], device_ids: Sequence[UUID], until_us: int) -> None:
    """Make the partitions that the chunks of devices' frames before a moment go into.

    To be called outside of the sealing: whoever makes a partition holds a lock that makers of frames' partitions want.
    """
    await connection.execute(
        f"""
        SELECT create_chunk_partition(month::date)
        FROM (
            SELECT min(f.low) AS low, max(f.high) AS high FROM unnest(%s::uuid[]) AS d (id) CROSS JOIN LATERAL (
                SELECT min(ts) AS low, max(ts) AS high FROM frames WHERE device_id = d.id AND ts < {_AT}
            ) f
        ) f, generate_series(date_trunc('month', low, 'UTC'), high, interval '1 month') AS month
        """,  # noqa: S608
        (list(device_ids), until_us),
    )


async def widest_layout(connection: AsyncConnection[Any], device_ids: Sequence[UUID]) -> int:
    """How many channels the widest of the devices' layouts has."""
    cursor = await connection.execute(
        "SELECT coalesce(max(cardinality(channel_ids)), 0) FROM layouts WHERE id IN "
        "(SELECT layout_id FROM device_layouts WHERE device_id = ANY(%s))",
        (list(device_ids),),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


class TooManyFramesError(Exception):
    """Raised when devices have more frames than may be read at once."""


async def hot_blocks(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], until_us: int, limit: int
) -> tuple[dict[UUID, list[Block]], int]:
    """The frames of devices before a moment, a block per layout; devices without are left out.

    Returns them with the moment before which they are all that there is: of a device alone, at most about `limit` are
    taken, the oldest. Raises TooManyFramesError when several have more than that.
    """
    if len(device_ids) == 1:
        until_us = await _moment_of(connection, device_ids[0], until_us, limit)
    # In the order of the table's pages: rows of a device lie scattered over the day, and by the index each page would
    # be read as often as it has devices.
    await connection.execute("SET LOCAL enable_indexscan = off")
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            f"""
            SELECT device_id, layout_id, count(*), array_send(array_agg(ts)),
                   array_send(array_replace(array_agg("values"), NULL, %b::float8))
            FROM (SELECT device_id, layout_id, ts, "values" FROM frames
                  WHERE device_id = ANY(%s) AND ts < {_AT} LIMIT %s) f
            GROUP BY device_id, layout_id
            """,  # noqa: S608
            (MISSING, list(device_ids), until_us, None if len(device_ids) == 1 else limit + 1),
        )
        rows = await cursor.fetchall()
    await connection.execute("SET LOCAL enable_indexscan = on")
    if len(device_ids) > 1 and sum(row[2] for row in rows) > limit:
        raise TooManyFramesError
    layouts = await _channels_of(connection, {row[1] for row in rows})
    rows.sort(key=lambda row: row[:2])
    found: dict[UUID, list[Block]] = {}
    for device_id, layout_id, _, times, cells in rows:
        block = block_of(layouts[layout_id], unpack_times(times), unpack_values(cells))
        found.setdefault(device_id, []).append(block)
    return found, until_us


async def _channels_of(connection: AsyncConnection[Any], layout_ids: Collection[int]) -> dict[int, list[int]]:
    cursor = await connection.execute(
        "SELECT id, channel_ids FROM layouts WHERE id = ANY(%s)", (list(layout_ids),)
    )
    return dict(await cursor.fetchall())


async def _moment_of(connection: AsyncConnection[Any], device_id: UUID, until_us: int, place: int) -> int:
    """When a device's frame at some place among the oldest was taken; `until_us` when it has not that many."""
    cursor = await connection.execute(
        f"SELECT (extract(epoch FROM ts) * 1000000)::bigint FROM frames WHERE device_id = %s AND ts < {_AT} "  # noqa: S608
        "ORDER BY ts OFFSET %s LIMIT 1",
        (device_id, until_us, place),
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else until_us


async def delete_frames(connection: AsyncConnection[Any], device_ids: Sequence[UUID], until_us: int) -> int:
    """Delete the frames before a moment that this transaction sees; returns how many."""
    await connection.execute("SET LOCAL enable_indexscan = off")
    cursor = await connection.execute(
        f"DELETE FROM frames WHERE device_id = ANY(%s) AND ts < {_AT}",  # noqa: S608
        (list(device_ids), until_us),
    )
    await connection.execute("SET LOCAL enable_indexscan = on")
    return cursor.rowcount


async def spans(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], day: int
) -> dict[UUID, list[tuple[int, int]]]:
    """First and last moment of each time axis of devices' day."""
    cursor = await connection.execute(
        f"""
        SELECT device_id, (extract(epoch FROM start) * 1000000)::bigint, (extract(epoch FROM ends) * 1000000)::bigint
        FROM chunks WHERE channel_id <= 0 AND device_id = ANY(%s) AND start >= {_AT} AND start < {_AT}
        """,  # noqa: S608
        (list(device_ids), day * DAY, (day + 1) * DAY),
    )
    found: dict[UUID, list[tuple[int, int]]] = {}
    for device_id, start, ends in await cursor.fetchall():
        found.setdefault(device_id, []).append((start, ends))
    return found


async def scattered_days(
    connection: AsyncConnection[Any], until_us: int, after: tuple[int, UUID], limit: int
) -> list[tuple[int, UUID]]:
    """Days before a moment, each with a device, whose chunks could be fewer; those past `after`, in order."""
    cursor = await connection.execute(
        f"""
        SELECT * FROM (
            SELECT (extract(epoch FROM date_trunc('day', start, 'UTC')) / 86400)::int AS day, device_id FROM chunks
            WHERE channel_id <= 0 AND start < {_AT} AND start >= (date '1970-01-01' + greatest(%s, 0)::int)
            GROUP BY day, device_id, channel_id
            HAVING count(*) > ceil(sum(samples) / %s::float8)
        ) d WHERE (day, device_id) > (%s, %s) ORDER BY day, device_id LIMIT %s
        """,  # noqa: S608
        (until_us, after[0], MAX_MOMENTS, *after, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def read_blocks(
    connection: AsyncConnection[Any],
    device_id: UUID,
    start_us: int,
    end_us: int,
    channels: Sequence[int] | None = None,
) -> list[Block]:
    """The sealed samples of a device in chunks that touch [start, end): of these channels, or of all."""
    found = await read_blocks_of(connection, [device_id], start_us, end_us, channels)
    return found.get(device_id, [])


async def read_blocks_of(
    connection: AsyncConnection[Any],
    device_ids: Sequence[UUID],
    start_us: int,
    end_us: int,
    channels: Sequence[int] | None = None,
) -> dict[UUID, list[Block]]:
    """The same for many devices, by device; those that have nothing are left out."""
    wanted = None if channels is None else [*range(-MAX_AXES + 1, 1), *channels]
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            f"""
            SELECT device_id, channel_id, (extract(epoch FROM start) * 1000000)::bigint, axis, first, blob
            FROM chunks
            WHERE device_id = ANY(%(devices)s) AND (%(all)s OR channel_id = ANY(%(channels)s::int[]))
              AND start >= {_MOMENT.format("%(low)s::bigint")} AND start < {_MOMENT.format("%(end)s::bigint")}
              AND ends >= {_MOMENT.format("%(start)s::bigint")}
            ORDER BY device_id, start, channel_id
            """,  # noqa: S608
            {
                "devices": list(device_ids),
                "all": wanted is None,
                "channels": wanted or [],
                "low": start_us // DAY * DAY,
                "start": start_us,
                "end": end_us,
            },
        )
        rows = await cursor.fetchall()
    maker = BlockMaker(start_us, end_us)
    for row in rows:
        maker.add(*row)
    return maker.found


class BlockMaker:
    """Puts the rows of chunks together; they come in the order of device, start, channel.

    `samples` counts the cells in [start, end).
    """

    def __init__(self, start_us: int, end_us: int) -> None:
        self.found: dict[UUID, list[Block]] = {}
        self.samples = 0
        self._range = start_us, end_us
        self._inside = 0
        self._axes: dict[tuple[UUID, int, int], bytes] = {}
        self._blocks: dict[tuple[UUID, int, int], Block] = {}

    def add(
        self, device_id: UUID, channel_id: int, start: int, axis: int, first: float | None, blob: Any
    ) -> None:
        """Add a row: an axis, or a channel of an axis that was added."""
        key = device_id, start, axis
        if channel_id <= 0:
            self._axes[key] = blob
            return
        block = self._blocks.get(key)
        if block is None:
            block = self._blocks[key] = Block(decode_times(self._axes[key]), {})
            self.found.setdefault(device_id, []).append(block)
            low, high = np.searchsorted(block.times, self._range).tolist()
            self._inside = high - low
        self.samples += self._inside
        block.columns[channel_id] = decode_values(blob, len(block.times), first)


async def delete_chunks(connection: AsyncConnection[Any], device_id: UUID, start_us: int, end_us: int) -> int:
    """Delete the chunks of a device that begin in [start, end); returns how many."""
    cursor = await connection.execute(
        f"DELETE FROM chunks WHERE device_id = %s AND start >= {_AT} AND start < {_AT}",  # noqa: S608
        (device_id, start_us, end_us),
    )
    return cursor.rowcount


async def store_blocks(connection: AsyncConnection[Any], blocks_of: Mapping[UUID, Sequence[Block]]) -> int:
    """Store blocks of devices, none of which crosses a midnight, as chunks; returns how many bytes their blobs have."""
    rows: list[tuple[Any, ...]] = []
    for device_id, blocks in blocks_of.items():
        numbers: Counter[int] = Counter()
        for block in blocks:
            start, ends = int(block.times[0]), int(block.times[-1])
            axis = numbers[start]
            numbers[start] += 1
            place = start, ends, axis
            times = encode_times(block.times)
            rows.append((device_id, -axis, *place, len(block.times), *[None] * 5, times))
            series = np.stack(list(block.columns.values()))
            for channel, told, blob in zip(
                block.columns, summaries_of(series), encode_series(series), strict=True
            ):
                numbers_told = told.samples, told.min, told.max, told.sum, told.first, told.last
                rows.append((device_id, channel, *place, *numbers_told, blob))
    columns = list(zip(*rows, strict=True))
    await connection.execute(
        f"""
        INSERT INTO chunks (device_id, channel_id, start, ends, axis, samples, min, max, sum, first, last, blob)
        SELECT device_id, channel_id, {_MOMENT.format("start")}, {_MOMENT.format("ends")}, axis, samples, min, max, sum,
               first, last, blob
        FROM unnest(%b::uuid[], %b::int[], %b::bigint[], %b::bigint[], %b::smallint[], %b::int[], %b::float8[],
                    %b::float8[], %b::float8[], %b::float8[], %b::float8[], %b::bytea[])
             AS t (device_id, channel_id, start, ends, axis, samples, min, max, sum, first, last, blob)
        """,  # noqa: S608
        [list(column) for column in columns],
    )
    return sum(len(row[-1] or b"") for row in rows)
