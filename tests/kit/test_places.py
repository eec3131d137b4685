"""How places are given, shared and given back."""

import pytest

from fleetkeeper.errors import OverloadedError
from fleetkeeper.kit.places import Places


class TestPlaces:
    def test_one_caller_gets_a_part(self):
        places = Places(3, 2)
        with places.take("a"), places.take("a"):
            with pytest.raises(OverloadedError, match="from one caller"):
                places.take("a")
            with places.take("b"), pytest.raises(OverloadedError):
                places.take("c")
        assert places.taken == 0
        assert not places._held

    def test_bytes_of_all_are_bounded(self):
        places = Places(9, 9, max_bytes=100)
        with places.take("a") as first, places.take("b") as second:
            first.grow(60)
            with pytest.raises(OverloadedError, match="bytes"):
                second.grow(41)
            second.grow(40)
        assert places.size_bytes == 0

    def test_one_request_may_be_as_large_as_there_is_room_and_several_share_a_quarter(self):
        places = Places(9, 9, max_bytes=100)
        with places.take("a") as alone:
            alone.grow(90)
        with places.take("a") as first, places.take("a") as second:
            first.grow(20)
            with pytest.raises(OverloadedError):
                second.grow(6)

    def test_a_place_is_given_back_after_an_error(self):
        places = Places(1, 1, max_bytes=10)
        with pytest.raises(ValueError, match="x"), places.take("a") as place:
            place.grow(5)
            raise ValueError("x")
        assert (places.taken, places.size_bytes) == (0, 0)
