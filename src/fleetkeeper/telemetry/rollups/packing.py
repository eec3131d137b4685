"""Statistics and sketches as bytes and back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pcodec import ChunkConfig, standalone

from fleetkeeper.telemetry.rollups.sketches import Sketch
from fleetkeeper.telemetry.rollups.statistics import NAMES, Statistics

_CONFIG = ChunkConfig(compression_level=8)


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
        _bytes_of(statistics.counts),
        *(_bytes_of(getattr(statistics, name)) for name in NAMES),
        None if sketches is None else pack_sketches(sketches),
    )


def unpack(row: Packed) -> Statistics:
    """The statistics of a row."""
    channel_ids = np.array(row.channel_ids, np.int32)
    shape = len(channel_ids), -1
    arrays = (array_of(getattr(row, name)).reshape(shape) for name in ("counts", *NAMES))
    return Statistics(channel_ids, *arrays)


def pack_sketches(sketches: Sequence[Sketch]) -> bytes:
    """Sketches one after another: how many bins each has, all bins, all counts."""
    sizes = np.array([len(sketch.bins) for sketch in sketches], np.int32)
    parts = [
        _bytes_of(sizes),
        _bytes_of(np.concatenate([sketch.bins for sketch in sketches])),
        _bytes_of(np.concatenate([sketch.counts for sketch in sketches])),
    ]
    head = np.array([len(part) for part in parts[:2]], ">i4").tobytes()
    return head + b"".join(parts)


def unpack_sketches(packed: bytes) -> list[Sketch]:
    """The sketches again, one per channel."""
    first, second = np.frombuffer(packed, ">i4", 2).tolist()
    sizes = array_of(packed[8 : 8 + first])
    bins = array_of(packed[8 + first : 8 + first + second])
    counts = array_of(packed[8 + first + second :])
    edges = np.cumsum(sizes)[:-1]
    pairs = zip(np.split(bins, edges), np.split(counts, edges), strict=True)
    return [Sketch(own_bins, own_counts) for own_bins, own_counts in pairs]


def array_of(packed: bytes) -> Any:
    """The flat array of a packed column."""
    return standalone.simple_decompress(bytes(packed))


def _bytes_of(array: Any) -> bytes:
    return standalone.simple_compress(np.ascontiguousarray(array).ravel(), _CONFIG)
