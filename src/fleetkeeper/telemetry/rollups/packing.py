"""Statistics and sketches as bytes and back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from fleetkeeper.telemetry.chunks import codec
from fleetkeeper.telemetry.rollups.sketches import Sketch, Sketches
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


def pack(statistics: Statistics, sketches: Sequence[Sketch] | Sketches | None = None) -> Packed:
    """A row's columns; `sketches` are one per channel."""
    return Packed(
        statistics.channel_ids.tolist(),
        codec.pack(statistics.counts.ravel()),
        codec.pack(statistics.sums.ravel()),
        codec.pack(statistics.mins.ravel()),
        codec.pack(statistics.maxs.ravel()),
        codec.pack(statistics.lasts.ravel()),
        None if sketches is None else pack_sketches(sketches),
    )


def unpack(row: Packed) -> Statistics:
    """The statistics of a row."""
    channel_ids = np.array(row.channel_ids, np.int32)
    shape = len(channel_ids), -1
    arrays = (codec.unpack(getattr(row, name)).reshape(shape) for name in ("counts", *NAMES))
    return Statistics(channel_ids, *arrays)


def pack_sketches(sketches: Sequence[Sketch] | Sketches) -> bytes:
    """Sketches one after another: how many bins each has, all bins, all counts."""
    if not isinstance(sketches, Sketches):
        sizes = np.array([len(sketch.bins) for sketch in sketches], np.int32)
        bins = np.concatenate([sketch.bins for sketch in sketches])
        sketches = Sketches(sizes, bins, np.concatenate([sketch.counts for sketch in sketches]))
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
    return Sketches(*(codec.unpack(packed[low:high]) for low, high in pairwise(edges)))
