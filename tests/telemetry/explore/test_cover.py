"""The parts of a range: together they are the range, and each tier answers only what it knows."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.telemetry.chunks.blocks import DAY
from fleetkeeper.telemetry.explore.cover import Part, cover
from fleetkeeper.telemetry.explore.steps import automatic_step, parse_step, steps_of
from fleetkeeper.telemetry.rollups.periods import HOUR, Tier, end_of, start_of

ALL = (Tier.MONTH, Tier.DAY, Tier.HOUR)
SECOND = 1_000_000
FIRST = 20_000


class TestCover:
    @given(
        start=st.integers(0, 100 * DAY),
        length=st.integers(1, 100 * DAY),
        tiers=st.sampled_from(
            [(), (Tier.HOUR,), (Tier.DAY, Tier.HOUR), ALL, (Tier.WEEK, Tier.DAY, Tier.HOUR)]
        ),
        sealed=st.integers(0, 200 * DAY),
        changed=st.sets(st.integers(FIRST, FIRST + 200), max_size=5),
    )
    def test_parts_are_the_range_and_nothing_twice(self, start, length, tiers, sealed, changed):
        begin = FIRST * DAY + start
        parts = cover(begin, begin + length, tiers, FIRST * DAY + sealed, changed)
        assert parts[0].start_us == begin
        assert parts[-1].end_us == begin + length
        for before, after in pairwise(parts):
            assert before.end_us == after.start_us
        for part in parts:
            assert part.start_us < part.end_us
            if part.tier is None:
                continue
            assert part.end_us <= FIRST * DAY + sealed
            days = range(part.start_us // DAY, -(-part.end_us // DAY))
            assert changed.isdisjoint(days)
            if part.tier is Tier.HOUR:
                assert part.start_us % HOUR == part.end_us % HOUR == 0
            else:
                assert start_of(part.tier, part.start_us // DAY) * DAY == part.start_us
                assert start_of(part.tier, part.end_us // DAY) * DAY == part.end_us

    def test_a_year_by_month_is_read_from_months(self):
        start = start_of(Tier.MONTH, FIRST)
        end = start
        for _ in range(12):
            end = end_of(Tier.MONTH, end)
        assert cover(start * DAY, end * DAY, ALL, end * DAY, ()) == [Part(Tier.MONTH, start * DAY, end * DAY)]

    def test_a_changed_day_breaks_its_month_only(self):
        start = start_of(Tier.MONTH, FIRST)
        second = end_of(Tier.MONTH, start)
        third = end_of(Tier.MONTH, second)
        day = start + 3
        parts = cover(start * DAY, third * DAY, ALL, third * DAY, (day,))
        assert parts == [
            Part(Tier.DAY, start * DAY, day * DAY),
            Part(None, day * DAY, (day + 1) * DAY),
            Part(Tier.DAY, (day + 1) * DAY, second * DAY),
            Part(Tier.MONTH, second * DAY, third * DAY),
        ]


class TestSteps:
    def test_months_follow_the_calendar(self):
        start = start_of(Tier.MONTH, FIRST) * DAY
        steps = steps_of(Tier.MONTH, start + 5, start + 95 * DAY)
        assert [edge // DAY for edge in steps.edges.tolist()] == [
            start_of(Tier.MONTH, edge // DAY) for edge in steps.edges.tolist()
        ]
        assert steps.edges[0] <= start + 5
        assert steps.edges[-1] >= start + 95 * DAY

    def test_tiers_that_may_answer(self):
        span = 0, 10 * DAY
        assert steps_of(60.0, 0, DAY).tiers == ()
        assert steps_of(7200.0, *span).tiers == (Tier.HOUR,)
        assert steps_of(86_400.0, *span).tiers == (Tier.DAY, Tier.HOUR)
        assert steps_of(Tier.WEEK, *span).tiers == (Tier.WEEK, Tier.DAY, Tier.HOUR)

    def test_a_step_that_fits_is_chosen(self):
        assert parse_step(None, 3600 * SECOND, 60) == 60.0
        assert parse_step("day", 1, 1) is Tier.DAY


class TestTooMany:
    @pytest.mark.parametrize("tier", [Tier.HOUR, Tier.DAY, Tier.WEEK])
    def test_is_said_at_once(self, tier):
        with pytest.raises(ValueError, match="more than 11000 steps"):
            steps_of(tier, 0, 2**62)


class TestAutomaticStep:
    @pytest.mark.parametrize(
        ("days", "step"), [(1 / 24, 15), (1, 300), (2, 600), (3, 3600), (7, 3600), (13, 7200), (365, 172_800)]
    )
    def test_parts_of_hours_only_for_short_spans(self, days, step):
        assert automatic_step(days * 86_400, 300) == step
