"""Rates and sums over counters."""

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.counter_rates import CounterSum, rate


def test_rates():
    assert rate(10.0, 20.0, 5.0) == 2.0
    assert rate(None, 20.0, 5.0) is None
    assert rate(10.0, None, 5.0) is None
    assert rate(20.0, 10.0, 5.0) is None
    assert rate(10.0, 20.0, 0.0) is None
    assert rate(10.0, 20.0, -1.0) is None


readings = st.dictionaries(st.sampled_from("abc"), st.integers(0, 2**40).map(float))


@given(st.lists(readings, max_size=30))
def test_a_sum_never_falls(series):
    total = CounterSum()
    previous = None
    for reading in series:
        found = total.add(reading)
        if previous is not None:
            assert found is not None
            assert found >= previous
        previous = found


def test_the_first_sum_is_plain():
    assert CounterSum().add({"a": 1.0, "b": 2.0}) == 3.0
    assert CounterSum().add({}) is None


def test_what_appears_later_counts_from_what_it_shows_first():
    total = CounterSum()
    total.add({"a": 10.0})
    assert total.add({"a": 11.0, "b": 1e9}) == 11.0
    assert total.add({"a": 11.0, "b": 1e9 + 5}) == 16.0
