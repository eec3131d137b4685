"""The one text of a JSON value."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fleetkeeper.device_requests.payloads import DEEPEST, PayloadError, canonical, digest

TEXTS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
NUMBERS = some.floats(allow_nan=False, allow_infinity=False) | some.integers(-(2**70), 2**70)
VALUES = some.recursive(
    some.none() | some.booleans() | TEXTS | NUMBERS,
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def shuffled(value, turn):
    """The same value with the keys of all its objects in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        cut = turn % (len(items) + 1)
        return {key: shuffled(one, turn) for key, one in reversed(items[cut:] + items[:cut])}
    return [shuffled(one, turn) for one in value] if isinstance(value, list) else value


class TestCanonical:
    @given(VALUES, some.integers(0, 5))
    def test_the_order_of_keys_makes_no_difference(self, value, turn):
        assert canonical(shuffled(value, turn)) == canonical(value)

    @given(VALUES)
    def test_it_is_json_and_stays_as_it_is(self, value):
        once = canonical(value)
        assert canonical(json.loads(once)) == once

    @given(VALUES)
    def test_escapes_and_blanks_make_no_difference(self, value):
        assert canonical(json.loads(json.dumps(value, ensure_ascii=True, indent=3))) == canonical(value)

    @given(some.floats(allow_nan=False, allow_infinity=False))
    def test_a_number_is_read_back_as_it_was(self, number):
        assert float(canonical(number)) == number

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            # RFC 8785, appendix B, and sections 3.2.2 and 3.2.3.
            (0.0, "0"),
            (-0.0, "0"),
            (5e-324, "5e-324"),
            (-5e-324, "-5e-324"),
            (1.7976931348623157e308, "1.7976931348623157e+308"),
            (9007199254740992.0, "9007199254740992"),
            (295147905179352830000.0, "295147905179352830000"),
            (9.999999999999997e22, "9.999999999999997e+22"),
            (1e23, "1e+23"),
            (999999999999999700000.0, "999999999999999700000"),
            (1e21, "1e+21"),
            (9.999999999999997e-7, "9.999999999999997e-7"),
            (0.000001, "0.000001"),
            (333333333.3333332, "333333333.3333332"),
            (0.000001234, "0.000001234"),
            (-123.45, "-123.45"),
            (1e16, "10000000000000000"),
            (4.5, "4.5"),
            (2e-3, "0.002"),
            (1e-27, "1e-27"),
            (True, "true"),
            (None, "null"),
            ('€$\x0f\nA\'B"\\"/', '"€$\\u000f\\nA\'B\\"\\\\\\"/"'),
            ({"\ufb33": 1, "\U0001f600": 2, "\r": 3}, '{"\\r":3,"\U0001f600":2,"\ufb33":1}'),
        ],
    )
    def test_as_the_standard_has_it(self, value, text):
        assert canonical(value).decode() == text

    @pytest.mark.parametrize("pair", [(1, 1.0), (100, 1e2), (0, -0.0), (2**53 - 1, float(2**53 - 1))])
    def test_forms_of_one_number_are_one(self, pair):
        assert canonical(pair[0]) == canonical(pair[1])

    @pytest.mark.parametrize(
        "value", [math.nan, math.inf, -math.inf, "a\x00", "\ud800", {"\udfff": 1}, 10**400, {1, 2}]
    )
    def test_what_cannot_be_kept_is_refused(self, value):
        with pytest.raises(PayloadError):
            canonical([value])

    def test_depth_is_bounded(self):
        value: object = 1
        for _ in range(DEEPEST):
            value = [value]
        assert canonical(value)
        with pytest.raises(PayloadError):
            canonical([value])


class TestDigest:
    @given(some.dictionaries(TEXTS, VALUES, max_size=4))
    def test_the_type_counts(self, payload):
        assert digest("a", payload) != digest("b", payload)
        assert len(digest("a", payload)) == 64

    def test_a_type_is_no_part_of_the_payload(self):
        assert digest("a", {"b": 1}) != digest('a",{"b":1}', {})
