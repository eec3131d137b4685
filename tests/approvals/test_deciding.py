"""Whose word counts, for any rule and any order of people."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.approvals.deciding import (
    Authority,
    Level,
    Vote,
    find_seat,
    is_approved,
    keys_of,
    levels_of,
    open_levels,
)
from fleetkeeper.identity.actor import EVERYWHERE, Scope

PEOPLE = [UUID(int=number) for number in range(1, 7)]
REQUESTER = PEOPLE[0]
HERE, ELSEWHERE = UUID(int=100), UUID(int=101)

levels = st.lists(
    st.builds(
        Level,
        st.frozensets(st.sampled_from([f"user:{one}" for one in PEOPLE]), min_size=1),
        st.integers(1, 3),
    ),
    min_size=1,
    max_size=3,
)
# Who comes by in turn, standing in for whom (perhaps nobody), and what they say.
visits = st.lists(
    st.tuples(
        st.sampled_from(PEOPLE), st.sampled_from([None, *PEOPLE]), st.sampled_from([True] * 9 + [False])
    ),
    max_size=30,
)


def own(person: UUID, **roles: Scope) -> Authority:
    return Authority(person, str(person), frozenset({f"user:{person}"}), roles)


def seat(levels_, votes, user, *authorities, in_sequence=True, department=None):
    return find_seat(
        levels_,
        votes,
        in_sequence=in_sequence,
        department_id=department,
        requester_id=REQUESTER,
        user_id=user,
        authorities=authorities,
    )


@given(levels, visits, st.booleans())
def test_approved_only_by_enough_different_people_and_without_a_no(rule, coming, in_sequence):
    votes: list[Vote] = []
    for user, delegator, approves in coming:
        authorities = [own(user)] + ([own(delegator)] if delegator not in (None, user) else [])
        found = seat(rule, votes, user, *authorities, in_sequence=in_sequence)
        if found is not None:
            votes.append(Vote(found.level, user, found.authority.id, approves))
    for number, level in enumerate(rule):
        here = [vote for vote in votes if vote.level == number]
        # Neither the requester nor anybody in their name; each hand and each name once.
        assert REQUESTER not in {one for vote in here for one in (vote.user_id, vote.authority_id)}
        assert len({vote.user_id for vote in here}) == len(here)
        assert len({vote.authority_id for vote in here}) == len(here)
        assert all(f"user:{vote.authority_id}" in level.approvers for vote in here)
        assert len(here) <= level.minimum
    enough = all(
        sum(vote.level == number and vote.approves for vote in votes) >= level.minimum
        for number, level in enumerate(rule)
    )
    assert is_approved(rule, votes) == (enough and all(vote.approves for vote in votes))
    if not all(vote.approves for vote in votes):
        assert open_levels(rule, votes, in_sequence=in_sequence) == []


@given(levels, st.permutations(PEOPLE), st.booleans())
def test_who_is_left_out_may_have_their_say_later(rule, order, in_sequence):
    """Once everybody has come by as often as there are levels, only those rules wait that lack people."""
    votes: list[Vote] = []
    for user in order * len(rule):
        found = seat(rule, votes, user, own(user), in_sequence=in_sequence)
        if found is not None:
            votes.append(Vote(found.level, user, user, approves=True))
    possible = all(len(level.approvers - {f"user:{REQUESTER}"}) >= level.minimum for level in rule)
    assert is_approved(rule, votes) == possible


def test_levels_come_one_after_another_or_together():
    rule = [Level(frozenset({f"user:{PEOPLE[1]}"}), 1), Level(frozenset({f"user:{PEOPLE[2]}"}), 1)]
    assert seat(rule, [], PEOPLE[2], own(PEOPLE[2])) is None
    assert seat(rule, [], PEOPLE[2], own(PEOPLE[2]), in_sequence=False).level == 1
    first = Vote(0, PEOPLE[1], PEOPLE[1], approves=True)
    assert seat(rule, [first], PEOPLE[2], own(PEOPLE[2])).level == 1


def test_a_role_counts_where_it_is_held():
    rule = [Level(frozenset({"role:x"}), 1)]
    there = own(PEOPLE[1], **{"role:x": Scope(departments=frozenset({HERE}))})
    assert seat(rule, [], PEOPLE[1], there, department=HERE) is not None
    assert seat(rule, [], PEOPLE[1], there, department=ELSEWHERE) is None
    assert seat(rule, [], PEOPLE[1], there, department=None) is None
    assert seat(rule, [], PEOPLE[1], own(PEOPLE[1], **{"role:x": EVERYWHERE}), department=None) is not None


def test_nobody_decides_for_a_requester_who_is_gone():
    rule = [Level(frozenset({f"user:{PEOPLE[1]}"}), 1)]
    found = find_seat(
        rule,
        [],
        in_sequence=True,
        department_id=None,
        requester_id=None,
        user_id=PEOPLE[1],
        authorities=[own(PEOPLE[1])],
    )
    assert found is None


def test_an_escalation_adds_people_to_each_level():
    rule = {
        "levels": [{"users": ["1"], "groups": ["2"], "roles": [], "minimum": 2}],
        "escalation": {"roles": ["3"]},
    }
    assert levels_of(rule, is_escalated=False) == [Level(frozenset({"user:1", "group:2"}), 2)]
    assert levels_of(rule, is_escalated=True) == [Level(frozenset({"user:1", "group:2", "role:3"}), 2)]
    assert keys_of({}) == frozenset()
