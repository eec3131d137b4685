"""What a definition may hold, and how its faults are told: each at its place, with the cure."""

import json
import re
from pathlib import Path

import pytest

from fleetkeeper.errors import InvalidInputError
from fleetkeeper.telemetry.dashboards.checking import MAX_PROBLEMS, read_definition
from fleetkeeper.telemetry.dashboards.defaults import BUILT_IN, built_in_for
from fleetkeeper.telemetry.dashboards.definition import DEVICE_TYPES, FLEET
from fleetkeeper.telemetry.dashboards.schemas import DashboardDocument
from fleetkeeper_protocol.metrics import BUILT_IN as METRICS
from tests.factories.dashboards import a_definition, a_panel, fleet_query, promql_query

MOUNT = {"name": "mount", "kind": "label", "label": "mountpoint"}
DEVICE = {"name": "device", "kind": "device"}
METRIC = {"name": "metric", "kind": "metric", "all": False, "choices": ["up"]}


def faults(raw) -> dict[str, str]:
    with pytest.raises(InvalidInputError) as caught:
        read_definition(raw)
    return {item.field: item.message for item in caught.value.fields}


QUERIES = [
    (fleet_query(metrics=["no name"]), "metrics[0]", "letters"),
    (fleet_query(metrics=[]), "metrics", "not be empty"),
    (fleet_query(metrics=["$metric"]), "metrics[0]", "no variable metric"),
    (fleet_query(agg="p101"), "agg", "percentile"),
    (fleet_query(by=["colour"]), "by", "is one of device"),
    (fleet_query(step="soon"), "step", "number of seconds"),
    (fleet_query(compare="now"), "compare", "1h"),
    (fleet_query(top=0), "top", "at least"),
    (fleet_query(filter={"device": ["$mount"]}), "filter.device", "of kind label"),
    (fleet_query(filter={"labels": {"a\tb": ["x"]}}), "filter.labels.a\tb", "no name of a label"),
    (fleet_query(filter={"labels": {"x": ["$nobody"]}}), "filter.labels.x", "no variable nobody"),
    (fleet_query(colour="red"), "colour", "Unknown field"),
    (promql_query("sum("), "query", "parse error"),
    (promql_query("x" * 5001), "query", "at most 5000"),
    (promql_query('up{a="$mount"}'), "query", '=~"$mount"'),
    (promql_query('up{a=~"$nobody"}'), "query", "no variable nobody"),
    (promql_query('up{device_id=~"$device"}'), "query", '{"device": ["$device"]}'),
    (promql_query('label_replace(up, "a", "$mount", "b", ".*")'), "query", "only in a matcher"),
    (promql_query("up[5m]"), "query", "over time"),
    (promql_query("up", filter={"labels": {"a": ["b"]}}), "filter.labels", "in itself"),
    ({"language": "sql", "query": "SELECT 1"}, "", "one of"),
]


@pytest.mark.parametrize(
    ("query", "field", "words"), QUERIES, ids=[f"{n}-{q[1]}" for n, q in enumerate(QUERIES)]
)
def test_a_fault_of_a_query_is_told_at_its_place(query, field, words):
    raw = a_definition(a_panel(), a_panel(fleet_query(), query), variables=[DEVICE, MOUNT])
    place = "rows[0].panels[1].queries[1]" + (f".{field}" if field else "")
    found = faults(raw)
    assert list(found) == [place]
    assert words in found[place]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"version": 2}, "version"),
        ({"refresh": 1}, "refresh"),
        ({"time": {"range": "1y"}}, "time.range"),
        ({"rows": [{}] * 51}, "rows"),
        ({"rows": [{"panels": [a_panel()] * 60}] * 2}, "rows"),
        ({"rows": [{"title": "x" * 121}]}, "rows[0].title"),
        ({"rows": [{"title": "\x00"}]}, "rows[0].title"),
        ({"rows": [{"panels": [a_panel(kind="pie")]}]}, "rows[0].panels[0].kind"),
        ({"rows": [{"panels": [a_panel(width=13)]}]}, "rows[0].panels[0].width"),
        ({"rows": [{"panels": [a_panel(height=1)]}]}, "rows[0].panels[0].height"),
        ({"rows": [{"panels": [a_panel(x=12, y=0, width=1)]}]}, "rows[0].panels[0].x"),
        ({"rows": [{"panels": [a_panel(x=7, y=0, width=6)]}]}, "rows[0].panels[0].x"),
        ({"rows": [{"panels": [a_panel(x=3)]}]}, "rows[0].panels[0].y"),
        ({"rows": [{"panels": [a_panel(y=7)]}]}, "rows[0].panels[0].x"),
        ({"rows": [{"panels": [a_panel(queries=[])]}]}, "rows[0].panels[0].queries"),
        ({"rows": [{"panels": [a_panel(kind="text", text="x")]}]}, "rows[0].panels[0].queries"),
        ({"rows": [{"panels": [a_panel(minimum=2, maximum=1)]}]}, "rows[0].panels[0].maximum"),
        ({"variables": [{"name": "9", "kind": "device"}]}, "variables[0].name"),
        ({"variables": [DEVICE, DEVICE]}, "variables[1].name"),
        ({"variables": [{"name": "a", "kind": "label"}]}, "variables[0].label"),
        ({"variables": [{"name": "a", "kind": "metric", "choices": ["up"]}]}, "variables[0].all"),
        ({"variables": [{**DEVICE, "multi": False, "default": ["a", "b"]}]}, "variables[0].default"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_fault_of_the_rest_is_told_at_its_place(changes, field):
    assert list(faults(a_definition() | changes)) == [field]


def test_too_much_is_refused_whole():
    assert "KiB" in faults(a_definition(a_panel(text="x" * 300_000)))["definition"]
    many = a_definition(*[a_panel(fleet_query(agg="no"))] * 90)
    assert len(faults(many)) == MAX_PROBLEMS


def test_what_nests_without_end_is_refused():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert list(faults({"rows": deep})) == ["definition"]
    while deep:  # the interpreter's own way to free it would recurse
        deep = deep.pop()


def test_variables_where_they_belong_are_right():
    queries = (
        fleet_query(
            metrics=["$metric"], filter={"device": ["$device"], "labels": {"mountpoint": ["$mount"]}}
        ),
        promql_query('sum({__name__=~"$metric", mountpoint!~"$mount"})', filter={"device": ["$device"]}),
        promql_query("up[5m]", instant=True),
    )
    raw = a_definition(a_panel(*queries), variables=[DEVICE, MOUNT, METRIC])
    read = read_definition(raw)
    assert read_definition(read.model_dump(mode="json")) == read
    assert [place for place, _ in read.panels()] == ["rows[0].panels[0]"]


def test_the_guides_example_is_right():
    guide = Path(__file__).parents[3] / "docs/guides/dashboards.md"
    example = json.loads(re.search(r"```json\n(.*?)```", guide.read_text(), re.DOTALL)[1])
    document = DashboardDocument.model_validate(example)
    assert len(list(read_definition(document.definition).panels())) == 3


class TestBuiltIn:
    def test_there_is_one_for_the_fleet_and_each_type(self):
        assert {item.kind for item in BUILT_IN.values()} == {FLEET, *DEVICE_TYPES}
        assert built_in_for("submarine").kind == "other"

    @pytest.mark.parametrize("kind", [FLEET, *DEVICE_TYPES])
    def test_each_is_right_and_says_what_would_bring_data(self, kind):
        definition = read_definition(built_in_for(kind).definition)
        panels = dict(definition.panels())
        assert len(panels) >= 10
        for place, panel in panels.items():
            assert panel.missing, place
            for query in panel.queries:
                wanted = query.filter
                assert (wanted.device_type == ["$type"]) if kind == FLEET else (wanted.device_type == [kind])
                assert wanted.department == ["$department"]
                if query.language == "fleet" and kind != "vehicle":
                    assert set(query.metrics) <= METRICS.keys(), place
