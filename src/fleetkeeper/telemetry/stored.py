"""One statement that reads samples from frames and chunks together, and says whether the archive has more."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from psycopg import AsyncConnection

from fleetkeeper.kit.turns import Turns
from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.chunks.codec import MISSING_BITS
from fleetkeeper.telemetry.chunks.queries import MAX_AXES, BlockMaker
from fleetkeeper.telemetry.frames import POSTGRES_EPOCH_SECONDS
from fleetkeeper.telemetry.resample import Times, Values

# Values of a frame that one part of a statement picks, and how many such parts it has.
_MOST_COLUMNS = 200
_MOST_PARTS = 20
_MOMENT = "timestamptz '1970-01-01 00:00:00+00' + {}::bigint * interval '1 microsecond'"
_DAY = "date '1970-01-01' + {}::int"
_MISSING = f"'\\x{MISSING_BITS:016x}'::bytea"


@dataclass(frozen=True)
class Wanted:
    """One channel of one device, and where it stands (counted from 1) in the layouts that have it."""

    device_id: UUID
    channel_id: int
    places: Mapping[int, int]


@dataclass
class Stored:
    """Blocks of each device: of two samples of one moment the earlier block's counts."""

    blocks: dict[UUID, list[Block]] = field(default_factory=dict)
    has_archive: bool = False


@dataclass(frozen=True)
class _Picked:
    """Positions of a layout that are picked for some devices, each with the channel that stands there."""

    layout: int
    positions: tuple[int, ...]
    devices: dict[UUID, tuple[int, ...]]


class TooManySamplesError(Exception):
    """Raised when there are more samples than may be read."""


async def read_stored(
    connection: AsyncConnection[Any],
    wanted: Sequence[Wanted],
    start_us: int,
    end_us: int,
    *,
    gaps: Sequence[tuple[int, int]],
    max_samples: int,
) -> Stored:
    """The samples in [start, end) that are hot or sealed, and whether more are archived.

    Chunks that lie wholly in one of the `gaps` (first moment, moment after) are left out. What the parts of the
    statement find is of one moment, so nothing is missed or met twice that moves meanwhile.

    Raises TooManySamplesError.
    """
    picked = _picked(wanted)
    found = Stored()
    hot: list[tuple[UUID, Block]] = []
    turns = Turns()
    for low in range(0, max(len(picked), 1), _MOST_PARTS):
        some = picked[low : low + _MOST_PARTS]
        is_last = low + _MOST_PARTS >= len(picked)
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(
                _statement(tuple(len(item.positions) for item in some), gaps=len(gaps), with_chunks=is_last),
                _parameters(some, wanted, start_us, end_us, gaps, max_samples),
            )
            rows = await cursor.fetchall()
        maker = BlockMaker(start_us, end_us)
        for part, device_id, channel_id, start, axis, first, blob, columns in rows:
            await turns.give_way()
            if part == 0:
                maker.add(device_id, channel_id, start, axis, first, blob)
                if maker.samples > max_samples:
                    raise TooManySamplesError
            elif part < 0:
                found.has_archive = True
            else:
                channels = some[part - 1].devices[device_id]
                block = Block(_times(blob), dict(zip(channels, map(_values, columns), strict=True)))
                max_samples -= block.samples
                if max_samples < 0:
                    raise TooManySamplesError
                hot.append((device_id, block))
        found.blocks.update(maker.found)
    for device_id, block in hot:
        found.blocks.setdefault(device_id, []).append(block)
    return found


def _picked(wanted: Sequence[Wanted]) -> list[_Picked]:
    """What to pick of frames: once for all devices that want the same positions of a layout."""
    by_device: dict[UUID, list[Wanted]] = {}
    for device_id, run in groupby(wanted, key=lambda item: item.device_id):
        by_device.setdefault(device_id, []).extend(run)
    alike: dict[tuple[int, tuple[int, ...]], _Picked] = {}
    for device_id, of_device in by_device.items():
        positions: dict[int, list[tuple[int, int]]] = {}
        for item in of_device:
            for layout, position in item.places.items():
                positions.setdefault(layout, []).append((position, item.channel_id))
        for layout, pairs in positions.items():
            pairs.sort()
            for low in range(0, len(pairs), _MOST_COLUMNS):
                places, channels = zip(*pairs[low : low + _MOST_COLUMNS], strict=True)
                alike.setdefault((layout, places), _Picked(layout, places, {})).devices[device_id] = channels
    return list(alike.values())


@lru_cache(maxsize=500)
def _statement(positions: tuple[int, ...], *, gaps: int, with_chunks: bool) -> str:
    """The statement that picks so many positions in each part, which are as numbered as the parameters' names.

    What it says does not depend on what is asked, so that the database plans it once.
    """
    parts = [_frames_part(number, count) for number, count in enumerate(positions, 1)]
    if with_chunks:
        parts += [_chunks_part(gaps), _ARCHIVE_PART]
    return " UNION ALL ".join(parts)


def _frames_part(number: int, positions: int) -> str:
    """A row per device: all times, then all values of each position, each as the bytes of its binary form.

    A row per frame would cost the client far more than the server's work.
    """
    packed = ", ".join(
        f"string_agg(coalesce(float8send(\"values\"[%(position_{number}_{place})s]), {_MISSING}), ''::bytea)"
        for place in range(positions)
    )
    return f"""
        (SELECT {number}::int, device_id, 0, 0::bigint, 0::smallint, 0::float8,
                string_agg(timestamptz_send(ts), ''::bytea), ARRAY[{packed}] FROM (
            SELECT device_id, ts, "values" FROM frames
            WHERE device_id = ANY(%(devices_{number})s) AND part IN (0, %(layout_{number})s)
              AND layout_id = %(layout_{number})s
              AND ts >= {_MOMENT.format("%(start)s")} AND ts < {_MOMENT.format("%(end)s")}
            ORDER BY device_id, ts LIMIT %(limit_{number})s
        ) f GROUP BY device_id)
    """  # noqa: S608 - constants of this file and numbers


def _chunks_part(gaps: int) -> str:
    left_out = "".join(
        f" AND NOT (start >= {_MOMENT.format(f'%(gap_{n}_from)s')} AND ends < {_MOMENT.format(f'%(gap_{n}_to)s')})"
        for n in range(gaps)
    )
    return f"""
        (SELECT 0, device_id, channel_id, (extract(epoch FROM start) * 1000000)::bigint, axis, first, blob,
                NULL::bytea[]
         FROM chunks
         WHERE device_id = ANY(%(devices)s) AND channel_id = ANY(%(channels)s::int[])
           AND start >= {_MOMENT.format("%(low)s")} AND start < {_MOMENT.format("%(end)s")}
           AND ends >= {_MOMENT.format("%(start)s")}{left_out}
         ORDER BY device_id, start, channel_id)
    """  # noqa: S608 - constants of this file and numbers


_ARCHIVE_PART = f"""
    (SELECT -1, NULL::uuid, 0, 0::bigint, 0::smallint, 0::float8, NULL::bytea, NULL::bytea[] WHERE EXISTS (
        SELECT FROM archive_parts WHERE device_id = ANY(%(devices)s)
          AND day >= {_DAY.format("%(first_day)s")} AND day < {_DAY.format("%(next_day)s")}
    ))
"""  # noqa: S608


def _parameters(
    picked: Sequence[_Picked],
    wanted: Sequence[Wanted],
    start_us: int,
    end_us: int,
    gaps: Sequence[tuple[int, int]],
    max_samples: int,
) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "devices": list({item.device_id: None for item in wanted}),
        "channels": [*range(-MAX_AXES + 1, 1), *{item.channel_id: None for item in wanted}],
        "low": start_us // DAY * DAY,
        "start": start_us,
        "end": end_us,
        "first_day": start_us // DAY,
        "next_day": -(-end_us // DAY),
    }
    for number, item in enumerate(picked, 1):
        parameters[f"devices_{number}"] = list(item.devices)
        parameters[f"layout_{number}"] = item.layout
        for place, position in enumerate(item.positions):
            parameters[f"position_{number}_{place}"] = position
        # One frame more than allowed: whoever meets it knows.
        parameters[f"limit_{number}"] = max_samples // len(item.positions) + 1
    for number, (low, high) in enumerate(gaps):
        parameters |= {f"gap_{number}_from": low, f"gap_{number}_to": high}
    return parameters


def _times(packed: bytes) -> Times:
    return np.frombuffer(packed, ">i8").astype(np.int64) + POSTGRES_EPOCH_SECONDS * 1_000_000


def _values(packed: bytes) -> Values:
    return np.frombuffer(packed, ">u8").astype(np.uint64).view(np.float64)
