"""Sketches against the numbers themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.rollups.packing import pack_sketches, unpack_all_sketches, unpack_sketches
from fleetkeeper.telemetry.rollups.sketches import (
    ACCURACY,
    SMALLEST,
    Sketch,
    merge_many,
    quantiles,
    side_by_side,
    sketch_of,
)

NUMBERS = st.one_of(
    st.floats(-1e300, 1e300), st.floats(-100, 100), st.integers(0, 100).map(float), st.just(0.0)
)
SERIES = st.lists(NUMBERS, min_size=1, max_size=200)
QUANTILES = st.floats(0, 1)


def quantile(sketch: Sketch, q: float) -> float:
    return quantiles(side_by_side([sketch]), q).item()


def near(found: float, wanted: float) -> bool:
    return abs(found - wanted) <= ACCURACY * abs(wanted) * (1 + 1e-9) + SMALLEST


@given(SERIES, QUANTILES)
def test_quantile_is_a_number_that_was_there(series, q):
    found = quantile(sketch_of(np.array(series)), q)
    rank = int(q * (len(series) - 1))
    neighbours = sorted(series)[rank : rank + 2]
    assert any(near(found, number) for number in neighbours), (found, neighbours)


@given(st.lists(SERIES, min_size=1, max_size=5))
def test_merging_is_as_good_as_seeing_all(many):
    whole = sketch_of(np.array([number for series in many for number in series]))
    sketches = [sketch_of(np.array(series)) for series in many]
    parts = merge_many([(np.zeros(len(many), np.int64), side_by_side(sketches))], 1)
    assert parts.bins.tolist() == whole.bins.tolist()
    assert parts.counts.tolist() == whole.counts.tolist()


@given(SERIES)
def test_bins_ascend_with_their_numbers(series):
    sketch = sketch_of(np.array(series))
    found = [quantile(sketch, q) for q in np.linspace(0, 1, 20)]
    assert found == sorted(found)
    assert sketch.counts.sum() == len(series)


def test_some_sketches_of_many_are_unpacked():
    random = np.random.default_rng(3)
    sketches = [sketch_of(random.normal(50, 10, count)) for count in (20, 0, 300, 1)]
    packed = pack_sketches(sketches)
    for places in (None, [2], [3, 1], []):
        wanted = sketches if places is None else [sketches[place] for place in places]
        found = unpack_sketches(packed, places)
        assert [one.bins.tolist() for one in found] == [one.bins.tolist() for one in wanted]
        assert [one.counts.tolist() for one in found] == [one.counts.tolist() for one in wanted]


def test_many_series_merge_as_each_by_itself():
    random = np.random.default_rng(5)
    days = [
        ([n for n in range(5) if random.random() > 0.3] or [2], random.normal(0, 10, (5, 50)))
        for _ in range(4)
    ]
    parts = []
    for places, values in days:
        sketches = [sketch_of(values[place][: place * 20]) for place in places]
        parts.append((np.array(places), unpack_all_sketches(pack_sketches(sketches))))
    found = unpack_sketches(pack_sketches(merge_many(parts, 5)))
    for place in range(5):
        own = [sketch_of(values[place][: place * 20]) for places, values in days if place in places]
        wanted: dict[int, int] = {}
        for one in own:
            for item, count in zip(one.bins.tolist(), one.counts.tolist(), strict=True):
                wanted[item] = wanted.get(item, 0) + count
        assert dict(zip(found[place].bins.tolist(), found[place].counts.tolist(), strict=True)) == wanted
        assert (np.diff(found[place].bins) > 0).all()


def test_nothing_has_no_quantile():
    assert np.isnan(quantile(sketch_of(np.array([np.nan])), 0.5))


@given(st.lists(SERIES | st.just([]), min_size=1, max_size=6), QUANTILES)
def test_many_at_once_as_one_by_one(many, q):
    sketches = [sketch_of(np.array(series, np.float64)) for series in many]
    found = quantiles(side_by_side(sketches), q)
    np.testing.assert_array_equal(found, [quantile(sketch, q) for sketch in sketches])


def test_infinities_stand_at_the_ends():
    sketch = sketch_of(np.array([-np.inf, 1.0, np.inf]))
    assert near(quantile(sketch, 0.5), 1.0)
    assert quantile(sketch, 0) < -1e307
    assert quantile(sketch, 1) > 1e307


@pytest.mark.parametrize("q", [-0.1, 1.1, float("nan")])
def test_quantile_out_of_range(q):
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(sketch_of(np.array([1.0])), q)
