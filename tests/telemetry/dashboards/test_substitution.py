"""Values of variables in queries: whatever they hold, a query stays the query that its author wrote."""

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.telemetry.dashboards.definition import FleetPart, Variable
from fleetkeeper.telemetry.dashboards.substitution import (
    channels_of,
    chosen_of,
    filled,
    pattern_of,
    promql_of,
)
from fleetkeeper.telemetry.promql.expressions import Selector, children_of
from fleetkeeper.telemetry.promql.parsing import parse_query
from fleetkeeper_protocol.metrics import parse_channel

TEMPLATES = (
    'sum by (instance) (rate(disk_reads_total{mountpoint=~"$a", device!~"$b"}[5m]))',
    "avg(cpu{core=~'$a'}) / on (instance) group_left max by (instance) (load{x!=\"$1\"})",
    'label_replace(up{job=~`$a`}, "dst", "$1", "src", "(.*)")  # "$a" is nothing here',
    'topk(3, {__name__=~"$b", job="\\"$a\\""}) > 5',
)
VALUES = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=40), max_size=4
)
HOSTILE = (
    '"} or up{x="',
    "a|b",
    ".*",
    "$b",
    "\\",
    '\\"',
    "\n",
    "` or `",
    "#",
    "é\u2028",
    "\x07\x1b",
    "}",
    "(?i)x",
    "",
)


def shape(text: str) -> str:
    """The query without the values of its matchers, as a tree."""
    tree = parse_query(text)
    return str(outline(tree))


def outline(node):
    """The tree, each matcher by its label and operator alone."""
    if isinstance(node, Selector):
        return ("selector", [(one.name, one.op[-1]) for one in node.matchers], node.offset, node.range)
    own = [
        getattr(node, name)
        for name in ("op", "function", "labels", "without", "value", "matching")
        if hasattr(node, name)
    ]
    return (type(node).__name__, own, [outline(child) for child in children_of(node)])


def matchers(node) -> list:
    found = list(node.matchers) if isinstance(node, Selector) else []
    return found + [one for child in children_of(node) for one in matchers(child)]


@pytest.mark.parametrize("template", TEMPLATES)
@given(a=VALUES, b=VALUES)
def test_no_value_changes_the_structure(template, a, b):
    text = promql_of(template, {"a": a, "b": b})
    assert shape(text) == shape(template)
    before, after = matchers(parse_query(template)), matchers(parse_query(text))
    for old, new in zip(before, after, strict=True):
        if old.value in {"$a", "$b"}:
            wanted = a if old.value == "$a" else b
            for value in [*wanted, *HOSTILE]:
                positive = new.op == "=~"
                assert new.matches(value) is ((not wanted or value in wanted) is positive)
        else:
            assert (new.name, new.op, new.value) == (old.name, old.op, old.value)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_stay_values(value):
    text = promql_of('up{job=~"$a"}', {"a": [value]})
    (job, name) = sorted(matchers(parse_query(text)), key=lambda one: one.name, reverse=True)
    assert (job.name, job.op, name.value) == ("job", "=~", "up")
    assert job.matches(value)
    assert not job.matches(value + "x")


@given(VALUES)
def test_a_pattern_is_these_values_and_no_others(values):
    options = re2.Options()
    options.dot_nl = True
    pattern = re2.compile(pattern_of(values), options)
    for value in [*values, *HOSTILE]:
        assert bool(pattern.fullmatch(value)) is (not values or value in values)


@given(VALUES.filter(bool))
def test_values_in_channels_are_read_back(values):
    query = FleetPart(
        language="fleet", metrics=["disk_partition_usage_percent"], filter={"labels": {"mountpoint": ["$a"]}}
    )
    channels = channels_of(query, {"a": values})
    assert [parse_channel(one) for one in channels] == [
        ("disk_partition_usage_percent", {"mountpoint": value}) for value in dict.fromkeys(values)
    ]


def test_filters_are_filled():
    chosen = {"a": ("x", "y"), "all": ()}
    assert filled(["$a", "z", "x"], chosen) == ["x", "y", "z"]
    assert filled(["$all"], chosen) is None
    assert filled(["z", "$all"], chosen) is None
    assert filled([], chosen) is None
    assert filled(["$unknown"], chosen) == ["$unknown"]


def test_too_many_channels_are_refused():
    query = FleetPart(language="fleet", metrics=["m"], filter={"labels": {"a": ["$v"], "b": ["$v"]}})
    with pytest.raises(InvalidInputError) as caught:
        channels_of(query, {"v": [str(n) for n in range(8)]})
    assert caught.value.fields[0].field == "filter.labels.b"


def test_values_cannot_make_a_query_endless():
    text = "up{" + ",".join(['a=~"$a"'] * 500) + "}"
    values = [f"{number:03d}" + "x" * 297 for number in range(200)]
    with pytest.raises(InvalidInputError) as caught:
        promql_of(text, {"a": values})
    assert caught.value.fields[0].field == "query"
    assert len(promql_of(text, {"a": ["x"]})) < len(text)


class TestChosen:
    def test_given_default_and_all(self):
        variables = [
            Variable(name="a", kind="device", default=["d"]),
            Variable(name="b", kind="label", label="x"),
            Variable(name="m", kind="metric", all=False, choices=["up", "load"]),
        ]
        assert chosen_of(variables, {}) == {"a": ("d",), "b": (), "m": ("up",)}
        assert chosen_of(variables, {"a": [], "b": ["1", "1"], "m": ["load"]}) == {
            "a": (),
            "b": ("1",),
            "m": ("load",),
        }

    @pytest.mark.parametrize(
        ("variable", "given_values", "field"),
        [
            (Variable(name="a", kind="device"), {"b": ["x"]}, "values.b"),
            (Variable(name="a", kind="label", label="x", all=False), {}, "values.a"),
            (Variable(name="a", kind="label", label="x", multi=False), {"a": ["1", "2"]}, "values.a"),
            (Variable(name="a", kind="metric", all=False), {"a": ["no\nname"]}, "values.a"),
        ],
    )
    def test_what_cannot_be_chosen(self, variable, given_values, field):
        with pytest.raises(InvalidInputError) as caught:
            chosen_of([variable], given_values)
        assert [item.field for item in caught.value.fields] == [field]
