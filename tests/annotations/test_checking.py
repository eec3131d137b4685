"""Values of custom fields: what is one, whatever is sent."""

import json
import time
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.annotations.fields.checking import Rule, ValueRefusedError, checked_value

KINDS = ("text", "number", "boolean", "date", "choice", "url")
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def rule(kind: str) -> Rule:
    return Rule(kind, ("red", "blue") if kind == "choice" else ())


class TestAll:
    @given(st.sampled_from(KINDS), ANYTHING)
    def test_whatever_is_sent_is_stored_or_refused(self, kind, value):
        try:
            checked = checked_value(rule(kind), value)
        except ValueRefusedError:
            return
        types = {"number": float, "boolean": bool, "date": date}
        assert checked is None or type(checked) is types.get(kind, str)

    @given(st.sampled_from(KINDS), ANYTHING)
    def test_what_was_stored_is_a_value_again(self, kind, value):
        """A form sends back what it showed."""
        try:
            checked = checked_value(rule(kind), value)
        except ValueRefusedError:
            return
        shown = checked if checked is None or kind == "number" else str(checked)
        assert checked_value(rule(kind), shown) == checked

    @given(st.text(alphabet=st.characters(), max_size=600))
    def test_texts_show_as_they_are(self, text):
        try:
            checked = checked_value(rule("text"), text)
        except ValueRefusedError:
            return
        assert checked is None or (0 < len(checked) <= 500 and checked == checked.strip())
        assert not set(checked or "") & set("\x00\x1b\r\n\x85\u202e\u2066\u2028")
        assert (checked or "x").encode()


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "a\x00b"),
        ("text", "a\nb"),
        ("text", "\u202egpj.exe"),
        ("text", "\ud800"),
        ("text", "x" * 501),
        ("text", 7),
        ("text", ["a"]),
        ("number", "1,5"),
        ("number", "١٢"),
        ("number", "nan"),
        ("number", float("inf")),
        ("number", 10**400),
        ("number", "1e99"),
        ("number", True),
        ("number", "0x10"),
        ("number", "1_000"),
        ("boolean", "yes"),
        ("boolean", 1),
        ("date", "2026-02-30"),
        ("date", "20260227"),
        ("date", "2026-W01-1"),
        ("date", 20260227),
        ("choice", "Red"),
        ("choice", {}),
        ("url", "javascript:alert(1)"),
        ("url", "JAVASCRIPT://x/%0aalert(1)"),
        ("url", "//example.com"),
        ("url", "https://"),
        ("url", "https://example.com/a b"),
        ("url", "https://example.com\\@evil.example"),
        ("url", "https://admin:secret@example.com"),
        ("url", "https://[::1"),
        ("url", "https://example.com:port"),
        ("url", 'https://example.com/"onclick="x'),
    ],
)
def test_hostile_values_are_refused(kind, value):
    with pytest.raises(ValueRefusedError):
        checked_value(rule(kind), value)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", "  Müller ✓ ", "Müller ✓"),
        ("text", "", None),
        ("text", "   ", None),
        ("number", "12.50", 12.5),
        ("number", -3, -3.0),
        ("number", ".5e1", 5.0),
        ("boolean", "False", False),
        ("date", "2028-02-29", date(2028, 2, 29)),
        ("choice", "red", "red"),
        ("url", "https://example.com:8443/a?b=c#d", "https://example.com:8443/a?b=c#d"),
    ],
)
def test_values_are_stored_as_what_they_are(kind, value, stored):
    assert checked_value(rule(kind), value) == stored


def test_a_pattern_costs_no_more_than_its_text():
    """What backtracking would take years for."""
    began = time.process_time()
    with pytest.raises(ValueRefusedError):
        checked_value(Rule("text", pattern=r"(a|a|aa)*(a+)+b"), "a" * 500)
    assert time.process_time() - began < 0.5


def test_a_pattern_is_about_the_whole_text():
    assert checked_value(Rule("text", pattern="A-[0-9]+"), "A-1") == "A-1"
    for text in ("xA-1", "A-1x"):
        with pytest.raises(ValueRefusedError, match="Must match the pattern"):
            checked_value(Rule("text", pattern="A-[0-9]+"), text)


def test_numbers_survive_json():
    assert json.loads(json.dumps(checked_value(rule("number"), 999_999_999_999_999))) == 999_999_999_999_999
