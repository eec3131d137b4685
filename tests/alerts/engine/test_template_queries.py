"""Templates of rules ask by `query`, as in Prometheus, within bounds."""

import pytest

from fleetkeeper.alerts.engine import template_queries
from fleetkeeper.alerts.templates import effort
from fleetkeeper.errors import ConflictError
from tests.factories.telemetry import make_device

PROMQL = {"kind": "promql", "expr": "cpu_usage_percent > 90"}
THRESHOLD = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


@pytest.fixture
async def fleet(watch, measure, connection):
    """A hot device and a cool one."""
    hot, cool = make_device(connection, "hot"), make_device(connection, "cool")
    await measure(hot, watch.now, cpu_usage_percent=95)
    await measure(cool, watch.now, cpu_usage_percent=10)
    return hot, cool


async def said(watch, text: str, condition=PROMQL, **more) -> str:
    """What an annotation of a rule says."""
    rule = await watch.rule(condition=condition, annotations={"summary": text}, **more)
    await watch.evaluate(rule)
    (alert,) = await watch.alerts()
    return alert.annotations["summary"]


@pytest.mark.parametrize("condition", [PROMQL, THRESHOLD], ids=["promql", "threshold"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{{ with query "sum(cpu_usage_percent)" }}{{ . | first | value }}{{ end }}', "105"),
        (
            '{{ range query "cpu_usage_percent" | sortByLabel "instance" }}{{ .Labels.instance }} {{ end }}',
            "cool hot ",
        ),
        ('{{ query "cpu_usage_percent < 20" | first | label "instance" }}', "cool"),
        (
            '{{ query (printf "cpu_usage_percent{instance=%q} * 2" $labels.instance) | first | value }}',
            "190",
        ),
        ('{{ with query "nothing" }}some{{ else }}none{{ end }}', "none"),
        ('{{ query "7" | first | value }}', "7"),
        # The text of one is what another gives.
        ('{{ query (printf "%.0f + 1" (query "41" | first | value)) | first | value }}', "42"),
    ],
)
async def test_answers(watch, fleet, condition, text, expected):
    assert await said(watch, text, condition) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{{ query "cpu_usage_percent{" }}', "parse error"),
        ('{{ query "nothing" | first | value }}', "first() called on vector with no elements"),
        ('{{ query "\\"a\\"" }}', "not a vector or scalar"),
    ],
)
async def test_errors_are_told_in_the_text(watch, fleet, text, why):
    found = await said(watch, text)
    assert found.startswith("<error expanding template: ")
    assert why in found


async def test_labels_of_rules_may_ask_too(watch, fleet):
    text = '{{ with query "max(cpu_usage_percent)" }}{{ . | first | value | printf "%.0f" }}{{ end }}'
    await watch.evaluate(await watch.rule(condition=PROMQL, labels={"top": text}))
    (alert,) = await watch.alerts()
    assert alert.labels["top"] == "95"


async def test_a_rule_of_a_department_asks_with_its_eyes(watch, fleet, connection, place):
    connection.execute("UPDATE devices SET department_id = %s WHERE id = %s", (place, fleet[0]))
    text = '{{ query "count(cpu_usage_percent)" | first | value }}'
    assert await said(watch, text, department_id=place) == "1"


async def test_the_number_of_queries_is_bounded(watch, fleet, monkeypatch):
    monkeypatch.setattr(template_queries, "MOST_QUERIES", 2)
    text = '{{ range query "1" }}{{ end }}{{ range query "2" }}{{ end }}{{ range query "3" }}{{ end }}'
    assert "more than 2 queries" in await said(watch, text)


async def test_the_time_of_queries_is_bounded(watch):
    asked = template_queries.TemplateQueries(watch.engine._asking(None), watch.now, _seconds_left=0.0)
    assert asked.samples("1") == []
    assert await asked.find_out()
    with pytest.raises(ValueError, match="take longer"):
        asked.samples("1")


async def test_prometheus_api_shows_what_was_told(watch, fleet, admin):
    text = '{{ query "sum(cpu_usage_percent)" | first | value }}'
    assert await said(watch, text) == "105"
    answer = await admin.get("/prometheus/api/v1/alerts")
    (alert,) = answer.json()["data"]["alerts"]
    assert alert["annotations"] == {"summary": "105"}


COSTLY = "{{ range $a, $b := $labels }}{{ range $c, $d := $labels }}{{ $x := $d }}{{ end }}{{ end }}ok"


async def test_templates_of_a_rule_have_bounds_together_and_it_fires_all_the_same(watch, fleet, monkeypatch):
    monkeypatch.setattr(effort, "MAX_STEPS_OF_RULE", 100)
    rule = await watch.rule(
        condition=PROMQL, annotations={"a": COSTLY, "b": COSTLY, "c": "{{ $labels.instance }}"}
    )
    await watch.evaluate(rule)
    (alert,) = await watch.alerts()
    assert "together take too many steps" in alert.annotations["b"]
    assert alert.annotations["c"] == "hot"


async def test_labels_that_cost_too_much_fail_the_rule(watch, fleet, monkeypatch):
    monkeypatch.setattr(effort, "MAX_STEPS_OF_RULE", 10)
    rule = await watch.rule(condition=PROMQL, labels={"a": COSTLY})
    with pytest.raises(ConflictError, match="labels together take too many steps"):
        await watch.evaluate(rule)
    assert await watch.alerts() == []
