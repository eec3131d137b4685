"""Recording rules: their results are series, which later rules read, and which end."""

from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from fleetkeeper.alerts.engine import queries
from fleetkeeper.alerts.engine.evaluating import CONTEXT
from fleetkeeper.alerts.models import AlertEvaluation
from fleetkeeper.alerts.recording.models import RecordedSeries, RecordingRule
from tests.factories.telemetry import make_device


@pytest.fixture
def record(watch):
    """Make a recording rule."""

    async def make(name: str, expr: str, **more) -> RecordingRule:
        rule = RecordingRule(name=name, expr=expr, origin_key="a.yml/g/0", **{"unit": uuid4(), **more})
        async with watch.engine.database.session(CONTEXT) as session:
            session.add(rule)
            await session.flush()
            await session.refresh(rule)
        return rule

    return make


@pytest.fixture
def ask(watch):
    """Series of an expression, with their values, some seconds after the beginning."""

    async def answer(client, expr: str, seconds: float = 0) -> list[tuple[dict[str, str], float]]:
        at = (watch.now + timedelta(seconds=seconds)).timestamp()
        found = await client.get("/prometheus/api/v1/query", params={"query": expr, "time": f"{at:.3f}"})
        assert found.status_code == 200, found.text
        return [(one["metric"], float(one["value"][1])) for one in found.json()["data"]["result"]]

    return answer


@pytest.fixture
async def fleet(watch, measure, connection):
    """Two devices that report."""
    one, other = make_device(connection, "one"), make_device(connection, "other")
    for seconds in (90, 0):
        await measure(one, watch.now - timedelta(seconds=seconds), cpu_usage_percent=20)
        await measure(other, watch.now - timedelta(seconds=seconds), cpu_usage_percent=40)
    return SimpleNamespace(one=one, other=other)


class TestSeries:
    async def test_series_that_name_a_device_belong_to_it_and_have_the_same_labels(
        self, admin, watch, record, ask, fleet, connection
    ):
        rule = await record("cpu:double", "cpu_usage_percent * 2", labels={"team": "ops", "core": ""})
        await watch.evaluate(rule)
        recorded = {one["instance"]: (one, value) for one, value in await ask(admin, "cpu:double")}
        plain = {one["instance"]: one for one, _ in await ask(admin, "cpu_usage_percent")}
        assert {name: value for name, (_, value) in recorded.items()} == {"one": 40, "other": 80}
        expected = {**plain["one"], "__name__": "cpu:double", "team": "ops"}
        assert recorded["one"][0] == expected
        # One channel for both.
        keys = connection.execute("SELECT key FROM channels WHERE key LIKE 'cpu:double%'").fetchall()
        assert keys == [('cpu:double{job="fleetkeeper-agent",team="ops"}',)]

    async def test_aggregates_have_no_other_labels_than_their_own(self, admin, watch, record, ask, fleet):
        await watch.evaluate(await record("cpu:sum", "sum(cpu_usage_percent)"))
        await watch.evaluate(await record("cpu:job", "sum by (job) (cpu_usage_percent)"))
        assert await ask(admin, "cpu:sum") == [({"__name__": "cpu:sum"}, 60)]
        assert await ask(admin, 'cpu:sum{instance=""}') == [({"__name__": "cpu:sum"}, 60)]
        assert await ask(admin, 'cpu:sum{instance!=""}') == []
        assert await ask(admin, "cpu:job") == [({"__name__": "cpu:job", "job": "fleetkeeper-agent"}, 60)]

    async def test_labels_that_are_not_all_of_the_device_stay_as_they_are(
        self, admin, watch, record, ask, fleet
    ):
        await watch.evaluate(await record("cpu:device", "sum by (device_id) (cpu_usage_percent)"))
        found = {one["device_id"]: (one, value) for one, value in await ask(admin, "cpu:device")}
        assert found[str(fleet.one)] == ({"__name__": "cpu:device", "device_id": str(fleet.one)}, 20)

    async def test_recording_is_no_sign_of_life(self, watch, record, fleet, connection):
        before = connection.execute("SELECT id, last_seen, status FROM devices ORDER BY id").fetchall()
        vitals = connection.execute("SELECT * FROM device_vitals ORDER BY device_id").fetchall()
        await watch.evaluate(await record("cpu:double", "cpu_usage_percent * 2"), 5)
        after = connection.execute("SELECT id, last_seen, status FROM devices ORDER BY id").fetchall()
        assert after[: len(before)] == before
        assert connection.execute("SELECT * FROM device_vitals ORDER BY device_id").fetchall() == vitals

    async def test_a_threshold_sees_what_was_recorded(self, watch, record, fleet):
        await watch.evaluate(await record("cpu:double", "cpu_usage_percent * 2"))
        rule = await watch.rule(condition={"kind": "threshold", "metric": "cpu:double", "threshold": 70})
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        assert (alert.device_name, alert.actual_value) == ("other", 80)

    async def test_who_sees_a_department_sees_neither_others_nor_aggregates(
        self, admin, watch, record, ask, fleet, connection, token_for, place
    ):
        connection.execute("UPDATE devices SET department_id = %s WHERE id = %s", (place, fleet.one))
        await watch.evaluate(await record("cpu:double", "cpu_usage_percent * 2"))
        await watch.evaluate(await record("cpu:sum", "sum(cpu_usage_percent)"))
        client = await token_for(["telemetry:read", "devices:read"], place)
        assert [one["instance"] for one, _ in await ask(client, "cpu:double")] == ["one"]
        assert await ask(client, "cpu:sum") == []
        assert len(await ask(admin, "cpu:sum")) == 1


class TestTime:
    async def test_a_later_rule_of_the_unit_sees_what_an_earlier_one_recorded(
        self, watch, record, fleet, connection
    ):
        unit = uuid4()
        first = await record("cpu:sum", "sum(cpu_usage_percent)", unit=unit, position=0)
        await record("cpu:twice", "cpu:sum * 2", unit=unit, position=1, interval_seconds=5)
        rule = await watch.rule(name="Much", condition={"kind": "promql", "expr": "cpu:twice == 120"})
        connection.execute("UPDATE alert_rules SET unit = %s, position = 2 WHERE id = %s", (unit, rule.id))
        connection.execute("UPDATE recording_rules SET interval_seconds = 1 WHERE id = %s", (first.id,))
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        while await watch.engine.evaluate_next():
            pass
        (alert,) = await watch.alerts()
        assert alert.actual_value == 120

    async def test_one_instant_is_written_once(self, watch, record, fleet, connection):
        rule = await record("cpu:sum", "sum(cpu_usage_percent)")
        await watch.evaluate(rule, 1)
        before = connection.execute("SELECT count(*) FROM frames").fetchone()
        await watch.evaluate(rule, 1)
        assert connection.execute("SELECT count(*) FROM frames").fetchone() == before

    async def test_a_series_that_is_no_more_ends(self, admin, watch, record, measure, ask, fleet):
        rule = await record("cpu:high", "cpu_usage_percent > 30")
        await watch.evaluate(rule, 1)
        assert len(await ask(admin, "cpu:high", 1)) == 1
        await measure(fleet.other, watch.now + timedelta(seconds=2), cpu_usage_percent=5)
        await watch.evaluate(rule, 3)
        assert await ask(admin, "cpu:high", 3) == []
        assert len(await ask(admin, "cpu:high", 2)) == 1
        await measure(fleet.other, watch.now + timedelta(seconds=4), cpu_usage_percent=50)
        await watch.evaluate(rule, 4)
        assert [value for _, value in await ask(admin, "cpu:high", 4)] == [50]

    @pytest.mark.parametrize(
        "act", ["DELETE FROM recording_rules", "UPDATE recording_rules SET enabled = false"]
    )
    async def test_what_a_rule_recorded_ends_when_the_rule_is_gone_or_disabled(
        self, admin, watch, record, ask, fleet, connection, act
    ):
        rule = await record("cpu:sum", "sum(cpu_usage_percent)")
        await watch.evaluate(rule, -1)
        await watch.engine.recorder.end_orphans()
        assert len(await ask(admin, "cpu:sum", 0)) == 1
        connection.execute(act)
        await watch.engine.recorder.end_orphans()
        assert await ask(admin, "cpu:sum", 5) == []
        async with watch.engine.database.session(CONTEXT) as session:
            assert await session.scalar(select(func.count()).select_from(RecordedSeries)) == 0

    async def test_offset_of_the_query_is_the_samples(self, admin, watch, record, ask, fleet):
        rule = await record("cpu:sum", "sum(cpu_usage_percent)", query_offset_ms=30_000)
        await watch.evaluate(rule, 35)
        ((_, moment),) = await ask(admin, "timestamp(cpu:sum)", 40)
        assert moment == pytest.approx(watch.now.timestamp() + 5, abs=0.002)


class TestFailing:
    @pytest.mark.parametrize(
        ("expr", "more", "why"),
        [
            ("cpu_usage_percent", {"labels": {"instance": "", "device_id": "x"}}, "make equal"),
            ("cpu_usage_percent", {"series_limit": 1}, "exceeded limit of 1 with 2 series"),
            ('label_replace(vector(1), "x", "%s", "", "")' % ("y" * 400), {}, "at most 300 characters"),
        ],
    )
    async def test_a_rule_that_fails_says_why_and_the_others_go_on(
        self, watch, record, fleet, expr, more, why, admin
    ):
        unit = uuid4()
        bad = await record("bad:one", expr, unit=unit, position=0, **more)
        await record("good:one", "sum(cpu_usage_percent)", unit=unit, position=1)
        async with watch.engine.database.session(CONTEXT) as session:
            await queries.enlist(session)
        while await watch.engine.evaluate_next():
            pass
        async with watch.engine.database.session(CONTEXT) as session:
            row = await session.get_one(AlertEvaluation, unit)
        assert why in row.failures[str(bad.id)]
        assert len(row.failures) == 1
        answer = await admin.get("/prometheus/api/v1/rules?type=record")
        (group,) = answer.json()["data"]["groups"]
        assert (group["file"], group["name"]) == ("a.yml", "g")
        one, other = group["rules"]
        assert (one["type"], one["health"], one["name"], one["query"]) == (
            "recording",
            "err",
            "bad:one",
            expr,
        )
        assert why in one["lastError"]
        assert (other["health"], other["labels"]) == ("ok", {})
        assert other["lastEvaluation"] > "2020"
