"""Which tier of storage answers which part of a query: the coarsest that does so exactly.

A step of whole hours takes rollups for all hours that are sealed and summed up, and samples for the rest: the edges,
what is still hot, and days whose rollups wait to be made anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.telemetry.buckets import Buckets
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.reading import Channel, driver_connection, read_samples
from fleetkeeper.telemetry.resample import Times
from fleetkeeper.telemetry.rollups import queries
from fleetkeeper.telemetry.rollups.packing import Packed, unpack
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier

# With fewer samples an hour, the grid repeats values over empty steps, which is decided by the samples' distance.
_FEWEST_PER_HOUR = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Piece:
    """A part of a range and the tier that answers it; times in microseconds since 1970."""

    source: str
    start_us: int
    end_us: int


def plan_pieces(start_us: int, end_us: int, hot_us: int | None, changed: Sequence[int]) -> list[Piece]:
    """The pieces of [start, end) for steps of whole hours.

    `hot_us` is the oldest moment that is not sealed, `changed` are days whose rollups are not up to date.
    """
    first = min(-(-start_us // HOUR) * HOUR, end_us)
    last = max(min(end_us, end_us if hot_us is None else hot_us) // HOUR * HOUR, first)
    edges = [("samples", start_us, first)]
    place = first
    for day in sorted(changed):
        low, high = max(day * DAY, place), min((day + 1) * DAY, last)
        if low < high:
            edges += [("hours", place, low), ("samples", low, high)]
            place = high
    edges += [("hours", place, last), ("samples", last, end_us)]
    pieces: list[Piece] = []
    for source, low, high in edges:
        if low >= high:
            continue
        if pieces and pieces[-1].source == source:
            pieces.append(Piece(source, pieces.pop().start_us, high))
        else:
            pieces.append(Piece(source, low, high))
    return pieces


async def read_buckets(
    session: AsyncSession,
    device_id: UUID,
    channels: Sequence[Channel],
    start: datetime,
    end: datetime,
    steps: Times,
    step_us: int,
    *,
    max_samples: int,
) -> tuple[list[Buckets], list[Piece]] | None:
    """The steps of each channel, and how they were found; None where rollups cannot answer exactly.

    The step is a multiple of an hour. Raises InvalidInputError as `read_samples` does.
    """
    connection = await driver_connection(session)
    start_us, end_us = (round(moment.timestamp() * 1_000_000) for moment in (start, end))
    hot_us = await queries.oldest_hot(connection, device_id, start, end)
    changed = await queries.changed_days_of(connection, device_id)
    pieces = plan_pieces(start_us, end_us, hot_us, changed)
    if all(piece.source == "samples" for piece in pieces):
        return None
    found = [Buckets.empty(steps, step_us) for _ in channels]
    for piece in pieces:
        if piece.source == "hours":
            first_day, next_day = piece.start_us // DAY, -(-piece.end_us // DAY)
            rows = await queries.rows_between(connection, device_id, Tier.HOUR, first_day, next_day)
            if not _add_hours(found, channels, rows, piece):
                return None
        else:
            series = await read_samples(
                session,
                device_id,
                channels,
                _EPOCH + timedelta(microseconds=piece.start_us),
                _EPOCH + timedelta(microseconds=piece.end_us),
                max_samples=max_samples,
            )
            for buckets, (times, values) in zip(found, series, strict=True):
                buckets.add_samples(times, values)
    return found, pieces


def _add_hours(
    found: Sequence[Buckets], channels: Sequence[Channel], rows: Sequence[tuple[int, Packed]], piece: Piece
) -> bool:
    """Add the hours of a piece; returns whether there were enough samples in them."""
    wanted = {channel.channel_id: buckets for channel, buckets in zip(channels, found, strict=True)}
    for day, row in rows:
        statistics = unpack(row)
        times = day * DAY + np.arange(24, dtype=np.int64) * HOUR
        inside = (times >= piece.start_us) & (times < piece.end_us)
        for place, channel_id in enumerate(row.channel_ids):
            buckets = wanted.get(channel_id)
            if buckets is None:
                continue
            some = inside & (statistics.counts[place] > 0)
            if not some.any():
                continue
            if np.median(statistics.counts[place][some]) < _FEWEST_PER_HOUR:
                return False
            arrays = (statistics.counts, statistics.sums, statistics.mins, statistics.maxs, statistics.lasts)
            counts, sums, mins, maxs, lasts = (array[place][some] for array in arrays)
            buckets.add(times[some], counts, sums, mins, maxs, lasts)
    return True
