"""The generic cell rate algorithm, by a clock of one's own."""

from fleetkeeper.kit import rate_limit as module
from fleetkeeper.kit.rate_limit import RateLimit


def spend(limit: RateLimit, key: bytes, now: float) -> int:
    """How many events pass at one moment."""
    return next(n for n in range(1000) if limit.take(key, now))


class TestRateLimit:
    def test_a_minute_s_worth_at_once_and_then_no_more(self):
        limit = RateLimit(60)
        assert spend(limit, b"a", 100.0) == 60
        assert limit.take(b"a", 100.0) == 1.0

    def test_the_wait_is_as_long_as_it_says(self):
        limit = RateLimit(60)
        spend(limit, b"a", 100.0)
        wait = limit.take(b"a", 100.25)
        assert wait == 0.75
        assert limit.take(b"a", 100.25 + wait - 0.01) > 0
        assert limit.take(b"a", 100.25 + wait) == 0

    def test_asking_in_vain_costs_nothing(self):
        limit = RateLimit(60)
        spend(limit, b"a", 100.0)
        for _ in range(100):
            limit.take(b"a", 100.0)
        assert limit.take(b"a", 101.0) == 0

    def test_after_a_quiet_minute_all_is_as_new(self):
        limit = RateLimit(60)
        spend(limit, b"a", 100.0)
        assert spend(limit, b"a", 160.0) == 60

    def test_keys_do_not_share(self):
        limit = RateLimit(60)
        spend(limit, b"a", 100.0)
        assert limit.take(b"b", 100.0) == 0

    def test_several_events_at_once_never_lock_out_for_longer_than_two_minutes(self):
        limit = RateLimit(60)
        for _ in range(1000):
            limit.take(b"a", 100.0, 10_000)
        assert 0 < limit.take(b"a", 100.0) <= 61

    def test_memory_ends_with_the_key_that_was_quiet_longest(self, monkeypatch):
        monkeypatch.setattr(module, "MAX_KEYS", 3)
        limit = RateLimit(1)
        for key in (b"a", b"b", b"c"):
            assert limit.take(key, 100.0) == 0
        assert limit.take(b"d", 100.0) == 0
        assert len(limit._empty_at) == 3
        assert limit.take(b"b", 100.0) > 0
        assert limit.take(b"a", 100.0) == 0
