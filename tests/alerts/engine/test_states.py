"""From pending to firing to resolved, and what flaps."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.engine.states import FLAP_CALM, Change, Seen, Timing, step

START = datetime(2026, 11, 27, 10, tzinfo=UTC)


def run(truths, timing, every=15):
    """What each instant brings, and where it ends."""
    present, changes = None, []
    for number, truth in enumerate(truths):
        present, change = step(present, truth, START + timedelta(seconds=every * number), timing)
        changes.append(change)
    return present, changes


class TestFor:
    def test_fires_once_it_has_been_true_for_as_long_as_the_rule_waits(self):
        _, changes = run([True] * 4, Timing(wait=timedelta(seconds=30)))
        assert changes == [Change.BEGAN, None, Change.FIRED, None]

    def test_fires_at_once_without_a_wait(self):
        assert run([True], Timing())[1] == [Change.FIRED]

    def test_a_pause_begins_the_wait_anew(self):
        _, changes = run([True, False, True, True, True], Timing(wait=timedelta(seconds=30)))
        assert changes == [Change.BEGAN, Change.DROPPED, Change.BEGAN, None, Change.FIRED]

    def test_resolves_when_it_is_no_longer_true(self):
        present, changes = run([True, False], Timing())
        assert changes == [Change.FIRED, Change.RESOLVED]
        assert present is None

    def test_no_data_leaves_it_as_it_is(self):
        assert run([True, None, None, False], Timing())[1] == [Change.FIRED, None, None, Change.RESOLVED]


class TestKeepFiring:
    def test_fires_on_for_as_long_as_the_rule_says(self):
        _, changes = run([True, False, False, False], Timing(keep_firing=timedelta(seconds=30)))
        assert changes == [Change.FIRED, None, None, Change.RESOLVED]

    def test_counts_anew_after_it_was_true_again(self):
        _, changes = run([True, False, True, False, False, False], Timing(keep_firing=timedelta(seconds=30)))
        assert changes == [Change.FIRED, None, None, None, None, Change.RESOLVED]


class TestFlapping:
    def test_third_fire_within_an_hour_fires_on_until_it_is_calm(self):
        flapping = Timing(detects_flapping=True)
        truths = [True, False] * 3 + [False] * int(FLAP_CALM.total_seconds() / 15)
        present, changes = run(truths, flapping)
        assert changes[:6] == [
            Change.FIRED,
            Change.RESOLVED,
            Change.FIRED,
            Change.RESOLVED,
            Change.FIRED,
            None,
        ]
        assert changes[-1] is Change.RESOLVED
        assert changes.count(Change.RESOLVED) == 3
        assert present is None

    def test_a_rule_that_does_not_look_for_it_goes_on(self):
        _, changes = run([True, False] * 5, Timing())
        assert changes == [Change.FIRED, Change.RESOLVED] * 5

    def test_fires_that_are_an_hour_apart_do_not_flap(self):
        present, _ = run([True, False] * 5, Timing(detects_flapping=True), every=3600)
        assert present is None or not present.is_flapping


@given(
    st.lists(st.sampled_from([True, False, None]), max_size=60),
    st.integers(0, 120),
    st.integers(0, 120),
    st.booleans(),
)
def test_fires_and_resolves_take_turns(truths, wait, keep, flaps):
    timing = Timing(timedelta(seconds=wait), timedelta(seconds=keep), flaps)
    present, changes = run(truths, timing)
    told = [one for one in changes if one in {Change.FIRED, Change.RESOLVED}]
    assert told == [Change.FIRED, Change.RESOLVED] * (len(told) // 2) + [Change.FIRED] * (len(told) % 2)
    assert (present is not None and present.seen is Seen.FIRING) == (len(told) % 2 == 1)
