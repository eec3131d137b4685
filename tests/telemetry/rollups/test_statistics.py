"""Statistics of buckets against plain loops."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.chunks.blocks import combine
from fleetkeeper.telemetry.chunks.codec import MISSING
from fleetkeeper.telemetry.rollups.statistics import merged, statistics_of
from tests.telemetry.chunks.test_blocks import blocks

EDGES = np.arange(0, 13, 3, dtype=np.int64) * (86_400_000_000 // 4)


def plain(united, edges):
    """Count, sum, min, max and last by channel and bucket."""
    found = {}
    for block in united:
        for channel, column in block.columns.items():
            for bucket, (low, high) in enumerate(pairwise(edges.tolist())):
                numbers = [
                    value
                    for at, value in zip(block.times.tolist(), column.tolist(), strict=True)
                    if low <= at < high and not np.isnan(value)
                ]
                if numbers:
                    told = (len(numbers), sum(numbers), min(numbers), max(numbers), numbers[-1])
                    found[channel, bucket] = told
    return found


def told(statistics):
    found = {}
    for row, channel in enumerate(statistics.channel_ids.tolist()):
        for bucket in range(statistics.counts.shape[1]):
            arrays = (statistics.counts, statistics.sums, statistics.mins, statistics.maxs, statistics.lasts)
            values = [array[row, bucket].item() for array in arrays]
            if values[0]:
                found[channel, bucket] = tuple(values)
            else:
                assert np.isnan(values[1:]).all()
    return found


@given(st.lists(blocks(), max_size=4))
def test_as_plain_loops_have_it(many):
    united = combine(many)
    assert told(statistics_of(united, EDGES)) == plain(united, EDGES)


@given(st.lists(blocks(), max_size=4))
def test_wider_buckets_from_narrower_ones(many):
    united = combine(many)
    narrow = statistics_of(united, EDGES)
    wide = merged([narrow], [np.array([0, 0, 1, 1])], 2)
    assert told(wide) == plain(united, EDGES[::2])


def test_missing_is_no_number():
    assert np.isnan(MISSING)
