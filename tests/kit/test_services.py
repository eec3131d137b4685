"""What a process shares is found by its type."""

import pytest

from fleetkeeper.kit.services import Services


class Clock:
    """Something to share."""


def test_each_is_found_by_its_type():
    clock = Clock()
    services = Services("text")
    assert services.add(clock) is clock
    assert services.get(Clock) is clock
    assert services.get(str) == "text"


def test_a_special_one_is_found_by_what_it_is_a_kind_of():
    class Watched(Clock):
        pass

    watched = Watched()
    assert Services(watched).get(Clock) is watched


def test_what_is_missing_is_named():
    with pytest.raises(LookupError, match="Clock"):
        Services().get(Clock)
