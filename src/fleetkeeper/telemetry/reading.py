"""Reads samples of a device from the hot store into numpy arrays: one statement for all channels of a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values

# A NaN whose payload says "no value here"; a NaN that was measured has another.
_MISSING = 0x7FF8_0000_F1EE_7000


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
    max_frames = max_samples // len(channels)
    connection = await driver_connection(session)
    async with connection.cursor(binary=True) as cursor:
        await cursor.execute(
            _statement(channels),
            {"device": device_id, "start": start, "end": end, "limit": max_frames + 1},
        )
        row = await cursor.fetchone()
    if row is None or row[0] is None:
        empty = np.empty(0, np.int64), np.empty(0)
        return [empty for _ in channels]
    times = np.frombuffer(row[0], ">i8").astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000
    if len(times) > max_frames:
        raise InvalidInputError(
            "The range holds too many samples.",
            fields=[
                FieldError("from", f"more than {max_samples} samples; ask for less time or fewer metrics")
            ],
        )
    series = []
    for column in row[1:]:
        bits = np.frombuffer(column, ">u8").astype(np.uint64)
        present = bits != _MISSING
        values = bits.view(np.float64)
        series.append((times, values) if present.all() else (times[present], values[present]))
    return series


def _statement(channels: Sequence[Channel]) -> sql.Composed:
    """One row: all times, then all values of each channel, each as the bytes of its binary form.

    A row per frame would cost the client far more than the server's work; positions are numbers from our own tables.
    """
    layouts = sorted({layout for channel in channels for layout in channel.places})
    missing = sql.Literal(_MISSING.to_bytes(8))
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
