"""Reads samples of a device into numpy arrays, hot and sealed: a statement each for all channels of a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.codec import MISSING_BITS, is_missing
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values


@dataclass(frozen=True)
class Channel:
    """A channel of one device: what it measures, and its position in each layout that the device has used."""

    channel_id: int
    metric: str
    labels: dict[str, str]
    unit: str
    kind: str
    group: str
    description: str
    places: dict[int, int]

    @classmethod
    def from_row(cls, row: Any) -> "Channel":
        """From a row of `channels_of_device`."""
        places = {int(layout): int(position) for layout, position in row[7].items()}
        return cls(row[0], row[1], row[2], row[3], row[4], row[5], row[6], places)


async def read_samples(
    session: AsyncSession,
    device_id: UUID,
    channels: Sequence[Channel],
    start: datetime,
    end: datetime,
    *,
    max_samples: int,
) -> list[tuple[Times, Values]]:
    """Samples of each channel in [start, end), oldest first, missing ones left out.

    Raises InvalidInputError when there are more than `max_samples`.
    """
    if not channels:
        return []
    connection = await driver_connection(session)
    # Hot before sealed: what is sealed in between is met twice, and never missed.
    hot = await _hot(connection, device_id, channels, start, end, max_samples // len(channels))
    start_us, end_us = _microseconds(start), _microseconds(end)
    ids = [channel.channel_id for channel in channels]
    sealed = await chunks.read_blocks(connection, device_id, start_us, end_us, ids)
    series = []
    total = 0
    for number, channel_id in enumerate(ids):
        parts = [(block.times, block.columns[channel_id]) for block in sealed if channel_id in block.columns]
        times, values = _joined([*parts, *([hot[number]] if hot else [])], start_us, end_us)
        total += len(times)
        if total > max_samples:
            raise _too_many(max_samples)
        series.append((times, values))
    return series


def _joined(parts: Sequence[tuple[Times, Values]], start_us: int, end_us: int) -> tuple[Times, Values]:
    """Samples of several parts in [start, end), in the order of time; of one moment the earlier part's."""
    kept = []
    for all_times, all_values in parts:
        low, high = np.searchsorted(all_times, (start_us, end_us))
        times, values = all_times[low:high], all_values[low:high]
        present = ~is_missing(values)
        kept.append((times, values) if present.all() else (times[present], values[present]))
    if not kept:
        return np.empty(0, np.int64), np.empty(0)
    if len(kept) == 1:
        return kept[0]
    times = np.concatenate([part[0] for part in kept])
    values = np.concatenate([part[1] for part in kept])
    if len(times) > 1 and (np.diff(times) <= 0).any():
        # `unique` names the first of equals.
        times, order = np.unique(times, return_index=True)
        values = values[order]
    return times, values


async def _hot(
    connection: AsyncConnection[Any],
    device_id: UUID,
    channels: Sequence[Channel],
    start: datetime,
    end: datetime,
    max_frames: int,
) -> list[tuple[Times, Values]] | None:
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            _statement(channels),
            {"device": device_id, "start": start, "end": end, "limit": max_frames + 1},
        )
        row = await cursor.fetchone()
    if row is None or row[0] is None:
        return None
    times = np.frombuffer(row[0], ">i8").astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000
    if len(times) > max_frames:
        raise _too_many(max_frames * len(channels))
    return [(times, np.frombuffer(column, ">u8").astype(np.uint64).view(np.float64)) for column in row[1:]]


def _too_many(max_samples: int) -> InvalidInputError:
    message = f"more than {max_samples} samples; ask for less time or fewer metrics"
    return InvalidInputError("The range holds too many samples.", fields=[FieldError("from", message)])


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _statement(channels: Sequence[Channel]) -> sql.Composed:
    """One row: all times, then all values of each channel, each as the bytes of its binary form.

    A row per frame would cost the client far more than the server's work; positions are numbers from our own tables.
    """
    layouts = sorted({layout for channel in channels for layout in channel.places})
    missing = sql.Literal(MISSING_BITS.to_bytes(8))
    picked = [
        sql.SQL("{} AS {}").format(_pick(channel), sql.Identifier(f"v{n}"))
        for n, channel in enumerate(channels)
    ]
    packed = [
        sql.SQL("string_agg(coalesce(float8send({}), {}), ''::bytea)").format(
            sql.Identifier(f"v{n}"), missing
        )
        for n in range(len(channels))
    ]
    return sql.SQL(
        """
        SELECT string_agg(timestamptz_send(ts), ''::bytea), {packed} FROM (
          SELECT ts, {picked} FROM frames
          WHERE device_id = %(device)s AND ts >= %(start)s AND ts < %(end)s AND layout_id = ANY({layouts})
          ORDER BY ts LIMIT %(limit)s
        ) f
        """
    ).format(
        packed=sql.SQL(", ").join(packed), picked=sql.SQL(", ").join(picked), layouts=sql.Literal(layouts)
    )


def _pick(channel: Channel) -> sql.Composable:
    cases = [
        sql.SQL("WHEN {} THEN values[{}]").format(sql.Literal(layout), sql.Literal(position))
        for layout, position in sorted(channel.places.items())
    ]
    return sql.SQL("CASE layout_id {} END").format(sql.SQL(" ").join(cases))


async def driver_connection(session: AsyncSession) -> AsyncConnection[Any]:
    """The driver's own connection of a session, in the session's transaction."""
    raw = await (await session.connection()).get_raw_connection()
    connection: AsyncConnection[Any] = raw.driver_connection  # type: ignore[assignment]
    return connection
