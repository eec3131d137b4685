"""Rules, alerts, silences and routes by the API: who may do what, and what comes of it."""

from datetime import timedelta
from uuid import UUID

import pytest

from fleetkeeper.alerts.routing.queries import Quieting, quieting_alerts
from fleetkeeper.kit.clock import utc_now
from tests.factories.devices import enter, relate
from tests.factories.telemetry import make_device
from tests.fixtures.client import TEST_CONTEXT

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


@pytest.fixture
def desk(connection):
    return make_device(connection, "desk")


@pytest.fixture
async def alert(watch, measure, desk):
    rule = await watch.rule(condition=HOT)
    await measure(desk, watch.now, cpu_usage_percent=95)
    await watch.evaluate(rule)
    (found,) = await watch.alerts()
    return found


class TestRules:
    async def test_made_changed_and_deleted(self, admin):
        made = await admin.post("/api/v1/alert-rules", json={"name": "Hot", "condition": HOT})
        assert made.status_code == 201, made.text
        rule = made.json()
        assert (rule["origin"], rule["severity"], rule["condition"]["op"]) == ("person", "warning", ">")
        wanted = {"name": "Hot", "condition": HOT, "severity": "high"}
        changed = await admin.put(f"/api/v1/alert-rules/{rule['id']}", json=wanted)
        assert changed.json()["severity"] == "high"
        gone = await admin.delete(
            f"/api/v1/alert-rules/{rule['id']}", headers={"X-Change-Reason": "no longer needed"}
        )
        assert gone.status_code == 204

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"condition": {"kind": "promql", "expr": "up{"}}, "condition"),
            ({"condition": HOT | {"matchers": "a=~("}}, "condition"),
            ({"condition": HOT | {"recovery": 95}}, "condition"),
            ({"condition": HOT, "annotations": {"summary": "{{ $x }"}}, "annotations"),
        ],
    )
    async def test_what_is_wrong_is_named(self, admin, given, field):
        answer = await admin.post("/api/v1/alert-rules", json={"name": "Hot"} | given)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].startswith(field), answer.text

    async def test_disabling_a_rule_resolves_what_it_fired(self, admin, watch, alert):
        wanted = {"name": "Hot", "condition": HOT, "enabled": False}
        answer = await admin.put(f"/api/v1/alert-rules/{alert.rule_id}", json=wanted)
        assert answer.status_code == 200, answer.text
        (after,) = await watch.alerts()
        assert (after.status, after.resolution) == ("resolved", "rule_disabled")

    async def test_deleting_a_rule_resolves_what_it_fired_and_keeps_the_log(self, admin, watch, alert):
        await admin.delete(f"/api/v1/alert-rules/{alert.rule_id}", headers={"X-Change-Reason": "wrong"})
        (after,) = await watch.alerts()
        assert (after.status, after.resolution, after.rule_id) == ("resolved", "rule_deleted", None)

    async def test_what_a_rule_fired_ends_whoever_deleted_it(self, watch, alert, connection):
        connection.execute("DELETE FROM alert_rules WHERE id = %s", (alert.rule_id,))
        await watch.tell(1)
        (after,) = await watch.alerts()
        assert (after.status, after.resolution) == ("resolved", "rule_deleted")
        assert connection.execute("SELECT count(*) FROM alert_instances").fetchone() == (0,)

    async def test_filter_that_is_none_is_refused(self, admin):
        for text in ("foo=bar", "cpu_cores=99999999999999999999", "q=%00"):
            wanted = {"name": "Hot", "condition": HOT, "scope": {"filter": text}}
            answer = await admin.post("/api/v1/alert-rules", json=wanted)
            assert answer.status_code in {400, 422}, text
            assert answer.json()["errors"][0]["field"] == "scope.filter"


class TestPreview:
    async def asked(self, admin, condition, **more):
        wanted = {"name": "Hot", "condition": condition, "interval_seconds": 60} | more
        answer = await admin.post("/api/v1/alert-rules/preview?days=1", json=wanted)
        assert answer.status_code == 200, answer.text
        return answer.json()

    @pytest.fixture
    async def hour(self, watch, measure, desk):
        """Hot from minute 20 to 29, and for one minute at 45."""
        start = watch.now - timedelta(minutes=60)
        for minute in range(60):
            hot = 20 <= minute < 30 or minute == 45
            await measure(desk, start + timedelta(minutes=minute), cpu_usage_percent=95 if hot else 10)

    async def test_threshold_says_how_often_it_would_have_fired(self, admin, hour):
        found = await self.asked(admin, HOT)
        assert (found["fired"], found["devices"]) == (2, 1)
        assert found["summary"] == "In the last 24 hours this rule would have fired 2 times on 1 device."
        assert found["alerts"][1]["value"] == 95
        assert (await self.asked(admin, HOT, for_seconds=300))["fired"] == 1
        mean = HOT | {"reduce": "mean", "window_seconds": 600}
        assert (await self.asked(admin, mean))["fired"] == 1

    async def test_expression_fires_where_the_threshold_does(self, admin, hour):
        ours = await self.asked(admin, HOT)
        theirs = await self.asked(admin, {"kind": "promql", "expr": "cpu_usage_percent > 90"})
        assert [one["fired_at"] for one in theirs["alerts"]] == [one["fired_at"] for one in ours["alerts"]]

    async def test_what_cannot_be_looked_at_says_so(self, admin):
        wanted = {"name": "Away", "condition": {"kind": "no_report", "what": "collector"}}
        answer = await admin.post("/api/v1/alert-rules/preview", json=wanted)
        assert answer.status_code == 422
        assert "Past failures of collectors are not stored" in answer.text

    async def test_missing_data_is_found_in_the_gaps(self, admin, watch, measure, desk, connection):
        for minute in (*range(60, 40, -1), *range(20, 0, -1)):
            at = watch.now - timedelta(minutes=minute)
            await measure(desk, at, cpu_usage_percent=10, agent_memory_bytes=1)
        connection.execute("UPDATE device_vitals SET report_interval_seconds = 60")
        for condition in (
            {"kind": "no_report", "silence_seconds": 300},
            {"kind": "no_report"},
            {"kind": "no_report", "what": "metric", "name": "cpu_usage_percent"},
        ):
            found = await self.asked(admin, condition)
            assert (found["fired"], found["devices"]) == (1, 1), condition
            assert found["alerts"][0]["resolved_at"], condition

    async def test_states_are_looked_at_as_they_were(self, admin, watch, measure, desk, connection):
        await measure(desk, watch.now, cpu_usage_percent=10)
        for minutes, value in ((90, "ok"), (60, "degraded"), (30, "ok")):
            connection.execute(
                "INSERT INTO states SELECT %s, c.id, %s, %s, false FROM channels c "
                "JOIN metrics m ON m.id = c.metric_id WHERE m.name = 'cpu_usage_percent'",
                (desk, watch.now - timedelta(minutes=minutes), value),
            )
        state = {"kind": "state", "metric": "cpu_usage_percent", "value": "degraded"}
        found = await self.asked(admin, state)
        assert (found["fired"], found["alerts"][0]["resolved_at"] is None) == (1, False)
        changed = await self.asked(admin, state | {"op": "changed", "value": ""}, detects_flapping=False)
        assert changed["fired"] == 2

    async def test_overrides_of_the_rule_count(self, admin, watch, hour, desk):
        rule = await watch.rule(condition=HOT)
        off = {"device_id": str(desk), "enabled": False}
        made = await admin.post(f"/api/v1/alert-rules/{rule.id}/overrides", json=off)
        assert made.status_code == 201
        wanted = {"name": "Hot", "condition": HOT}
        url = "/api/v1/alert-rules/preview?days=1"
        assert (await admin.post(url, json=wanted)).json()["fired"] == 2
        assert (await admin.post(f"{url}&rule_id={rule.id}", json=wanted)).json()["fired"] == 0
        assert (await admin.post(f"{url}&rule_id={desk}", json=wanted)).status_code == 404


class TestValues:
    async def test_open_alert_tells_its_newest_value(self, admin, watch, measure, alert, connection):
        rule = await watch.loaded(alert.rule_id)
        await measure(alert.system_id, watch.now + timedelta(seconds=5), cpu_usage_percent=99)
        await watch.evaluate(rule, 6)
        (listed,) = (await admin.get("/api/v1/alerts")).json()["results"]
        told = (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()
        assert (listed["actual_value"], listed["last_value"], told["last_value"]) == (95, 99, 99)


class TestActs:
    async def act(self, client, alert, act, **more):
        return await client.post(
            "/api/v1/alerts/acts", json={"act": act, "alert_ids": [alert.alert_id]} | more
        )

    async def test_acknowledged_with_a_note_and_told_in_the_story(self, admin, alert):
        answer = await self.act(admin, alert, "acknowledge", note="on it")
        assert answer.json()["changed"] == 1
        told = (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()
        assert (told["status"], told["is_acknowledged"]) == ("acknowledged", True)
        assert [(one["kind"], one["note"]) for one in told["events"]][-1] == ("acknowledged", "on it")

    async def test_snoozed_alerts_fire_again_when_it_is_over(self, admin, watch, alert):
        until = utc_now() + timedelta(minutes=5)
        answer = await self.act(admin, alert, "snooze", until=until.isoformat())
        assert answer.json()["changed"] == 1
        assert await watch.tell(60) == 0
        await watch.tell(400)
        assert (await watch.alerts())[0].status == "firing"
        assert "unsnoozed" in await watch.events(alert.alert_id)

    async def test_only_what_was_done_is_taken_back(self, admin, watch, alert):
        assert (await self.act(admin, alert, "unsnooze")).json()["unchanged"] == 1
        await self.act(admin, alert, "acknowledge")
        assert (await self.act(admin, alert, "unsnooze")).json()["unchanged"] == 1
        (found,) = await watch.alerts()
        assert (found.status, found.is_acknowledged) == ("acknowledged", True)
        until = (utc_now() + timedelta(hours=1)).isoformat()
        await self.act(admin, alert, "snooze", until=until)
        assert (await self.act(admin, alert, "unacknowledge")).json()["unchanged"] == 1
        assert (await watch.alerts())[0].status == "snoozed"

    async def test_acknowledged_again_with_another_end(self, admin, watch, alert):
        await self.act(admin, alert, "acknowledge")
        until = utc_now() + timedelta(hours=1)
        answer = await self.act(admin, alert, "acknowledge", until=until.isoformat())
        assert answer.json()["changed"] == 1
        assert (await watch.alerts())[0].acknowledged_until == until
        answer = await self.act(admin, alert, "acknowledge", until=until.isoformat())
        assert answer.json()["unchanged"] == 1

    async def test_what_was_told_and_snoozed_is_told_again_when_that_is_over(self, admin, watch, alert):
        assert await watch.tell(0) == 0
        assert await watch.tell(60) == 1
        until = utc_now() + timedelta(minutes=5)
        await self.act(admin, alert, "snooze", until=until.isoformat())
        assert await watch.tell(200) == 0
        assert await watch.tell(400) == 1
        # As any other, it is repeated after the repeat interval only.
        assert await watch.tell(1000) == 0
        assert len(await watch.told()) == 2

    async def test_resolved_is_final(self, admin, alert):
        assert (await self.act(admin, alert, "resolve")).json()["changed"] == 1
        answer = (await self.act(admin, alert, "acknowledge")).json()
        assert (answer["refused"], answer["results"][0]["detail"]) == (1, "This alert has already finished.")

    async def test_what_was_resolved_fires_again_while_it_is_true(self, admin, watch, measure, desk, alert):
        rule = await watch.loaded(alert.rule_id)
        assert (await self.act(admin, alert, "resolve")).json()["changed"] == 1
        await watch.evaluate(rule, 5)
        _, again = await watch.alerts()
        assert (again.status, again.system_id) == ("firing", desk)
        # Once: the next evaluation sees it firing.
        await watch.evaluate(rule, 10)
        assert len(await watch.alerts()) == 2
        await self.act(admin, again, "resolve")
        await measure(desk, watch.now + timedelta(seconds=5), cpu_usage_percent=5)
        await watch.evaluate(rule, 15)
        assert [one.status for one in await watch.alerts()] == ["resolved", "resolved"]

    async def test_resolving_again_and_again_is_no_flapping(self, admin, watch, measure, desk):
        rule = await watch.rule(condition=HOT, detects_flapping=True, for_seconds=60)
        await measure(desk, watch.now, cpu_usage_percent=95)
        await watch.evaluate(rule)
        for seconds in range(60, 100, 10):
            await watch.evaluate(rule, seconds)
            newest = (await watch.alerts())[-1]
            # It has been true for long enough already.
            assert (newest.status, newest.is_flapping) == ("firing", False)
            assert (await self.act(admin, newest, "resolve")).json()["changed"] == 1

    async def test_all_that_match(self, admin, alert):
        answer = await admin.post(
            "/api/v1/alerts/acts", json={"act": "acknowledge", "matching": "status=firing&q=desk"}
        )
        assert answer.json()["changed"] == 1

    async def test_viewer_may_look_and_not_act(self, viewer, alert):
        assert (await viewer.get("/api/v1/alerts")).json()["count"] == 1
        assert (await self.act(viewer, alert, "acknowledge")).status_code == 403

    async def test_times_to_acknowledge_and_resolve(self, admin, alert):
        await self.act(admin, alert, "acknowledge")
        await self.act(admin, alert, "resolve")
        (row,) = (await admin.get("/api/v1/alerts/times?by=rule")).json()
        assert (row["group"], row["alerts"], row["resolved"]) == ("Hot", 1, 1)
        assert row["mttr_seconds"] >= 0
        for by in ("severity", "department", "week"):
            assert len((await admin.get(f"/api/v1/alerts/times?by={by}")).json()) == 1


class TestSilences:
    async def test_silenced_alert_is_not_told_and_says_by_what(self, admin, watch, alert, desk):
        made = await admin.post(
            "/api/v1/alert-silences",
            json={
                "name": "Upgrade",
                "device_id": str(desk),
                "ends_at": (utc_now() + timedelta(hours=1)).isoformat(),
            },
        )
        assert made.status_code == 201, made.text
        assert await watch.tell(60) == 0
        (quiet,) = await watch.alerts()
        assert quiet.suppressed_by == {"silences": [made.json()["id"]]}
        ended = await admin.post(f"/api/v1/alert-silences/{made.json()['id']}/expire")
        assert ended.status_code == 200
        assert await watch.tell(600) == 1
        assert await watch.events(alert.alert_id) == ["triggered", "silenced", "unsilenced", "told"]

    @pytest.mark.parametrize(
        "given",
        [
            {"matchers": "", "ends_at": "2099-01-01T00:00:00Z"},
            {"matchers": 'a=""', "ends_at": "2099-01-01T00:00:00Z"},
            {"matchers": 'alertname=~".*", a!="b"', "ends_at": "2099-01-01T00:00:00Z"},
            {"matchers": "a=b"},
            {"matchers": "a=b", "recurrence": "FREQ=SECONDLY", "duration_seconds": 60},
            {
                "matchers": "a=b",
                "recurrence": "FREQ=DAILY",
                "duration_seconds": 60,
                "time_zone": "Nowhere/Land",
            },
        ],
    )
    async def test_what_is_wrong_is_refused(self, admin, given):
        assert (await admin.post("/api/v1/alert-silences", json={"name": "x"} | given)).status_code == 422

    async def test_a_wrong_time_zone_is_named_also_where_nothing_recurs(self, admin):
        wanted = {
            "name": "x",
            "matchers": "a=b",
            "ends_at": "2099-01-01T00:00:00Z",
            "time_zone": "Nowhere/Land",
        }
        answer = await admin.post("/api/v1/alert-silences", json=wanted)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "time_zone")

    async def test_empty_braces_are_no_matchers(self, admin, place):
        wanted = {"name": "x", "matchers": "{ }", "department_id": place, "ends_at": "2099-01-01T00:00:00Z"}
        answer = await admin.post("/api/v1/alert-silences", json=wanted)
        assert (answer.status_code, answer.json()["matchers"]) == (201, "")

    async def test_matchers_of_what_is_missing_narrow_another_scope(self, admin, desk):
        wanted = {
            "name": "x",
            "ends_at": "2099-01-01T00:00:00Z",
            "matchers": 'team=""',
            "device_id": str(desk),
        }
        assert (await admin.post("/api/v1/alert-silences", json=wanted)).status_code == 201


class TestInhibition:
    async def test_device_that_is_down_quiets_its_other_alerts(self, watch, measure, alert, desk):
        away = await watch.rule(
            name="Away",
            condition={"kind": "no_report", "silence_seconds": 60},
            quiets_device=True,
            severity="critical",
        )
        await watch.evaluate(away, 120, running_since=watch.now)
        await watch.tell(140)
        hot, down = await watch.alerts()
        assert hot.suppressed_by == {"alert": down.alert_id}
        (told,) = await watch.told()
        assert told.title == "Critical: Away on desk"

    async def test_host_that_is_down_quiets_what_runs_on_it(self, app, admin, watch, measure, desk):
        await measure(desk, watch.now, cpu_usage_percent=5)
        guest, inner, cabled = [await enter(admin, name) for name in ("guest", "inner", "cabled")]
        runs = (await relate(admin, str(desk), "hosts", guest)).json()
        await relate(admin, guest, "hosts", inner)
        await relate(admin, str(desk), "connects_to", cabled)
        away = await watch.rule(
            name="Away", condition={"kind": "no_report", "silence_seconds": 60}, quiets_device=True
        )
        await watch.evaluate(away, 120, running_since=watch.now)
        (down,) = await watch.alerts()
        async with app.state.database.session(TEST_CONTEXT) as session:
            quieting = await quieting_alerts(session)
        assert quieting == {
            desk: Quieting(down.alert_id, None),
            UUID(guest): Quieting(None, down.alert_id),
            UUID(inner): Quieting(None, down.alert_id),
        }
        ended = {name: runs[name] for name in ("parent_device_id", "child_device_id", "relationship_type")}
        path = f"/api/v1/device-relationships/{runs['id']}"
        answer = await admin.put(path, json=ended | {"valid_to": "2099-01-01T00:00:00Z"})
        assert answer.status_code == 200
        async with app.state.database.session(TEST_CONTEXT) as session:
            assert (await quieting_alerts(session)).keys() == {desk}

    def test_no_alert_quiets_itself(self):
        own, hosted = Quieting(1, None), Quieting(1, 2)
        assert (own.of(quiets_device=True), own.of(quiets_device=False)) == (None, 1)
        assert (hosted.of(quiets_device=True), hosted.of(quiets_device=False)) == (2, 2)


class TestRoutes:
    async def test_tester_says_where_an_alert_goes_and_why(self, admin):
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        receiver = await admin.post("/api/v1/alert-receivers", json={"name": "Night shift"})
        route = {
            "name": "Critical",
            "parent_id": root["id"],
            "matchers": "severity=critical",
            "receiver_id": receiver.json()["id"],
        }
        assert (await admin.post("/api/v1/alert-routes", json=route)).status_code == 201
        for severity, end, told in (
            ("critical", "Critical", "Night shift"),
            ("info", "Everything", "Default"),
        ):
            answer = await admin.post("/api/v1/alert-routes/test", json={"labels": {"severity": severity}})
            steps = answer.json()["steps"]
            assert [one["name"] for one in steps if one["is_end"]] == [end]
            assert answer.json()["receivers"] == [told]

    async def test_route_cannot_lie_below_itself(self, admin):
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        made = (await admin.post("/api/v1/alert-routes", json={"name": "A", "parent_id": root["id"]})).json()
        answer = await admin.put(
            f"/api/v1/alert-routes/{made['id']}", json={"name": "A", "parent_id": made["id"]}
        )
        assert answer.status_code == 422

    async def test_half_an_escalation_names_what_is_missing(self, admin):
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        for given, missing in (
            ({"escalate_after_seconds": 900}, "escalate_to_id"),
            ({"escalate_to_id": root["receiver_id"]}, "escalate_after_seconds"),
        ):
            answer = await admin.put(f"/api/v1/alert-routes/{root['id']}", json={"name": "All"} | given)
            assert answer.status_code == 422
            assert [one["field"] for one in answer.json()["errors"]] == [missing]

    async def test_escalates_what_nobody_acknowledged(self, admin, watch, alert):
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        boss = (await admin.post("/api/v1/alert-receivers", json={"name": "Manager"})).json()
        wanted = {
            "name": "Everything",
            "receiver_id": root["receiver_id"],
            "group_by": ["alertname"],
            "group_wait_seconds": 5,
            "escalate_after_seconds": 900,
            "escalate_to_id": boss["id"],
        }
        assert (await admin.put(f"/api/v1/alert-routes/{root['id']}", json=wanted)).status_code == 200
        assert await watch.tell(10) == 1
        assert await watch.tell(899) == 0
        assert await watch.tell(901) == 1
        assert await watch.tell(1200) == 0
        assert await watch.events(alert.alert_id) == ["triggered", "told", "escalated"]
