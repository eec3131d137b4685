"""Times and keys."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.kit.backoff import Backoff
from fleetkeeper.kit.clock import parse_time, utc_now
from fleetkeeper.kit.ids import uuid7


class TestParseTime:
    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("0", datetime(1970, 1, 1, tzinfo=UTC)),
            ("1795132800.5", datetime(2026, 11, 20, 0, 0, 0, 500_000, tzinfo=UTC)),
            ("2026-11-20T00:00:00Z", datetime(2026, 11, 20, tzinfo=UTC)),
            ("2026-11-20T01:00:00+01:00", datetime(2026, 11, 20, tzinfo=UTC)),
        ],
    )
    def test_reads(self, text, moment):
        assert parse_time(text) == moment
        assert parse_time(text).utcoffset() == timedelta(0)

    @pytest.mark.parametrize(
        "text",
        ["", "now", "nan", "inf", "-1", "1e20", "253402300800",
         "2026-11-20", "2026-11-20T00:00:00", "0001-01-01T00:00:00Z",
         "1969-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"],
    )  # fmt: skip
    def test_refuses(self, text):
        with pytest.raises(ValueError, match=r"."):
            parse_time(text)

    @given(st.datetimes(datetime(1971, 1, 1), datetime(9998, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds
    def test_round_trip(self, moment):
        assert parse_time(moment.isoformat()) == moment

    @given(st.text(max_size=40))
    def test_anything_is_a_time_with_zone_or_refused(self, text):
        with contextlib.suppress(ValueError):
            assert parse_time(text).tzinfo is UTC


class TestKeys:
    def test_keys_are_version_7_and_in_order_of_time(self):
        before = utc_now()
        keys = [uuid7() for _ in range(1000)]
        assert {(key.version, key.variant) for key in keys} == {(7, "specified in RFC 4122")}
        assert len(set(keys)) == 1000
        milliseconds = [key.int >> 80 for key in keys]
        assert milliseconds == sorted(milliseconds)
        assert abs(milliseconds[0] / 1000 - before.timestamp()) < 1


class TestBackoff:
    def test_waits_stay_within_bounds_that_double(self):
        backoff = Backoff(first_seconds=1, most_seconds=8)
        for bound in (1, 2, 4, 8, 8, 8):
            assert 0 <= backoff.next_seconds() <= bound
        backoff.reset()
        assert backoff.next_seconds() <= 1

    def test_many_attempts_do_not_overflow(self):
        backoff = Backoff(first_seconds=0.1, most_seconds=60, _attempts=10_000)
        assert backoff.next_seconds() <= 60
