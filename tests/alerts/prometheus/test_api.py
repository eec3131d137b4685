"""Rules and alerts as Grafana asks Prometheus for them."""

import pytest

from fleetkeeper.alerts.matchers import parse_matchers
from fleetkeeper.alerts.prometheus.expressions import expression_of
from fleetkeeper.alerts.prometheus.service import scientific
from fleetkeeper.alerts.rules.conditions import (
    NoReportCondition,
    StateCondition,
    ThresholdCondition,
)
from fleetkeeper.telemetry.promql.parsing import parse_query
from tests.factories.telemetry import make_device

API = "/prometheus/api/v1"
HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


async def ask(client, path, **parameters):
    answer = await client.get(f"{API}/{path}", params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.fixture
async def rule(watch, measure, connection):
    """A rule of two devices that fires on one."""
    hot, cool = make_device(connection, "hot"), make_device(connection, "cool")
    made = await watch.rule(
        condition=HOT,
        for_seconds=60,
        labels={"team": "ops"},
        annotations={"summary": "{{ $labels.device_id }} is at {{ $value }}"},
    )
    await measure(hot, watch.now, cpu_usage_percent=95)
    await measure(cool, watch.now, cpu_usage_percent=10)
    await watch.evaluate(made)
    return made


class TestRules:
    async def test_rule_with_what_it_sees(self, viewer, rule):
        groups = (await ask(viewer, "rules", **{"rule_name[]": "Hot"}))["groups"]
        (group,) = groups
        assert (group["name"], group["file"], group["interval"]) == ("Hot", "fleet", 60)
        (told,) = group["rules"]
        (alert,) = told.pop("alerts")
        assert alert["state"] == told["state"] == "pending"
        assert alert["value"] == "9.5e+01"
        assert alert["labels"]["alertname"] == "Hot"
        assert alert["annotations"] == {"summary": f"{alert['labels']['device_id']} is at 95"}
        assert told["query"] == "last_over_time(cpu_usage_percent[300s]) > 90"
        assert (told["duration"], told["keepFiringFor"], told["type"]) == (60, 0, "alerting")
        assert told["labels"] == {"severity": "warning", "team": "ops"}
        assert told["health"] == "unknown"
        assert told["lastEvaluation"] == "0001-01-01T00:00:00Z"

    async def test_state_follows(self, viewer, watch, rule):
        await watch.evaluate(rule, 60)
        (group,) = (await ask(viewer, "rules", **{"rule_name[]": "Hot"}))["groups"]
        assert group["rules"][0]["state"] == "firing"
        (alert,) = (await ask(viewer, "alerts"))["alerts"]
        assert (alert["state"], alert["labels"]["team"]) == ("firing", "ops")

    async def test_filters(self, viewer, rule):
        async def names(**wanted):
            groups = (await ask(viewer, "rules", **wanted))["groups"]
            return {one["name"] for group in groups for one in group["rules"]}

        assert "Hot" in await names()
        assert "Hot" in await names(type="alert")
        assert await names(type="record") == set()
        assert await names(**{"rule_name[]": "Hot"}) == {"Hot"}
        assert await names(**{"rule_group[]": "Hot"}) == {"Hot"}
        assert await names(**{"file[]": "elsewhere"}) == set()

    async def test_another_departments_alerts_are_not_there(self, admin, token_for, place, rule):
        client = await token_for(["telemetry:read", "alerts:read"], place)
        (group,) = (await ask(client, "rules", **{"rule_name[]": "Hot"}))["groups"]
        assert group["rules"][0]["alerts"] == []
        (device,) = (await admin.get("/api/v1/devices?name=hot")).json()["results"]
        moved = await admin.patch(f"/api/v1/devices/{device['id']}", json={"department_id": place})
        assert moved.status_code == 200, moved.text
        assert len((await ask(client, "alerts"))["alerts"]) == 1

    async def test_who_may_not_see_alerts_sees_none(self, token_for, rule):
        client = await token_for(["telemetry:read"])
        assert await ask(client, "rules") == {"groups": []}
        assert await ask(client, "alerts") == {"alerts": []}

    async def test_unknown_type_is_refused_as_prometheus_does(self, viewer):
        answer = await viewer.get(f"{API}/rules", params={"type": "other"})
        assert answer.status_code == 400
        assert answer.json()["errorType"] == "bad_data"

    async def test_nobody_reads_without_a_credential(self, anonymous):
        for path in ("rules", "alerts"):
            assert (await anonymous.get(f"{API}/{path}")).status_code == 401


class TestExpressions:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ({"reduce": "mean"}, "avg_over_time(m[300s]) > 1.5"),
            ({"reduce": "percentile"}, "quantile_over_time(0.95, m[300s]) > 1.5"),
            ({"matchers": 'a=~"x.*", b!="y"'}, 'last_over_time(m{a=~"x.*", b!="y"}[300s]) > 1.5'),
        ],
    )
    def test_threshold_is_promql(self, given, expected):
        told = expression_of(ThresholdCondition(metric="m", threshold=1.5, **given))
        assert told == expected
        assert parse_query(told)

    def test_dots_need_braces(self):
        told = expression_of(ThresholdCondition(metric="disk.free", threshold=1))
        assert told == 'last_over_time({__name__="disk.free"}[300s]) > 1'
        assert parse_query(told)
        assert parse_matchers(told[len("last_over_time(") : told.index("[")])

    def test_others_are_readable(self):
        assert expression_of(NoReportCondition(silence_seconds=60)) == "no report of device for 60s"
        assert expression_of(StateCondition(metric="raid", value="degraded")) == "raid is degraded"
        changed = ThresholdCondition(metric="m", threshold=1, reduce="change")
        assert expression_of(changed) == "change of m over 300s > 1"

    @pytest.mark.parametrize(
        ("value", "expected"),
        [(1.0, "1e+00"), (95.0, "9.5e+01"), (0.001, "1e-03"), (float("inf"), "+Inf"), (float("nan"), "NaN")],
    )
    def test_values_are_written_as_go_does(self, value, expected):
        assert scientific(value) == expected
