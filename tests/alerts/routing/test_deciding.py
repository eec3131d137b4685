"""Whether a group of alerts is told again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.routing.deciding import Member, Told, decide

NOW = datetime(2026, 11, 27, 10, tzinfo=UTC)
REPEAT = timedelta(hours=4)


def decided(members, told=Told(), now=NOW, *, sends_resolved=True):  # noqa: B008 - frozen
    return decide(members, told, now, REPEAT, sends_resolved=sends_resolved)


def firing(number, identity=None, **more):
    return Member(number, identity or number, is_resolved=False, **more)


def over(number, identity=None):
    return Member(number, identity or number, is_resolved=True)


class TestDeciding:
    def test_new_alerts_are_told(self):
        found = decided([firing(1), firing(2)])
        assert (found.is_told, found.firing) == (True, (1, 2))

    def test_nothing_new_is_not(self):
        told = decided([firing(1)]).told
        assert not decided([firing(1)], told, NOW + timedelta(minutes=5)).is_told

    def test_what_still_fires_is_repeated_unless_somebody_cares(self):
        told = decided([firing(1)]).told
        assert decided([firing(1)], told, NOW + REPEAT).is_told
        assert not decided([firing(1, is_acknowledged=True)], told, NOW + REPEAT).is_told

    def test_what_was_never_told_is_not_told_to_be_over(self):
        found = decided([over(1)])
        assert (found.is_told, found.over) == (False, (1,))

    def test_what_fires_again_before_anybody_is_told_is_the_same(self):
        told = decided([firing(1, 7)]).told
        assert not decided([over(1, 7), firing(2, 7)], told, NOW + timedelta(minutes=5)).is_told

    def test_receivers_that_do_not_want_it_are_not_told_of_the_end(self):
        told = decided([firing(1)]).told
        found = decided([over(1)], told, sends_resolved=False)
        assert not found.is_told
        assert found.told.firing == frozenset()

    def test_muted_alerts_are_not_told_and_not_forgotten(self):
        assert not decided([firing(1, is_muted=True)]).is_told
        told = decided([firing(1)]).told
        kept = decided([firing(1, is_muted=True)], told).told
        assert kept.firing == {1}


@given(
    st.lists(
        st.lists(st.sampled_from(["firing", "muted", "over", "away"]), min_size=3, max_size=3), max_size=12
    )
)
def test_each_is_told_to_fire_before_it_is_told_to_be_over(rounds):
    """Whatever comes, nobody hears of the end of what they never heard of, nor of one beginning twice."""
    told, heard = Told(), set()
    for number, states in enumerate(rounds):
        members = [
            Member(one, one, is_resolved=state == "over", is_muted=state == "muted")
            for one, state in enumerate(states)
            if state != "away"
        ]
        found = decided(members, told, NOW + timedelta(minutes=5 * number))
        if found.is_told:
            assert set(found.resolved) <= heard
            heard |= set(found.firing)
            heard -= set(found.resolved)
        told = found.told
