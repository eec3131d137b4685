"""A few percentiles of each bucket as its samples have them, so that those of an hour need no samples. Pure.

They are arrays of (SHARES, channels, buckets), NaN where none is known.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from fleetkeeper.telemetry.chunks.blocks import Block
from fleetkeeper.telemetry.resample import Times, Values

# The columns of rollups by the share of samples below the percentile that they hold.
COLUMNS = {0.5: "medians", 0.95: "p95s"}
SHARES = tuple(COLUMNS)


def quantiles_of(
    blocks: Sequence[Block], edges: Times, channel_ids: NDArray[np.int32], wanted: Collection[int]
) -> Values:
    """The percentiles between neighboring edges of these channels, in order, NaN for those that are not wanted.

    No channel stands in two blocks.
    """
    found = np.full((len(SHARES), len(channel_ids), len(edges) - 1), np.nan)
    for block in blocks:
        own = sorted(block.columns.keys() & set(wanted))
        if not own:
            continue
        rows = np.searchsorted(channel_ids, own)
        cells = np.array([block.columns[channel] for channel in own])
        limits = np.searchsorted(block.times, edges)
        for bucket in np.flatnonzero(np.diff(limits)).tolist():
            found[:, rows, bucket] = _of_rows(cells[:, limits[bucket] : limits[bucket + 1]])
    return found


def _of_rows(cells: Values) -> Values:
    """The SHARES of each row's numbers as SQL's PERCENTILE_CONT has them: (SHARES, rows), NaN where none is."""
    # Whatever is no number comes last.
    ordered = np.sort(cells, axis=1)
    counts = cells.shape[1] - np.isnan(ordered).sum(axis=1)
    ranks = np.array(SHARES)[:, np.newaxis] * np.maximum(counts - 1, 0)
    floors = np.floor(ranks).astype(np.int64)
    rows = np.arange(len(cells))
    low, high = ordered[rows, floors], ordered[rows, np.ceil(ranks).astype(np.int64)]
    with np.errstate(invalid="ignore", over="ignore"):
        between = low + (ranks - floors) * (high - low)
    # Between equals nothing is added, infinities included.
    return np.asarray(np.where(low == high, low, between))


def joined_quantiles(parts: Sequence[tuple[Values | None, int]]) -> Values | None:
    """Percentiles side by side, each part with its number of channels; None when no part has any."""
    some = [part for part, _ in parts if part is not None]
    if not some:
        return None
    shape = len(SHARES), some[0].shape[2]
    return np.concatenate(
        [np.full((shape[0], number, shape[1]), np.nan) if part is None else part for part, number in parts],
        axis=1,
    )
