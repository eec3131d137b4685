"""Counters by hours against their samples."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.chunks.blocks import DAY, Block
from fleetkeeper.telemetry.chunks.codec import missing
from fleetkeeper.telemetry.explore.rates import CountedBuckets, RateCells
from fleetkeeper.telemetry.rollups.counters import (
    chosen_counters,
    counters_of,
    joined_counters,
    pack_counters,
    unpack_counters,
)
from fleetkeeper.telemetry.rollups.packing import joined, pack, sliced
from fleetkeeper.telemetry.rollups.periods import HOUR
from fleetkeeper.telemetry.rollups.statistics import statistics_of

EDGES = np.arange(0, DAY + 1, HOUR, dtype=np.int64)
NUMBERS = st.none() | st.integers(0, 1000)


@st.composite
def blocks(draw):
    """Some counters of a day, with gaps and resets."""
    times = draw(st.lists(st.integers(0, DAY - 1), min_size=1, max_size=60, unique=True))
    channels = draw(st.lists(st.integers(1, 90), min_size=1, max_size=4, unique=True))
    columns = {}
    for channel in sorted(channels):
        values = draw(st.lists(NUMBERS, min_size=len(times), max_size=len(times)))
        column = missing(len(times))
        known = [place for place, value in enumerate(values) if value is not None]
        column[known] = [values[place] for place in known]
        columns[channel] = column
    return Block(np.array(sorted(times), np.int64), columns)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


@given(blocks())
def test_bytes_and_back(block):
    counters = counters_of([block], EDGES, block.columns)
    assert same(unpack_counters(pack_counters(counters)), counters)


@given(blocks())
def test_hours_answer_as_samples_do(block):
    counters = counters_of([block], EDGES, block.columns)
    statistics = statistics_of([block], EDGES)
    edges = np.array([3 * HOUR, 9 * HOUR, 16 * HOUR, 23 * HOUR], np.int64)
    by_samples, by_hours = (RateCells(1, [0] * len(block.columns), edges, 3 * HOUR) for _ in range(2))
    for series, column in enumerate(block.columns.values()):
        by_samples.add_samples(series, block.times, column)
    # Morning and evening one after the other, as if other tiers had been in between.
    for first, after in ((2, 11), (11, 24)):
        some = statistics.counts > 0
        some[:, :first], some[:, after:] = False, False
        series, hours = np.nonzero(some)
        by_hours.add_buckets(
            CountedBuckets(
                series,
                EDGES[hours] + counters.first_times[some],
                EDGES[hours] + counters.last_times[some],
                counters.firsts[some],
                statistics.lasts[some],
                (statistics.lasts - counters.firsts + counters.excesses)[some],
            )
        )
    for name in ("increase", "rate"):
        # What lies before the third hour is old enough not to count, but for its last five minutes.
        np.testing.assert_allclose(by_hours.answer(name), by_samples.answer(name), rtol=1e-9)


def test_nothing_is_kept_of_counters_that_never_began_again():
    times = np.arange(0, DAY, 10_000_000, dtype=np.int64)
    steady, restarted = np.cumsum(np.full(len(times), 0.1)), np.arange(len(times)) % 5000 * 1.0
    counters = counters_of([Block(times, {1: steady, 2: restarted})], EDGES, [1, 2])
    assert not counters.excesses[0].any()
    assert np.flatnonzero(counters.excesses[1]).tolist() == [13]
    assert counters.excesses[1][13] == 4999


@given(blocks())
def test_slices_keep_what_they_counted(block):
    counters = counters_of([block], EDGES, list(block.columns)[:2])
    row = pack(statistics_of([block], EDGES), counters=counters)
    again = joined([part for _, part in sliced(row)])
    assert same(unpack_counters(again.counters), counters)


def test_some_and_together():
    times = np.arange(4, dtype=np.int64) * HOUR
    block = Block(times, {5: np.arange(4.0), 9: np.arange(4.0) * 2, 21: np.zeros(4)})
    counters = counters_of([block], EDGES, [5, 9, 21])
    parts = [chosen_counters(counters, [21, 5]), chosen_counters(counters, [9])]
    assert same(joined_counters(parts), counters)
    assert chosen_counters(counters, [4]) is None
    assert joined_counters([]) is None
    assert counters_of([block], EDGES, [4]) is None
