"""When a silent device is stale, and when offline."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.devices.presence import next_interval, offline_after, stale_after


class TestPresence:
    @pytest.mark.parametrize(
        ("interval", "presence", "stale", "offline"),
        [(5, 10, 25, 40), (10, 10, 40, 50), (60, 10, 190, 250), (3600, 1, 10_801, 14_401)],
    )
    def test_silence(self, interval, presence, stale, offline):
        assert stale_after(interval, presence) == timedelta(seconds=stale)
        assert offline_after(interval, presence) == timedelta(seconds=offline)

    @pytest.mark.parametrize("interval", [1, 5, 10, 60, 3600])
    def test_stale_comes_before_offline(self, interval):
        assert stale_after(interval, 10) < offline_after(interval, 10)


class TestRhythm:
    @pytest.mark.parametrize("seconds", [10, 15, 60, 300])
    def test_a_steady_device_is_never_offline_between_two_reports(self, seconds):
        interval = None
        for _ in range(20):
            interval = next_interval(interval, seconds)
            assert offline_after(5, 10, interval) > timedelta(seconds=2 * seconds)
        assert interval == pytest.approx(seconds)

    def test_an_outage_changes_little_and_is_forgotten(self):
        after = next_interval(10.0, 86_400.0)
        assert offline_after(5, 10, after) < timedelta(seconds=90)
        for _ in range(12):
            after = next_interval(after, 10.0)
        assert after == pytest.approx(10.0, abs=0.5)

    def test_a_slower_rhythm_is_learned(self):
        interval = 10.0
        for _ in range(8):
            interval = next_interval(interval, 300.0)
        assert offline_after(5, 10, interval) > timedelta(seconds=300)

    @given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50))
    def test_it_is_bounded_whatever_comes(self, gaps):
        interval = None
        for gap in gaps:
            interval = next_interval(interval, gap)
        assert 1.0 <= interval <= 3600.0
