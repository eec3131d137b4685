"""Blocks put together, against a plain dictionary."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.chunks.blocks import DAY, Block, by_day, combine, joined, tidy
from fleetkeeper.telemetry.chunks.codec import MISSING, is_missing

Cells = dict[tuple[int, int], float]
VALUES = st.one_of(st.just(MISSING), st.floats(-5, 5, width=16))


@st.composite
def blocks(draw) -> Block:
    moments = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=6)))
    channels = draw(st.sets(st.integers(1, 6), min_size=1, max_size=3))
    columns = {
        channel: np.array(draw(st.lists(VALUES, min_size=len(moments), max_size=len(moments))))
        for channel in channels
    }
    return Block(np.array(moments, np.int64) * (DAY // 4), columns)


def cells_of(*many: Block) -> Cells:
    """Every value by channel and moment; of several the first."""
    cells: Cells = {}
    for block in many:
        for channel, column in block.columns.items():
            there = ~is_missing(column)
            for moment, value in zip(block.times[there].tolist(), column[there].tolist(), strict=True):
                cells.setdefault((channel, moment), value)
    return cells


@given(st.lists(blocks(), max_size=5))
def test_combining_keeps_every_sample_once(many):
    united = combine(many)
    assert cells_of(*united) == cells_of(*many)
    channels = [channel for block in united for channel in block.columns]
    assert len(channels) == len(set(channels))
    assert all((np.diff(block.times) > 0).all() for block in united)


@given(st.lists(blocks(), min_size=1, max_size=5))
def test_joining_shares_one_axis(many):
    assert cells_of(joined(many)) == cells_of(*many)


@given(blocks())
def test_tidying_loses_no_sample(block):
    left = tidy(block)
    assert (cells_of(left) if left else {}) == cells_of(block)
    if left:
        assert all(not is_missing(column).all() for column in left.columns.values())


@given(blocks())
def test_days_are_the_whole(block):
    days = list(by_day(block))
    assert cells_of(*days) == cells_of(block)
    assert all(len({moment // DAY for moment in day.times.tolist()}) == 1 for day in days)
