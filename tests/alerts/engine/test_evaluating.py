"""Rules over real samples: what fires, for whom, and what is written of it."""

import json
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from fleetkeeper.alerts.engine import queries
from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.kit.clock import utc_now
from tests.factories.telemetry import make_device

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90, "recovery": 80}


@pytest.fixture
def desk(connection):
    return make_device(connection, "desk")


class TestThreshold:
    async def test_value_above_the_threshold_fires_and_says_why(self, watch, measure, desk):
        rule = await watch.rule(
            condition=HOT, annotations={"summary": "{{ $labels.instance }}: {{ $value }}"}
        )
        await measure(desk, watch.now, cpu_usage_percent=95.5)
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        assert (alert.system_id, alert.status, alert.device_name) == (desk, "firing", "desk")
        assert (alert.actual_value, alert.threshold_value) == (95.5, 90)
        assert alert.annotations["summary"] == "desk: 95.5"
        assert alert.labels["alertname"] == "Hot"
        assert await watch.events(alert.alert_id) == ["triggered"]

    async def test_waits_for_as_long_as_the_rule_says(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT, for_seconds=30)
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule)
        await watch.evaluate(rule, 15)
        assert await watch.alerts() == []
        await watch.evaluate(rule, 30)
        (alert,) = await watch.alerts()
        assert alert.pending_since == watch.now

    async def test_fires_on_until_the_value_is_past_the_recovery_threshold(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT)
        for seconds, value in ((0, 95), (15, 85), (30, 79)):
            at = watch.now - timedelta(seconds=60 - seconds)
            await measure(desk, at, cpu_usage_percent=value)
            await watch.evaluate(rule, seconds - 60)
            (alert,) = await watch.alerts()
            assert (alert.resolved_at is not None) == (value < 80)
        assert alert.resolution == "cleared"
        assert alert.last_value == 79

    async def test_fires_on_when_a_device_begins_to_report_more(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT)
        await measure(desk, watch.now - timedelta(seconds=10), cpu_usage_percent=95)
        await watch.evaluate(rule, -10)
        await measure(desk, watch.now, cpu_usage_percent=95, load_average_1m=3)
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        assert alert.resolved_at is None

    async def test_value_that_is_too_old_is_none(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT)
        await measure(desk, watch.now - timedelta(minutes=6), cpu_usage_percent=95)
        await watch.evaluate(rule)
        assert await watch.alerts() == []

    async def test_mean_of_a_window(self, watch, measure, desk):
        condition = {**HOT, "reduce": "mean", "window_seconds": 60}
        rule = await watch.rule(condition=condition)
        for seconds, value in ((55, 100), (30, 100), (5, 76)):
            await measure(desk, watch.now - timedelta(seconds=seconds), cpu_usage_percent=value)
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        assert alert.actual_value == 92

    async def test_devices_out_of_scope_and_retired_ones_are_left_alone(
        self, watch, measure, desk, connection
    ):
        other = make_device(connection, "old")
        connection.execute("UPDATE devices SET lifecycle = 'retired' WHERE id = %s", (other,))
        await measure(other, watch.now, cpu_usage_percent=99)
        await measure(desk, watch.now, cpu_usage_percent=99)
        rule = await watch.rule(condition=HOT, scope={"excluded_devices": [str(desk)]})
        await watch.evaluate(rule)
        assert await watch.alerts() == []

    async def test_override_of_a_device(self, watch, measure, desk, connection):
        rule = await watch.rule(condition=HOT)
        connection.execute(
            "INSERT INTO alert_overrides (id, alert_rule_id, device_id, threshold) VALUES (uuidv7(), %s, %s, 99)",
            (rule.id, desk),
        )
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule)
        assert await watch.alerts() == []

    async def test_what_was_pending_waits_anew_after_a_gap(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT, for_seconds=30)
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule)
        await watch.evaluate(rule, 60, after_gap=True)
        assert await watch.alerts() == []
        await watch.evaluate(rule, 90)
        assert len(await watch.alerts()) == 1


class TestLimitsOfGroups:
    async def rule_of_unit(self, watch, connection, **columns):
        rule = await watch.rule(condition={"kind": "promql", "expr": "cpu_usage_percent > 90"})
        for name, value in columns.items():
            connection.execute(f"UPDATE alert_rules SET {name} = %s WHERE id = %s", (value, rule.id))
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        return await watch.loaded(rule.id)

    async def test_more_alerts_than_the_limit_end_and_the_rule_fails(
        self, watch, measure, desk, connection, admin
    ):
        await self.rule_of_unit(watch, connection, series_limit=1, interval_seconds=5)
        other = make_device(connection, "lamp")
        await measure(desk, watch.now - timedelta(seconds=20), cpu_usage_percent=95)
        assert await watch.engine.evaluate_next()
        (alert,) = await watch.alerts()
        assert alert.resolved_at is None
        await measure(other, watch.now - timedelta(seconds=15), cpu_usage_percent=95)
        connection.execute(
            "UPDATE alert_evaluations SET next_at = now(), evaluated_at = evaluated_at - interval '6 seconds'"
        )
        assert await watch.engine.evaluate_next()
        (alert,) = await watch.alerts()
        assert (alert.status, alert.resolution) == ("resolved", "limit_exceeded")
        answer = await admin.get("/prometheus/api/v1/rules?rule_name[]=Hot")
        (group,) = answer.json()["data"]["groups"]
        assert group["limit"] == 1
        assert group["rules"][0]["lastError"] == "exceeded limit of 1 with 2 alerts"

    async def test_query_offset_moves_what_is_looked_at(self, watch, measure, desk, connection):
        rule = await self.rule_of_unit(watch, connection, query_offset_ms=60_000)
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule, 30)
        assert await watch.alerts() == []
        await watch.evaluate(rule, 61)
        (alert,) = await watch.alerts()
        assert alert.triggered_at == watch.now + timedelta(seconds=61)


class TestOtherKinds:
    async def test_device_that_does_not_report(self, watch, measure, desk):
        rule = await watch.rule(name="Away", condition={"kind": "no_report", "silence_seconds": 60})
        await measure(desk, watch.now, cpu_usage_percent=5)
        await watch.evaluate(rule, 30, running_since=watch.now)
        assert await watch.alerts() == []
        await watch.evaluate(rule, 120, running_since=watch.now)
        (alert,) = await watch.alerts()
        assert alert.device_name == "desk"

    async def test_silence_counts_from_when_the_rule_is_watched(self, watch, measure, desk):
        rule = await watch.rule(name="Away", condition={"kind": "no_report", "silence_seconds": 60})
        await measure(desk, watch.now, cpu_usage_percent=5)
        await watch.evaluate(rule, 600, running_since=watch.now + timedelta(seconds=590))
        assert await watch.alerts() == []

    async def test_expression_of_promql(self, watch, measure, desk):
        rule = await watch.rule(
            condition={"kind": "promql", "expr": "cpu_usage_percent > 90"},
            labels={"team": "{{ $labels.instance }}s"},
        )
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule, 1)
        (alert,) = await watch.alerts()
        assert (alert.system_id, alert.actual_value, alert.labels["team"]) == (desk, 95, "desks")

    async def test_nul_in_a_label_or_text_goes(self, watch, measure, desk):
        expression = 'label_replace(vector(1), "x", "a\\u0000b", "", "")'
        texts = {"summary": '{{ "a\\x00b" }}'}
        rule = await watch.rule(condition={"kind": "promql", "expr": expression}, annotations=texts)
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        assert (alert.labels["x"], alert.annotations["summary"]) == ("ab", "ab")


class TestUnits:
    async def test_each_instant_is_evaluated_once(self, watch, measure, desk):
        await watch.rule(condition=HOT)
        await measure(desk, watch.now - timedelta(seconds=90), cpu_usage_percent=95)
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        assert await watch.engine.evaluate_next()
        assert not await watch.engine.evaluate_next()
        assert len(await watch.alerts()) == 1

    async def test_rule_that_fails_says_so_and_is_due_again(self, watch, connection):
        rule = await watch.rule(condition=HOT, scope={"filter": "nothing=1"})
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        assert await watch.engine.evaluate_next()
        row = connection.execute(
            "SELECT error, failing_since, next_at > now() FROM alert_evaluations WHERE unit = %s",
            (rule.unit,),
        ).fetchone()
        assert "filter is unknown" in row[0]
        assert row[1] is not None
        assert row[2]

    async def test_what_takes_too_long_again_and_again_waits_longer(self, watch, connection):
        rule = await watch.rule(condition=HOT, interval_seconds=5)

        async def seconds_left(failing_for: str, *, waits: bool) -> float:
            connection.execute(
                f"UPDATE alert_evaluations SET failing_since = now() - interval '{failing_for}', evaluated_at = NULL"
            )
            async with watch.engine.database.session(CONTEXT) as session:
                now = utc_now()
                await queries.fail(
                    session,
                    rule.unit,
                    at=now,
                    next_at=now + timedelta(seconds=5),
                    error="too long",
                    waits=waits,
                )
                await queries.enlist(session)
            left = connection.execute("SELECT extract(epoch FROM next_at - now()) FROM alert_evaluations")
            return float(left.fetchone()[0])

        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        assert await seconds_left("60 seconds", waits=False) < 10
        assert await seconds_left("1 second", waits=True) < 10
        assert 50 < await seconds_left("60 seconds", waits=True) < 70
        assert 290 < await seconds_left("1 day", waits=True) < 310

    async def test_a_rule_that_fails_is_logged_when_that_changes(self, watch, connection):
        rule = await watch.rule(condition=HOT, scope={"filter": "nothing=1"})
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)

        async def logged(query=""):
            connection.execute(
                "UPDATE alert_evaluations SET next_at = now(), evaluated_at = evaluated_at - interval '90 s'"
            )
            if query:
                scope = json.dumps({"filter": query})
                connection.execute(
                    "UPDATE alert_rules SET scope = scope || %s WHERE id = %s", (scope, rule.id)
                )
            with capture_logs() as logs:
                assert await watch.engine.evaluate_next()
            return [one["event"] for one in logs if one.get("rule") == "Hot"]

        assert await logged() == ["a rule fails"]
        assert await logged() == []
        assert await logged("other=1") == ["a rule fails"]
        assert await logged("name=desk") == ["a rule works again"]
        assert await logged() == []


class TestTelling:
    async def test_told_once_and_once_when_it_is_over(self, watch, measure, desk):
        rule = await watch.rule(condition=HOT)
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule)
        assert await watch.tell(1) == 0
        assert await watch.tell(10) == 1
        assert await watch.tell(320) == 0
        await measure(desk, watch.now + timedelta(seconds=2), cpu_usage_percent=5)
        await watch.evaluate(rule, 330)
        assert await watch.tell(340) == 0
        assert await watch.tell(640) == 1
        assert await watch.tell(1000) == 0
        fired, over = await watch.told()
        assert fired.title == "Warning: Hot on desk"
        assert over.title == "Resolved: Hot on desk"
        assert fired.payload["version"] == "4"
        assert fired.payload["alerts"][0]["status"] == "firing"
        (alert,) = await watch.alerts()
        assert await watch.events(alert.alert_id) == ["triggered", "told", "resolved", "told"]
