"""Sealing and merging: each step is one transaction, so whoever is killed leaves everything as it was.

A frame is deleted in the transaction that stores its chunk, and only if that transaction saw it (repeatable read):
what arrives meanwhile stays hot. Two processes never rewrite the same device at once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, IsolationLevel

from fleetkeeper.telemetry.chunks import queries
from fleetkeeper.telemetry.chunks.blocks import DAY, Block, by_day, combine, joined, tidy
from fleetkeeper.telemetry.rollups import queries as rollups

# Cells that one sealing holds in memory: 8 bytes each, some four times over.
MAX_CELLS = 4_000_000


@dataclass(frozen=True)
class Sealed:
    """What one step did. `is_finished` says that nothing was left to do before that moment.

    `fullness` is the share of what one step may hold that was used.
    """

    frames: int = 0
    samples: int = 0
    blob_bytes: int = 0
    fullness: float = 0.0
    is_finished: bool = True


async def seal_device(connection: AsyncConnection[Any], device_id: UUID, until_us: int) -> Sealed | None:
    """Seal a device's oldest frames before a moment; None when somebody else is at this device.

    Takes as many frames as memory allows: call again until it is finished. The connection must be idle.
    """
    return await seal_devices(connection, [device_id], until_us)


async def seal_devices(
    connection: AsyncConnection[Any], device_ids: Sequence[UUID], until_us: int
) -> Sealed | None:
    """Seal the frames of devices before a moment, but for those that somebody else is at; None when that is all.

    One device may need further calls, as `seal_device`. Raises TooManyFramesError when several are too much at once.
    """
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    await queries.ensure_months(connection, device_ids, until_us)
    async with connection.transaction():
        mine = await queries.lock_devices(connection, device_ids)
        if not mine:
            return None
        width = max(await queries.widest_layout(connection, mine), 1)
        limit = max(MAX_CELLS // width, 100)
        blocks, end_us = await queries.hot_blocks(connection, mine, until_us, limit)
        if not blocks:
            return Sealed()
        parts = {
            device_id: [part for block in combine(some) for part in by_day(block)]
            for device_id, some in blocks.items()
        }
        stored = await merge_in(connection, parts)
        deleted = await queries.delete_frames(connection, list(blocks), end_us)
        await rollups.note_changes(
            connection,
            sorted({(device_id, _day_of(part)) for device_id, some in parts.items() for part in some}),
        )
        samples = sum(part.samples for some in parts.values() for part in some)
        return Sealed(deleted, samples, stored, deleted * width / MAX_CELLS, end_us == until_us)


async def merge_day(connection: AsyncConnection[Any], device_id: UUID, day: int) -> bool | None:
    """Make few large chunks of a device's day out of many; None when somebody else is at this device."""
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    async with connection.transaction():
        if not await queries.lock_device(connection, device_id):
            return None
        blocks = await queries.read_blocks(connection, device_id, day * DAY, (day + 1) * DAY)
        if not blocks:
            return False
        await queries.delete_chunks(connection, device_id, day * DAY, (day + 1) * DAY)
        await queries.store_blocks(connection, {device_id: _ready(blocks)})
        return True


async def merge_in(connection: AsyncConnection[Any], parts_of: Mapping[UUID, Sequence[Block]]) -> int:
    """Store blocks together with the chunks whose time they touch, so that chunks of a device never overlap."""
    days: dict[int, dict[UUID, list[Block]]] = {}
    for device_id, parts in parts_of.items():
        for part in parts:
            days.setdefault(_day_of(part), {}).setdefault(device_id, []).append(part)
    stored = 0
    for day, blocks_of in sorted(days.items()):
        spans = await queries.spans(connection, list(blocks_of), day)
        ready = {
            device_id: await _with_touched(connection, device_id, blocks, spans.get(device_id, ()))
            for device_id, blocks in blocks_of.items()
        }
        if any(ready.values()):
            stored += await queries.store_blocks(connection, ready)
    return stored


async def _with_touched(
    connection: AsyncConnection[Any],
    device_id: UUID,
    blocks: Sequence[Block],
    spans: Sequence[tuple[int, int]],
) -> list[Block]:
    """Blocks of a device's day as they are stored, with the chunks that they touch, which are deleted."""
    low = min(int(block.times[0]) for block in blocks)
    high = max(int(block.times[-1]) for block in blocks)
    if not any(span[0] <= high and span[1] >= low for span in spans):
        return _ready(blocks)
    low, high = _touched(low, high, spans)
    # What was sealed before came first.
    old = await queries.read_blocks(connection, device_id, low, high + 1)
    await queries.delete_chunks(connection, device_id, low, high + 1)
    return _ready([*old, *blocks])


def _day_of(part: Block) -> int:
    return int(part.times[0]) // DAY


def _touched(low: int, high: int, spans: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """The range widened until no chunk lies partly in it."""
    while True:
        touching = [span for span in spans if span[0] <= high and span[1] >= low]
        wider = min([low, *(span[0] for span in touching)]), max([high, *(span[1] for span in touching)])
        if wider == (low, high):
            return wider
        low, high = wider


def _ready(blocks: Sequence[Block]) -> list[Block]:
    """Blocks as they are stored: united, tidy, none too long, and not too many."""
    united = [block for block in map(tidy, combine(blocks)) if block is not None]
    if len(united) > queries.MAX_AXES:
        # So many rhythms in one device: those beyond the limit share an axis.
        united.sort(key=lambda block: len(block.times), reverse=True)
        most = queries.MAX_AXES - 1
        united = [*united[:most], joined(united[most:])]
    return [piece for block in united for piece in _pieces(block)]


def _pieces(block: Block) -> list[Block]:
    count = -(-len(block.times) // queries.MAX_MOMENTS)
    if count == 1:
        return [block]
    edges = np.linspace(0, len(block.times), count + 1).astype(int)
    pieces = (block.part(low, high) for low, high in pairwise(edges.tolist()))
    return [piece for piece in map(tidy, pieces) if piece is not None]
