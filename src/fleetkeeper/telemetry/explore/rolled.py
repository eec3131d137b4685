"""Reads statistics, percentiles and sketches out of the rows of rollups, of many devices at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import AsyncConnection

from fleetkeeper.kit.turns import aside
from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.chunks.codec import unpack_rows
from fleetkeeper.telemetry.explore import queries
from fleetkeeper.telemetry.explore.cells import Bucket, Cells
from fleetkeeper.telemetry.explore.cover import Part
from fleetkeeper.telemetry.explore.groups import Places
from fleetkeeper.telemetry.explore.percentiles import ExactCells, SketchCells
from fleetkeeper.telemetry.rollups.packing import unpack_sketches
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier
from fleetkeeper.telemetry.rollups.quantiles import COLUMNS
from fleetkeeper.telemetry.rollups.sketches import Sketch, side_by_side

_SKETCHES = "sketches"
_HOURS = 24


class PercentilesUnknownError(Exception):
    """Some rows do not have the percentiles that are asked: those of counters, and of before they were kept."""


@dataclass
class _Alike:
    """Rows that hold the same channels, of which the same are wanted."""

    positions: list[int]
    groups: list[list[int]] = field(default_factory=list)
    days: list[int] = field(default_factory=list)
    packed: list[Sequence[Any]] = field(default_factory=list)


async def add_rollups(
    connection: AsyncConnection[Any],
    filled: Cells | ExactCells,
    part: Part,
    columns: Sequence[str],
    devices: Sequence[UUID],
    places: Places,
) -> None:
    """Add a part's buckets; `columns` are the statistics, counts first. Raises PercentilesUnknownError."""
    shares = filled.shares if isinstance(filled, ExactCells) else ()
    names = (*columns, *(COLUMNS[share] for share in shares))
    rows = await _rows(connection, part, names, devices, places)
    await aside(len(rows), lambda: _add_rows(filled, part, names, shares, rows, places))


def _add_rows(
    filled: Cells | ExactCells,
    part: Part,
    names: Sequence[str],
    shares: Sequence[float],
    rows: Sequence[Sequence[Any]],
    places: Places,
) -> None:
    cells = filled.cells if isinstance(filled, ExactCells) else filled
    columns = names[: len(names) - len(shares)]
    if any(None in row[3 + len(columns) :] for row in rows):
        raise PercentilesUnknownError
    buckets = _HOURS if part.tier is Tier.HOUR else 1
    pieces = [_piece(alike, names, part, buckets) for alike in _alike(rows, places)]
    if not pieces:
        return
    groups, times, *found = (np.concatenate(column) for column in zip(*pieces, strict=True))
    if "lasts" in columns:
        order = np.argsort(times, kind="stable")
        groups, times, *found = groups[order], times[order], *(array[order] for array in found)
    known = dict(zip(shares, found[len(columns) :], strict=True))
    if any(np.isnan(values).any() for values in known.values()):
        raise PercentilesUnknownError
    bucket = Bucket(groups, cells.steps_of(times), **dict(zip(columns, found, strict=False)))
    cells.add(bucket)
    if isinstance(filled, ExactCells):
        filled.add_known(bucket, known)


async def _rows(
    connection: AsyncConnection[Any],
    part: Part,
    columns: Sequence[str],
    devices: Sequence[UUID],
    places: Places,
) -> list[tuple[Any, ...]]:
    wanted = {channel for device_id in devices for channel in places[device_id]}
    return await queries.rollup_rows(
        connection,
        devices,
        part.tier or Tier.HOUR,
        part.start_us // DAY,
        -(-part.end_us // DAY),
        columns,
        wanted,
    )


def _alike(rows: Sequence[Sequence[Any]], places: Places) -> list[_Alike]:
    """Rows of the same channels together, each of them with the groups of those that are wanted."""
    found: dict[tuple[UUID, tuple[int, ...]], tuple[_Alike, list[int]] | None] = {}
    shared: dict[tuple[tuple[int, ...], tuple[int, ...]], _Alike] = {}
    for device_id, day, held, *packed in rows:
        channel_ids = tuple(held)
        key = device_id, channel_ids
        if key not in found:
            own = places[device_id]
            positions = [place for place, channel in enumerate(channel_ids) if channel in own]
            alike = shared.setdefault((channel_ids, tuple(positions)), _Alike(positions))
            found[key] = (alike, [own[channel_ids[place]] for place in positions]) if positions else None
        if (known := found[key]) is not None:
            alike, groups = known
            alike.groups.append(groups)
            alike.days.append(day)
            alike.packed.append(packed)
    return [alike for alike in shared.values() if alike.days]


def _piece(alike: _Alike, names: Sequence[str], part: Part, buckets: int) -> tuple[NDArray[Any], ...]:
    """The groups, the first moments and the columns of the buckets of a part in which something is."""
    times = np.array(alike.days, np.int64)[:, np.newaxis, np.newaxis] * DAY + np.arange(buckets) * HOUR
    columns = [
        unpack_rows(packed, np.int64 if name == "counts" else np.float64, buckets, alike.positions)
        for name, packed in zip(names, zip(*alike.packed, strict=True), strict=True)
    ]
    groups = np.array(alike.groups, np.int64)[:, :, np.newaxis]
    arrays = [np.broadcast_to(array, columns[0].shape) for array in (groups, times, *columns)]
    some = columns[0] > 0
    if times[:, 0, 0].min() < part.start_us or times[:, 0, -1].max() >= part.end_us:
        some &= (times >= part.start_us) & (times < part.end_us)
    return tuple(array.reshape(-1) if some.all() else array[some] for array in arrays)


async def add_sketches(
    connection: AsyncConnection[Any],
    cells: SketchCells,
    part: Part,
    devices: Sequence[UUID],
    places: Places,
) -> None:
    """Add the sketches of a part's days, weeks or months."""
    rows = await _rows(connection, part, (_SKETCHES,), devices, places)
    await aside(len(rows), lambda: _add_sketch_rows(cells, rows, places))


def _add_sketch_rows(cells: SketchCells, rows: Sequence[Sequence[Any]], places: Places) -> None:
    groups: list[int] = []
    days: list[int] = []
    found: list[Sketch] = []
    for device_id, day, channel_ids, packed in rows:
        own = places[device_id]
        wanted = [place for place, channel in enumerate(channel_ids) if channel in own]
        groups += [own[channel_ids[place]] for place in wanted]
        days += [day] * len(wanted)
        found += unpack_sketches(packed or b"", wanted)
    if found:
        steps = cells.steps_of(np.array(days, np.int64) * DAY)
        cells.add_sketches(np.array(groups, np.int64), steps, side_by_side(found))
