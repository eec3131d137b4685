"""Statistics and sketches as bytes and back. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fleetkeeper.telemetry.chunks import codec
from fleetkeeper.telemetry.resample import Values
from fleetkeeper.telemetry.rollups.counters import (
    Counters,
    chosen_counters,
    joined_counters,
    pack_counters,
    unpack_counters,
)
from fleetkeeper.telemetry.rollups.quantiles import COLUMNS, joined_quantiles
from fleetkeeper.telemetry.rollups.sketches import Sketch, Sketches, side_by_side
from fleetkeeper.telemetry.rollups.statistics import NAMES, Statistics


@dataclass(frozen=True)
class Packed:
    """The columns of one row."""

    channel_ids: list[int]
    counts: bytes
    sums: bytes
    mins: bytes
    maxs: bytes
    lasts: bytes
    sketches: bytes | None
    counters: bytes | None = None
    medians: bytes | None = None
    p95s: bytes | None = None


def pack(
    statistics: Statistics,
    sketches: Sequence[Sketch] | Sketches | None = None,
    counters: Counters | None = None,
    quantiles: Values | None = None,
) -> Packed:
    """A row's columns; `sketches` and `quantiles` are of each channel, `counters` those of some."""
    return Packed(
        statistics.channel_ids.tolist(),
        codec.pack(statistics.counts.ravel()),
        codec.pack(statistics.sums.ravel()),
        codec.pack(statistics.mins.ravel()),
        codec.pack(statistics.maxs.ravel()),
        codec.pack(statistics.lasts.ravel()),
        None if sketches is None else pack_sketches(sketches),
        None if counters is None else pack_counters(counters),
        *((None,) * len(COLUMNS) if quantiles is None else [codec.pack(item.ravel()) for item in quantiles]),
    )


def unpack(row: Packed) -> Statistics:
    """The statistics of a row."""
    channel_ids = np.array(row.channel_ids, np.int32)
    shape = len(channel_ids), -1
    arrays = (codec.unpack(getattr(row, name)).reshape(shape) for name in ("counts", *NAMES))
    return Statistics(channel_ids, *arrays)


def unpack_quantiles(row: Packed) -> Values | None:
    """The percentiles of a row; None where it has none, as those of weeks and of before there were any."""
    packed = [getattr(row, name) for name in COLUMNS.values()]
    if None in packed:
        return None
    return np.stack([codec.unpack(blob).reshape(len(row.channel_ids), -1) for blob in packed])


# Channels of a slice: numbers from a multiple of it on.
SLICE = 16
# The slice of rows that hold all channels, as they were stored at first.
UNSLICED = -1


def slices_of(channel_ids: Iterable[int]) -> list[int]:
    """The slices that hold some channels, whenever their rows were stored."""
    return [UNSLICED, *sorted({channel // SLICE for channel in channel_ids})]


def sliced(row: Packed) -> list[tuple[int, Packed]]:
    """A row in slices, each with its number. The row's channels are in order."""
    statistics = unpack(row)
    numbers, starts = np.unique(statistics.channel_ids // SLICE, return_index=True)
    if len(numbers) == 1:
        return [(int(numbers[0]), row)]
    every = None if row.sketches is None else unpack_all_sketches(row.sketches)
    counters = None if row.counters is None else unpack_counters(row.counters)
    quantiles = unpack_quantiles(row)
    edges = [*starts.tolist(), len(statistics.channel_ids)]
    slices = []
    for number, (low, high) in zip(numbers.tolist(), pairwise(edges), strict=True):
        part = statistics.part(low, high)
        columns = (
            None if every is None else every.part(low, high),
            None if counters is None else chosen_counters(counters, part.channel_ids.tolist()),
            None if quantiles is None else quantiles[:, low:high],
        )
        slices.append((number, pack(part, *columns)))
    return slices


def joined(rows: Sequence[Packed]) -> Packed:
    """The row again, out of its slices in their order."""
    if len(rows) == 1:
        return rows[0]
    parts = [unpack(row) for row in rows]
    columns = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("channel_ids", "counts", *NAMES)
    )
    sketches = None
    if rows[0].sketches is not None:
        every = [unpack_all_sketches(row.sketches or b"") for row in rows]
        sketches = Sketches(
            np.concatenate([some.sizes for some in every]),
            np.concatenate([some.bins for some in every]),
            np.concatenate([some.counts for some in every]),
        )
    counters = joined_counters([unpack_counters(row.counters) for row in rows if row.counters is not None])
    quantiles = joined_quantiles([(unpack_quantiles(row), len(row.channel_ids)) for row in rows])
    return pack(Statistics(*columns), sketches, counters, quantiles)


def pack_sketches(sketches: Sequence[Sketch] | Sketches) -> bytes:
    """Sketches one after another: how many bins each has, all bins, all counts."""
    if not isinstance(sketches, Sketches):
        sketches = side_by_side(sketches)
    parts = [codec.pack(array) for array in (sketches.sizes, sketches.bins, sketches.counts)]
    head = np.array([len(part) for part in parts[:2]], ">i4").tobytes()
    return head + b"".join(parts)


def unpack_sketches(packed: bytes, places: Sequence[int] | None = None) -> list[Sketch]:
    """The sketches again, one per channel; or those at some places alone, which costs far less."""
    every = unpack_all_sketches(packed)
    ends = np.cumsum(every.sizes)
    wanted = range(len(ends)) if places is None else places
    spans = ((int(ends[place] - every.sizes[place]), int(ends[place])) for place in wanted)
    return [Sketch(every.bins[low:high], every.counts[low:high]) for low, high in spans]


def unpack_all_sketches(packed: bytes) -> Sketches:
    """The sketches again, one after another."""
    first, second = np.frombuffer(packed, ">i4", 2).tolist()
    edges = (8, 8 + first, 8 + first + second, len(packed))
    sizes, bins, counts = (codec.unpack(packed[low:high]) for low, high in pairwise(edges))
    if bins is None:
        # No series has seen a number, and of nothing the codec gives nothing.
        bins, counts = np.empty(0, np.int32), np.empty(0, np.int64)
    return Sketches(sizes, bins, counts)
