"""Refreshing rollups: exactly the periods whose chunks changed."""

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, IsolationLevel

from fleetkeeper.settings import Settings
from fleetkeeper.telemetry.archive import queries as archive
from fleetkeeper.telemetry.archive.reading import Unreadable, read_archived
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY, Block, combine
from fleetkeeper.telemetry.rollups import queries
from fleetkeeper.telemetry.rollups.counters import counters_of
from fleetkeeper.telemetry.rollups.keeping import united
from fleetkeeper.telemetry.rollups.packing import Packed, pack, unpack, unpack_all_sketches
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of
from fleetkeeper.telemetry.rollups.quantiles import quantiles_of
from fleetkeeper.telemetry.rollups.sketches import merge_many, sketch_of
from fleetkeeper.telemetry.rollups.statistics import Statistics, merged, statistics_of


async def refresh_days(
    connection: AsyncConnection[Any], device_id: UUID, days: Sequence[int], settings: Settings | None = None
) -> int:
    """Make the rollups of a device's changed days anew, and of the weeks and the months around them.

    What was archived counts too; channels whose raw samples a policy has removed keep the rollups that they have.
    Returns how many days had changed. None are made when somebody else is at this device, and a day of which a part
    cannot be read waits. The connection must be idle.
    """
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with connection.transaction():
        if not await chunks.lock_device(connection, device_id):
            return 0
        done = [day for day in days if await _refresh_day(connection, device_id, day, settings)]
        for tier in (Tier.WEEK, Tier.MONTH):
            for first in sorted({start_of(tier, day) for day in done}):
                await refresh_upward(connection, device_id, tier, first)
        return len(done)


async def _refresh_day(
    connection: AsyncConnection[Any], device_id: UUID, day: int, settings: Settings | None
) -> bool:
    samples = await _samples_of(connection, device_id, day, settings)
    if samples is None or not await queries.take_change(connection, device_id, day):
        return False
    blocks = combine(samples)
    counting = await queries.counters_among(connection, {name for block in blocks for name in block.columns})
    rows = _rows_of(blocks, day, counting)
    final = await queries.final_channels(connection, device_id, day)
    for tier in (Tier.HOUR, Tier.DAY):
        kept = row = rows.get(tier)
        if final:
            old = dict(await queries.rows_between(connection, device_id, tier, day, day + 1)).get(day)
            kept = united((row, set(row.channel_ids) - final if row else ()), (old, final))
        await queries.store(connection, device_id, tier, day, kept)
    return True


def _rows_of(blocks: list[Block], day: int, counting: Collection[int]) -> dict[Tier, Packed]:
    """The rows of a day's hours and of the day, if there are any; some channels count upward."""
    edges = np.arange(day * DAY, (day + 1) * DAY + 1, HOUR, dtype=np.int64)
    hours = statistics_of(blocks, edges)
    if not len(hours.channel_ids):
        return {}
    columns = {channel: column for block in blocks for channel, column in block.columns.items()}
    sketches = [sketch_of(columns[channel]) for channel in hours.channel_ids.tolist()]
    whole = merged([hours], [np.zeros(24, np.int64)], 1)
    of_hours, of_day = (
        quantiles_of(blocks, some, hours.channel_ids, columns.keys() - set(counting))
        for some in (edges, edges[[0, -1]])
    )
    return {
        Tier.HOUR: pack(hours, None, counters_of(blocks, edges, counting), of_hours),
        Tier.DAY: pack(whole, sketches, None, of_day),
    }


async def _samples_of(
    connection: AsyncConnection[Any], device_id: UUID, day: int, settings: Settings | None
) -> list[Block] | None:
    """All samples of a day, sealed and archived; None when some cannot be read now."""
    sealed = await chunks.read_blocks(connection, device_id, day * DAY, (day + 1) * DAY)
    if not await archive.live_parts(connection, [device_id], day, day + 1):
        return sealed
    if settings is None:
        return None
    unreadable: list[Unreadable] = []
    found = await read_archived(
        partial(archive.live_parts, connection),
        settings,
        [device_id],
        None,
        day * DAY,
        (day + 1) * DAY,
        unreadable=unreadable,
    )
    return None if unreadable else [*found.get(device_id, []), *sealed]


async def refresh_upward(connection: AsyncConnection[Any], device_id: UUID, tier: Tier, day: int) -> None:
    """Make the week or the month around a day anew, out of its days."""
    first, after = start_of(tier, day), end_of(tier, day)
    rows = [row for _, row in await queries.slices_between(connection, device_id, Tier.DAY, first, after)]
    await queries.store(connection, device_id, tier, first, _united(rows))


def _united(rows: list[Packed]) -> Packed | None:
    if not rows:
        return None
    parts: list[Statistics] = [unpack(row) for row in rows]
    whole = merged(parts, [np.zeros(1, np.int64) for _ in parts], 1)
    sketches = [
        (np.searchsorted(whole.channel_ids, row.channel_ids), unpack_all_sketches(row.sketches or b""))
        for row in rows
    ]
    return pack(whole, merge_many(sketches, len(whole.channel_ids)))
