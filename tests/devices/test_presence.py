"""When a silent device is stale, and when offline."""

from datetime import timedelta

import pytest

from fleetkeeper.devices.presence import offline_after, stale_after


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
