"""Refreshing rollups: exactly the periods whose chunks changed."""

from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, IsolationLevel

from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.blocks import DAY, combine
from fleetkeeper.telemetry.rollups import queries
from fleetkeeper.telemetry.rollups.packing import Packed, pack, unpack, unpack_sketches
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of
from fleetkeeper.telemetry.rollups.sketches import Sketch, merge, sketch_of
from fleetkeeper.telemetry.rollups.statistics import Statistics, merged, statistics_of


async def refresh_day(connection: AsyncConnection[Any], device_id: UUID, day: int) -> bool | None:
    """Make the rollups of a device's changed day anew, and of the week and the month around it.

    Returns whether it had changed; None when somebody else is at this device. The connection must be idle.
    """
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with connection.transaction():
        if not await chunks.lock_device(connection, device_id):
            return None
        if not await queries.take_change(connection, device_id, day):
            return False
        blocks = combine(await chunks.read_blocks(connection, device_id, day * DAY, (day + 1) * DAY))
        hours = statistics_of(blocks, np.arange(day * DAY, (day + 1) * DAY + 1, HOUR, dtype=np.int64))
        columns = {channel: column for block in blocks for channel, column in block.columns.items()}
        sketches = [sketch_of(columns[channel]) for channel in hours.channel_ids.tolist()]
        whole = merged([hours], [np.zeros(24, np.int64)], 1)
        some = len(hours.channel_ids) > 0
        await queries.store(connection, device_id, Tier.HOUR, day, pack(hours) if some else None)
        await queries.store(connection, device_id, Tier.DAY, day, pack(whole, sketches) if some else None)
        for tier in (Tier.WEEK, Tier.MONTH):
            await _refresh_upward(connection, device_id, tier, day)
        return True


async def _refresh_upward(connection: AsyncConnection[Any], device_id: UUID, tier: Tier, day: int) -> None:
    first, after = start_of(tier, day), end_of(tier, day)
    rows = [row for _, row in await queries.rows_between(connection, device_id, Tier.DAY, first, after)]
    await queries.store(connection, device_id, tier, first, _united(rows))


def _united(rows: list[Packed]) -> Packed | None:
    if not rows:
        return None
    parts: list[Statistics] = [unpack(row) for row in rows]
    whole = merged(parts, [np.zeros(1, np.int64) for _ in parts], 1)
    by_channel: dict[int, list[Sketch]] = {}
    for row in rows:
        for channel, sketch in zip(row.channel_ids, unpack_sketches(row.sketches or b""), strict=True):
            by_channel.setdefault(channel, []).append(sketch)
    return pack(whole, [merge(by_channel[channel]) for channel in whole.channel_ids.tolist()])
