"""Ticks, back-off and Retry-After."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper_agent.backoff import Backoff, parse_retry_after
from fleetkeeper_agent.schedule import TickSchedule


def test_ticks_do_not_drift():
    schedule = TickSchedule(100.0, 5.0)
    assert schedule.next_tick(99.0) == 100.0
    assert schedule.next_tick(100.0) == 105.0
    assert schedule.next_tick(100.4) == 105.0


def test_a_slow_collection_skips_ticks():
    assert TickSchedule(100.0, 5.0).next_tick(117.0) == 120.0


@given(st.floats(0, 1e7), st.floats(1.0, 3600.0), st.floats(0, 1e6))
def test_the_next_tick_is_ahead_and_near(start, interval, late):
    tick = TickSchedule(start, interval).next_tick(start + late)
    assert start + late < tick <= start + late + interval * 2


def test_backoff_doubles_up_to_a_minute_with_full_jitter():
    ceilings = []
    backoff = Backoff(lambda low, high: ceilings.append((low, high)) or high)
    delays = [backoff.next_delay() for _ in range(9)]
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert all(low == 0 for low, _ in ceilings)
    backoff.reset()
    assert backoff.next_delay() == 1


def test_retry_after_is_the_least_and_jitter_comes_on_top():
    backoff = Backoff(lambda _low, high: high)
    assert backoff.next_delay(30.0) == 31.0
    assert Backoff(lambda low, _high: low).next_delay(30.0) == 30.0
    assert Backoff(lambda low, _high: low).next_delay(1e9) == 3600.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
        ("\u0661", None),
    ],
)
def test_retry_after_headers(header, seconds):
    assert parse_retry_after(header, 1445412480.0) == seconds
