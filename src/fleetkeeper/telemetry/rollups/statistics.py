"""Count, sum, minimum, maximum and last of each bucket, for all channels of a block at once. Pure."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.resample import Times

NAMES = ("sums", "mins", "maxs", "lasts")


@dataclass(frozen=True)
class Statistics:
    """What stands in the buckets of some channels: each array is (channels, buckets), NaN where `counts` is 0."""

    channel_ids: NDArray[np.int32]
    counts: NDArray[np.int64]
    sums: NDArray[np.float64]
    mins: NDArray[np.float64]
    maxs: NDArray[np.float64]
    lasts: NDArray[np.float64]

    def part(self, low: int, high: int) -> "Statistics":
        """The channels from place `low` to before `high`."""
        arrays = (getattr(self, name)[low:high] for name in ("channel_ids", "counts", *NAMES))
        return Statistics(*arrays)

    @classmethod
    def empty(cls, channel_ids: NDArray[np.int32], buckets: int) -> "Statistics":
        """Buckets in which nothing is."""
        shape = len(channel_ids), buckets
        return cls(channel_ids, np.zeros(shape, np.int64), *(np.full(shape, np.nan) for _ in NAMES))


def statistics_of(blocks: list[Block], edges: Times) -> Statistics:
    """The statistics between neighboring edges (microseconds, ascending). No channel stands in two blocks."""
    channels = sorted({channel for block in blocks for channel in block.columns})
    result = Statistics.empty(np.array(channels, np.int32), len(edges) - 1)
    place = {channel: n for n, channel in enumerate(channels)}
    for block in blocks:
        rows = np.array([place[channel] for channel in block.columns])
        cells = np.array(list(block.columns.values()))
        limits = np.searchsorted(block.times, edges)
        for bucket in np.flatnonzero(np.diff(limits)):
            _fill(result, rows, int(bucket), cells[:, limits[bucket] : limits[bucket + 1]])
    return result


def _fill(result: Statistics, rows: NDArray[np.int64], bucket: int, cells: NDArray[np.float64]) -> None:
    numbers = ~np.isnan(cells)
    counts = numbers.sum(axis=1)
    some = counts > 0
    rows, cells, numbers = rows[some], cells[some], numbers[some]
    if not len(rows):
        return
    result.counts[rows, bucket] = counts[some]
    with np.errstate(over="ignore", invalid="ignore"):
        result.sums[rows, bucket] = np.where(numbers, cells, 0.0).sum(axis=1)
    result.mins[rows, bucket] = np.where(numbers, cells, np.inf).min(axis=1)
    result.maxs[rows, bucket] = np.where(numbers, cells, -np.inf).max(axis=1)
    last = cells.shape[1] - 1 - numbers[:, ::-1].argmax(axis=1)
    result.lasts[rows, bucket] = cells[np.arange(len(rows)), last]


def merged(parts: list[Statistics], bucket_of: list[NDArray[np.int64]], buckets: int) -> Statistics:
    """Statistics of wider buckets: `bucket_of` says for each part into which its buckets go, in the order of time."""
    channels = (
        np.unique(np.concatenate([part.channel_ids for part in parts])) if parts else np.empty(0, np.int32)
    )
    result = Statistics.empty(channels.astype(np.int32), buckets)
    for part, targets in zip(parts, bucket_of, strict=True):
        rows = np.searchsorted(channels, part.channel_ids)
        for source, target in enumerate(targets.tolist()):
            some = part.counts[:, source] > 0
            to = rows[some]
            new = result.counts[to, target] == 0
            result.counts[to, target] += part.counts[some, source]
            with np.errstate(over="ignore", invalid="ignore"):
                result.sums[to, target] = (
                    np.where(new, 0.0, result.sums[to, target]) + part.sums[some, source]
                )
            result.mins[to, target] = np.fmin(result.mins[to, target], part.mins[some, source])
            result.maxs[to, target] = np.fmax(result.maxs[to, target], part.maxs[some, source])
            result.lasts[to, target] = part.lasts[some, source]
    return result
