"""Reads samples into numpy arrays, from all tiers, of one device or many: few statements whatever is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection, sql
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.database.engine import settings_of
from fleetkeeper.errors import FieldError, InvalidInputError
from fleetkeeper.telemetry.archive.reading import Unreadable, read_archived
from fleetkeeper.telemetry.chunks import queries as chunks
from fleetkeeper.telemetry.chunks.codec import MISSING_BITS, is_missing
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values

# Values of a frame that one statement picks; PostgreSQL gives a row at most 1,664 columns.
_MOST_COLUMNS = 200


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


@dataclass(frozen=True)
class Wanted:
    """One channel of one device, and where it stands (counted from 1) in the layouts that have it."""

    device_id: UUID
    channel_id: int
    places: Mapping[int, int]


async def read_samples(
    session: AsyncSession,
    device_id: UUID,
    channels: Sequence[Channel],
    start: datetime,
    end: datetime,
    *,
    max_samples: int,
) -> list[tuple[Times, Values]]:
    """Samples of each channel of a device in [start, end), oldest first, missing ones left out.

    Raises InvalidInputError when there are more than `max_samples`.
    """
    wanted = [Wanted(device_id, channel.channel_id, channel.places) for channel in channels]
    return await read_wanted(
        session, wanted, _microseconds(start), _microseconds(end), max_samples=max_samples
    )


async def read_wanted(
    session: AsyncSession, wanted: Sequence[Wanted], start_us: int, end_us: int, *, max_samples: int
) -> list[tuple[Times, Values]]:
    """Samples of channels of many devices in [start, end), in the order of `wanted`; otherwise as `read_samples`.

    What of the archive cannot be read is left out, and is told by `warnings_of`.
    """
    if not wanted:
        return []
    connection = await driver_connection(session)
    # Hot before sealed before archived: what moves in between is met twice, and never missed.
    hot = await _read_hot(connection, wanted, start_us, end_us, max_samples)
    devices = sorted({item.device_id for item in wanted})
    ids = sorted({item.channel_id for item in wanted})
    sealed = await chunks.read_blocks_of(connection, devices, start_us, end_us, ids)
    unreadable: list[Unreadable] = session.info.setdefault("unreadable", [])
    archived = await read_archived(
        connection, settings_of(session), devices, ids, start_us, end_us, unreadable=unreadable
    )
    series, total = [], 0
    for number, item in enumerate(wanted):
        parts = [
            (block.times, block.columns[item.channel_id])
            for block in (*archived.get(item.device_id, ()), *sealed.get(item.device_id, ()))
            if item.channel_id in block.columns
        ]
        times, values = _joined([*parts, *hot.get(number, ())], start_us, end_us)
        total += len(times)
        if total > max_samples:
            raise _too_many(max_samples)
        series.append((times, values))
    return series


def warnings_of(session: AsyncSession) -> list[str]:
    """What could not be read in a session, in sentences for people."""
    found: list[Unreadable] = session.info.get("unreadable", [])
    return list(dict.fromkeys(problem.message for problem in found))


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


async def _read_hot(
    connection: AsyncConnection[Any], wanted: Sequence[Wanted], start_us: int, end_us: int, max_samples: int
) -> dict[int, list[tuple[Times, Values]]]:
    """What is not sealed, by place among `wanted`: a statement for each layout and set of positions in it."""
    positions: dict[tuple[UUID, int], list[tuple[int, int]]] = {}
    for number, item in enumerate(wanted):
        for layout, position in item.places.items():
            positions.setdefault((item.device_id, layout), []).append((position, number))
    alike: dict[tuple[int, tuple[int, ...]], dict[UUID, list[int]]] = {}
    for (device_id, layout), pairs in positions.items():
        pairs.sort()
        for low in range(0, len(pairs), _MOST_COLUMNS):
            some = pairs[low : low + _MOST_COLUMNS]
            places = tuple(position for position, _ in some)
            alike.setdefault((layout, places), {})[device_id] = [number for _, number in some]
    found: dict[int, list[tuple[Times, Values]]] = {}
    left = max_samples
    async with connection.cursor(binary=True) as cursor:
        for (layout, places), devices in alike.items():
            limit = left // len(places) + 1
            await cursor.execute(
                _statement(layout, places),
                {"devices": sorted(devices), "start": start_us, "end": end_us, "limit": limit},
            )
            for device_id, packed, *columns in await cursor.fetchall():
                times = np.frombuffer(packed, ">i8").astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000
                left -= len(times) * len(places)
                if left < 0:
                    raise _too_many(max_samples)
                for number, column in zip(devices[device_id], columns, strict=True):
                    values = np.frombuffer(column, ">u8").astype(np.uint64).view(np.float64)
                    found.setdefault(number, []).append((times, values))
    return found


def _too_many(max_samples: int) -> InvalidInputError:
    message = f"more than {max_samples} samples; ask for less time or fewer metrics"
    return InvalidInputError("The range holds too many samples.", fields=[FieldError("from", message)])


def _microseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000)


def _statement(layout: int, positions: Sequence[int]) -> sql.Composed:
    """A row per device: all times, then all values of each position, each as the bytes of its binary form.

    A row per frame would cost the client far more than the server's work; the numbers are from our own tables.
    """
    missing = sql.Literal(MISSING_BITS.to_bytes(8))
    packed = [
        sql.SQL("string_agg(coalesce(float8send(\"values\"[{}]), {}), ''::bytea)").format(
            sql.Literal(position), missing
        )
        for position in positions
    ]
    return sql.SQL(
        """
        SELECT device_id, string_agg(timestamptz_send(ts), ''::bytea), {packed} FROM (
          SELECT device_id, ts, "values" FROM frames
          WHERE device_id = ANY(%(devices)s) AND part IN (0, {layout}) AND layout_id = {layout}
            AND ts >= timestamptz '1970-01-01 00:00:00+00' + %(start)s::bigint * interval '1 microsecond'
            AND ts < timestamptz '1970-01-01 00:00:00+00' + %(end)s::bigint * interval '1 microsecond'
          ORDER BY device_id, ts LIMIT %(limit)s
        ) f GROUP BY device_id
        """
    ).format(packed=sql.SQL(", ").join(packed), layout=sql.Literal(layout))


async def driver_connection(session: AsyncSession) -> AsyncConnection[Any]:
    """The driver's own connection of a session, in the session's transaction."""
    raw = await (await session.connection()).get_raw_connection()
    connection: AsyncConnection[Any] = raw.driver_connection  # type: ignore[assignment]
    return connection
