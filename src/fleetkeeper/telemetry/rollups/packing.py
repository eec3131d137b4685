"""Statistics and sketches as bytes and back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetkeeper.telemetry.chunks import codec
from fleetkeeper.telemetry.rollups.sketches import Sketch
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


def pack(statistics: Statistics, sketches: Sequence[Sketch] | None = None) -> Packed:
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


def pack_sketches(sketches: Sequence[Sketch]) -> bytes:
    """Sketches one after another: how many bins each has, all bins, all counts."""
    sizes = np.array([len(sketch.bins) for sketch in sketches], np.int32)
    parts = [
        codec.pack(sizes),
        codec.pack(np.concatenate([sketch.bins for sketch in sketches])),
        codec.pack(np.concatenate([sketch.counts for sketch in sketches])),
    ]
    head = np.array([len(part) for part in parts[:2]], ">i4").tobytes()
    return head + b"".join(parts)


def unpack_sketches(packed: bytes) -> list[Sketch]:
    """The sketches again, one per channel."""
    first, second = np.frombuffer(packed, ">i4", 2).tolist()
    sizes = codec.unpack(packed[8 : 8 + first])
    bins = codec.unpack(packed[8 + first : 8 + first + second])
    counts = codec.unpack(packed[8 + first + second :])
    edges = np.cumsum(sizes)[:-1]
    pairs = zip(np.split(bins, edges), np.split(counts, edges), strict=True)
    return [Sketch(own_bins, own_counts) for own_bins, own_counts in pairs]
