"""Who is believed about an attribute, and that two sources that disagree do not take turns."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.devices.precedence.resolving import (
    DEFAULT_RULES,
    Claim,
    Pin,
    Rule,
    resolve,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def claim(source: str, value, number: str = "1", known_days: int = 100, age_days: int = 0) -> Claim:
    return Claim(source, number, value, NOW - known_days * DAY, NOW - age_days * DAY)


def value_of(*claims: Claim, attribute: str = "os_name", rules=DEFAULT_RULES, pin: Pin | None = None):
    found = resolve(attribute, claims, rules, NOW, pin)
    assert found is not None
    return found.value


def test_the_agent_comes_before_other_sources_and_before_what_was_typed():
    told = [claim("manual", "Debian 11"), claim("foreman", "Debian 12"), claim("agent", "Debian 13")]
    found = resolve("os_name", told, DEFAULT_RULES, NOW)
    assert found is not None
    assert (found.value, [one.source_system for one in found.others]) == ("Debian 13", ["foreman", "manual"])
    assert found.reason == "agent has the lowest rank, 10, among sources that are not too old."


@pytest.mark.parametrize("nothing", [None, "", [], {}])
def test_nothing_never_overwrites(nothing):
    assert value_of(claim("agent", nothing), claim("foreman", "Debian 12")) == "Debian 12"
    assert resolve("os_name", [claim("agent", nothing)], DEFAULT_RULES, NOW) is None


@pytest.mark.parametrize("value", [False, 0])
def test_no_and_zero_are_values(value):
    assert value_of(claim("agent", value), claim("foreman", 7)) == value


def test_a_source_that_is_silent_for_too_long_gives_way():
    assert value_of(claim("agent", "old", age_days=31), claim("foreman", "new")) == "new"
    assert value_of(claim("agent", "old", age_days=31), claim("foreman", "older", age_days=40)) == "old"


def test_a_pinned_value_counts_and_the_others_are_listed():
    found = resolve("os_name", [claim("agent", "a"), claim("foreman", "b")], DEFAULT_RULES, NOW, Pin("b"))
    assert found is not None
    assert (found.value, [one.value for one in found.others]) == ("b", ["a"])


def test_a_rule_of_the_attribute_comes_before_that_of_any():
    rules = (*DEFAULT_RULES, Rule("asset_tag", "manual", 1))
    told = [claim("agent", "a"), claim("manual", "m")]
    assert (value_of(*told, attribute="asset_tag", rules=rules), value_of(*told, rules=rules)) == ("m", "a")


def test_equals_that_disagree_do_not_take_turns():
    rules = (Rule("*", "glpi", 5), Rule("*", "netbox", 5))
    for newest in (1, 0):
        told = [
            claim("glpi", "g", known_days=10, age_days=newest),
            claim("netbox", "n", known_days=20, age_days=1 - newest),
        ]
        assert value_of(*told, rules=rules) == "n"


CLAIMS = st.lists(
    st.builds(
        claim,
        st.sampled_from(["agent", "foreman", "vcenter", "manual", "glpi", "netbox"]),
        st.sampled_from(["a", "b", "", None]),
        st.sampled_from(["1", "2"]),
        st.sampled_from([50, 60]),
        st.sampled_from([0, 8, 31, 40]),
    ),
    max_size=6,
    unique_by=lambda one: one.key,
)


@given(CLAIMS.flatmap(lambda told: st.tuples(st.just(told), st.permutations(told))))
def test_order_does_not_matter(both):
    told, shuffled = both
    assert resolve("os_name", told, DEFAULT_RULES, NOW) == resolve("os_name", shuffled, DEFAULT_RULES, NOW)
