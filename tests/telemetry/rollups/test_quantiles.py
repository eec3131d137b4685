"""Percentiles of buckets against those of their samples."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.chunks.blocks import DAY, Block, combine
from fleetkeeper.telemetry.chunks.codec import missing
from fleetkeeper.telemetry.rollups.keeping import united, without
from fleetkeeper.telemetry.rollups.packing import joined, pack, sliced, unpack_quantiles
from fleetkeeper.telemetry.rollups.periods import HOUR
from fleetkeeper.telemetry.rollups.quantiles import SHARES, quantiles_of
from fleetkeeper.telemetry.rollups.statistics import statistics_of
from tests.telemetry.chunks.test_blocks import blocks

EDGES = np.arange(0, DAY + 1, DAY // 4, dtype=np.int64)
FIRST = np.array([0, HOUR], np.int64)


def row_of(block: Block, edges=EDGES):
    statistics = statistics_of([block], edges)
    return pack(
        statistics, None, None, quantiles_of([block], edges, statistics.channel_ids, set(block.columns))
    )


def day_of(*channels: int, factor: float = 1.0) -> Block:
    times = np.arange(0, DAY, HOUR // 4, dtype=np.int64)
    return Block(times, {channel: np.arange(len(times)) * factor + channel for channel in channels})


@given(st.lists(blocks(), max_size=4), st.integers(0, 6))
def test_as_plain_loops_have_it(many, unwanted):
    held = combine(many)
    statistics = statistics_of(held, EDGES)
    channels = statistics.channel_ids.tolist()
    found = quantiles_of(held, EDGES, statistics.channel_ids, set(channels) - {unwanted})
    for block in held:
        for channel, column in block.columns.items():
            for bucket, (low, high) in enumerate(pairwise(EDGES.tolist())):
                inside = column[(block.times >= low) & (block.times < high)]
                numbers = inside[~np.isnan(inside)]
                for share, values in zip(SHARES, found, strict=True):
                    value = values[channels.index(channel), bucket]
                    if len(numbers) and channel != unwanted:
                        assert value == pytest.approx(float(np.quantile(numbers, share)), rel=1e-12)
                    else:
                        assert math.isnan(value)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([1.0], 1.0),
        ([2.0, 1.0], 1.95),
        ([math.nan, 3.0], 3.0),
        ([math.inf, math.inf], math.inf),
        ([float(n) for n in range(21)], 19.0),
        ([math.nan], None),
    ],
)
def test_percentile(values, wanted):
    block = Block(np.arange(len(values), dtype=np.int64), {7: np.array(values)})
    found = quantiles_of([block], FIRST, np.array([7], np.int32), {7})[SHARES.index(0.95), 0, 0]
    assert found == wanted or (wanted is None and math.isnan(found))


def test_slices_and_the_row_again_keep_them():
    row = row_of(day_of(1, 5, 17, 40))
    parts = [part for _, part in sliced(row)]
    assert [part.channel_ids for part in parts] == [[1, 5], [17], [40]]
    assert np.array_equal(unpack_quantiles(joined(parts)), unpack_quantiles(row))


def test_channels_stay_with_their_own():
    older, newer = row_of(day_of(1, 5, 9)), row_of(day_of(1, 5, 9, factor=-2.0))
    mixed = united((newer, {1, 9}), (older, {5}))
    assert mixed.channel_ids == [1, 5, 9]
    for place, row in enumerate((newer, older, newer)):
        assert np.array_equal(unpack_quantiles(mixed)[:, place], unpack_quantiles(row)[:, place])
    assert np.array_equal(unpack_quantiles(without(older, {1, 9})), unpack_quantiles(older)[:, 1:2])


def test_where_a_part_has_none_nothing_is_known_of_it():
    block = day_of(1, 5)
    bare = pack(statistics_of([block], EDGES))
    assert unpack_quantiles(bare) is None
    assert unpack_quantiles(without(bare, {1})) is None
    mixed = unpack_quantiles(united((bare, {1}), (row_of(block), {5})))
    assert np.isnan(mixed[:, 0]).all()
    assert not np.isnan(mixed[:, 1]).any()


def test_missing_samples_do_not_count():
    column = missing(4)
    column[1:3] = [4.0, 8.0]
    block = Block(np.arange(4, dtype=np.int64), {3: column})
    assert quantiles_of([block], FIRST, np.array([3], np.int32), {3})[SHARES.index(0.5), 0, 0] == 6.0
