"""Matchers in Alertmanager's spelling. The table is what Alertmanager 0.25 makes of these texts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.alerts.matchers import (
    MAX_MATCHERS,
    MAX_TEXT_LENGTH,
    LabelMatcher,
    MatcherError,
    format_matchers,
    match_all,
    parse_matchers,
)

UNDERSTOOD = {
    "": [],
    "{}": [],
    "{": [],
    "{foo='}": [("foo", "=", "'")],
    '{foo=\\"}': [("foo", "=", '"')],
    "foo = bar": [("foo", "=", "bar")],
    "{foo=bar}": [("foo", "=", "bar")],
    '{foo="bar"}': [("foo", "=", "bar")],
    "{foo=~bar.*}": [("foo", "=~", "bar.*")],
    '{foo!~"bar.*"}': [("foo", "!~", "bar.*")],
    '{foo="bar", baz!="quux", derp="wat"}': [
        ("foo", "=", "bar"),
        ("baz", "!=", "quux"),
        ("derp", "=", "wat"),
    ],
    '{foo=""}': [("foo", "=", "")],
    "job=": [("job", "=", "")],
    '{foo="bar,quux", job="job1"}': [("foo", "=", "bar,quux"), ("job", "=", "job1")],
    '{foo = "bar", dings != "bums", }': [("foo", "=", "bar"), ("dings", "!=", "bums")],
    '{quote="She said: \\"Hi, ladies!\\""}': [("quote", "=", 'She said: "Hi, ladies!"')],
    "tricky=~~~": [("tricky", "=~", "~~")],
    'trickier==\\\\=\\=\\"': [("trickier", "=", '=\\=\\="')],
    'a != "\\"" , b !~ "foo,bar" , ': [("a", "!=", '"'), ("b", "!~", "foo,bar")],
    "{foo=bar}}": [("foo", "=", "bar}")],
    "{foo=,bar=}}": [("foo", "=", ""), ("bar", "=", "}")],
    "{foo=bar\\t}": [("foo", "=", "bar\\t")],
    "{foo=bar\\n}": [("foo", "=", "bar\n")],
    "{foo=bar\\}": [("foo", "=", "bar\\")],
    "{foo=}b": [("foo", "=", "}b")],
    '"k8s.pod" = "a"': [("k8s.pod", "=", "a")],
}
REFUSED = {
    ",": (1, "Expected a matcher"),
    "{,}": (2, "Expected a matcher"),
    'job="value': (5, "closing double quote"),
    'job=value"': (10, "A double quote within"),
    'job="a"b"': (8, "Expected a comma"),
    '{invalid-name = "x"}': (2, "Expected a matcher"),
    '{a="b", foo=~"invalid[regexp"}': (14, "missing"),
    '"foo=\\"bar\\""': (1, "Expected a matcher"),
    "{{foo=": (2, "Expected a matcher"),
    'a=b,  c~"d"': (7, "Expected a matcher"),
    'a="\0"': (3, "NUL"),
    "a=~" + "(" * 2000: (4, "missing"),
    'a=~"(?:x{1000}){1000}"': (4, "too large"),
    '""="x"': (4, "name is missing"),
    "a=b," * (MAX_MATCHERS + 1): (4 * MAX_MATCHERS + 1, "at most"),
    "a=" + "b" * MAX_TEXT_LENGTH: (MAX_TEXT_LENGTH + 1, "at most"),
}

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
names = st.one_of(st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,10}", fullmatch=True), texts.filter(bool))
plain = st.builds(LabelMatcher, names, st.sampled_from(["=", "!="]), texts)
patterns = st.builds(
    LabelMatcher, names, st.sampled_from(["=~", "!~"]), st.sampled_from(["a|b", "", '".*\\"'])
)
matchers = st.one_of(plain, patterns)


@pytest.mark.parametrize("text", UNDERSTOOD)
def test_texts_are_understood_as_by_alertmanager(text):
    assert [(found.name, found.op, found.value) for found in parse_matchers(text)] == UNDERSTOOD[text]


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_errors_say_the_place(text):
    column, words = REFUSED[text]
    with pytest.raises(MatcherError) as caught:
        parse_matchers(text)
    assert caught.value.column == column
    assert words in str(caught.value)


@given(st.lists(matchers, max_size=5))
def test_what_was_written_is_read_as_the_same(found):
    assert parse_matchers(format_matchers(found)) == tuple(found)
    for matcher in found:
        assert parse_matchers(str(matcher)) == (matcher,)
        assert LabelMatcher.from_json(json.loads(json.dumps(matcher.to_json()))) == matcher


@given(st.text(st.sampled_from('{}=~!",\\n ab\n'), max_size=30))
def test_any_text_is_read_or_refused_with_a_place(text):
    try:
        found = parse_matchers(text)
    except MatcherError as error:
        refused = error
    else:
        assert parse_matchers(format_matchers(found)) == found
        return
    assert 1 <= refused.column <= len(text) + 1


@pytest.mark.parametrize(
    ("text", "labels", "fits"),
    [
        ("a=b", {"a": "b"}, True),
        ("a=b", {}, False),
        ("a=", {}, True),
        ("a!=b", {}, True),
        ("a=~b", {"a": "abc"}, False),
        ("a=~b|c", {"a": "c"}, True),
        ("a=~.*", {}, True),
        ("a=~.+", {}, False),
        ("a!~.+", {}, True),
        ("a=b,c=d", {"a": "b", "c": "e"}, False),
    ],
)
def test_patterns_match_the_whole_value_and_a_missing_label_is_empty(text, labels, fits):
    assert match_all(parse_matchers(text), labels) is fits


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"name": "a"},
        {"name": 1, "value": "b"},
        {"name": "", "value": "b"},
        {"name": "a", "value": "(", "isRegex": True},
        {"name": "a", "value": "b", "isRegex": "yes"},
        {"name": "a", "value": "b", "isEqual": None},
    ],
)
def test_json_that_is_no_matcher_is_refused(fields):
    with pytest.raises(MatcherError):
        LabelMatcher.from_json(fields)


def test_json_without_is_equal_is_a_matcher_that_equals():
    assert LabelMatcher.from_json({"name": "a", "value": "b", "isRegex": True}) == LabelMatcher(
        "a", "=~", "b"
    )
