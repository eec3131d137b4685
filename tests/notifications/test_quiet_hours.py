"""When a mail may go out: quiet hours across midnight and changes of the clock, and digests."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.notifications.preferences.quiet_hours import earliest, next_digest

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
CLOCKS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin"))


def clock(text: str) -> time:
    return time.fromisoformat(text)


class TestQuietHours:
    @pytest.mark.parametrize(
        ("now", "quiet_from", "quiet_until", "expected"),
        [
            ("2026-11-27 21:59", "22:00", "07:00", "2026-11-27 21:59"),
            ("2026-11-27 22:00", "22:00", "07:00", "2026-11-28 07:00"),
            ("2026-11-28 06:59", "22:00", "07:00", "2026-11-28 07:00"),
            ("2026-11-28 07:00", "22:00", "07:00", "2026-11-28 07:00"),
            ("2026-11-28 12:30", "12:00", "13:00", "2026-11-28 13:00"),
            ("2026-11-28 12:30", "12:00", "12:00", "2026-11-28 12:30"),
            # Clocks go forward at two, and back at three.
            ("2026-03-28 23:00", "22:00", "07:00", "2026-03-29 07:00"),
            ("2026-10-24 23:00", "22:00", "07:00", "2026-10-25 07:00"),
        ],
    )
    def test_table(self, now, quiet_from, quiet_until, expected):
        assert earliest(berlin(now), "Europe/Berlin", clock(quiet_from), clock(quiet_until)) == berlin(
            expected
        )

    def test_without_hours_nothing_is_quiet(self):
        now = berlin("2026-11-27 23:00")
        assert earliest(now, "UTC", None, clock("07:00")) == earliest(now, "UTC", clock("22:00"), None) == now

    @given(MOMENTS, st.sampled_from(ZONES), CLOCKS, CLOCKS)
    def test_never_earlier_never_over_a_day_and_never_quiet(self, now, zone, quiet_from, quiet_until):
        found = earliest(now, zone, quiet_from, quiet_until)
        assert now <= found <= now + timedelta(hours=25)
        # What goes out then is not held back again, but for an hour that comes twice.
        assert earliest(found, zone, quiet_from, quiet_until) - found <= timedelta(hours=1)


class TestDigests:
    @pytest.mark.parametrize(
        ("now", "digest", "expected"),
        [
            ("2026-11-27 10:15", "hourly", "2026-11-27 11:00"),
            ("2026-11-27 11:00", "hourly", "2026-11-27 12:00"),
            ("2026-11-27 07:59", "daily", "2026-11-27 08:00"),
            ("2026-11-27 08:00", "daily", "2026-11-28 08:00"),
        ],
    )
    def test_table(self, now, digest, expected):
        assert next_digest(berlin(now), "Europe/Berlin", digest) == berlin(expected)

    def test_an_unknown_zone_is_utc(self):
        now = datetime(2026, 11, 27, 9, tzinfo=UTC)
        assert next_digest(now, "Mars/Olympus", "daily") == datetime(2026, 11, 28, 8, tzinfo=UTC)
