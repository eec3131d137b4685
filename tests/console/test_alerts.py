"""Alerts in the console: what fires, what people do about it, rules, silences, receivers and routes."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from fleetkeeper.alerts.models import AlertLog
from fleetkeeper.identity.models import Membership
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.users.service import create_user
from tests.alerts.conftest import measure, watch  # noqa: F401 - fixtures
from tests.factories.identity import make_department
from tests.factories.telemetry import make_device
from tests.fixtures.client import PASSWORD, TEST_CONTEXT

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


@pytest.fixture
async def alert(watch, measure, connection):  # noqa: F811 - fixtures
    desk = make_device(connection, "desk")
    rule = await watch.rule(condition=HOT, annotations={"summary": "{{ $labels.instance }} <b>hot</b>"})
    await measure(desk, watch.now, cpu_usage_percent=95)
    await watch.evaluate(rule)
    (found,) = await watch.alerts()
    return found


@pytest.fixture
async def hour(watch, measure, connection):  # noqa: F811 - fixtures
    """A device that was hot for ten minutes of the last hour; returns its ID."""
    desk = make_device(connection, "desk")
    for minute in range(60, 0, -1):
        value = 95 if 30 <= minute < 40 else 20
        await measure(desk, watch.now - timedelta(minutes=minute), cpu_usage_percent=value)
    return desk


async def sent(browser, address, data):
    return await browser.send(address, **data)


class TestAlerts:
    async def test_list_shows_what_is_not_over(self, browser, alert):
        page = (await browser.client.get("/alerts")).text
        assert f'href="/alerts/{alert.alert_id}"' in page
        assert "desk &lt;b&gt;hot&lt;/b&gt;" in page
        assert (
            "No alerts" in (await browser.client.get("/alerts?status=resolved")).text
            or "Try fewer" in (await browser.get("/alerts?status=resolved")).text
        )

    async def test_acknowledged_on_its_page(self, browser, alert):
        base = f"/alerts/{alert.alert_id}"
        assert f'action="{base}/acknowledge"' in (await browser.client.get(base)).text
        answer = await sent(browser, f"{base}/acknowledge", {"note": "on it"})
        assert answer.status_code == 204, answer.text
        page = (await browser.client.get(base)).text
        assert "on it" in page
        assert "/acknowledge" not in page

    async def test_snoozed_silenced_and_resolved(self, browser, admin, alert):
        base = f"/alerts/{alert.alert_id}"
        for act, data in (("snooze", {"minutes": "60"}), ("silence", {"minutes": "240"}), ("resolve", {})):
            answer = await sent(browser, f"{base}/{act}", data)
            assert answer.status_code == 204, answer.text
        told = (await admin.get(f"/api/v1{base}")).json()
        assert [one["kind"] for one in told["events"]] == ["triggered", "snoozed", "resolved"]
        (silence,) = (await admin.get("/api/v1/alert-silences")).json()["results"]
        assert silence["matchers"] == 'alertname="Hot"'
        assert silence["device_id"] == told["system_id"]

    async def test_acknowledged_for_a_while(self, browser, admin, alert):
        base = f"/alerts/{alert.alert_id}"
        assert (await sent(browser, f"{base}/acknowledge", {"minutes": "240"})).status_code == 204
        assert (await admin.get(f"/api/v1{base}")).json()["acknowledged_until"]
        assert "Acknowledged until" in await browser.page(base)

    async def test_assigned_to_somebody_who_may_see_it(self, app, browser, admin, alert):
        base = f"/alerts/{alert.alert_id}"
        async with app.state.database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
            reader = await create_user(session, "reader", PASSWORD, Role.VIEWER)
            nora = await create_user(session, "nora", PASSWORD, Role.VIEWER)
            await session.execute(
                update(Membership).where(Membership.user_id == nora.id).values(department_id=north.id)
            )
            south = await make_department(session, "South")
            await session.execute(update(AlertLog).values(department_id=south.id))
        page = await browser.page(base)
        assert "maria (you)" in page
        assert f'value="{reader.id}"' in page
        assert f'value="{nora.id}"' not in page
        assert (await sent(browser, f"{base}/assign", {"assignee_id": str(reader.id)})).status_code == 204
        assert (await admin.get(f"/api/v1{base}")).json()["assignee_id"] == str(reader.id)
        assert "To reader." in await browser.page(base)
        many = {"ids": str(alert.alert_id), "act": "assign", "assignee_id": str(nora.id)}
        refused = await sent(browser, "/alerts/bulk", many)
        assert "May not see this alert; choose somebody who may" in refused.text
        act = {"act": "assign", "alert_ids": [alert.alert_id], "assignee_id": str(nora.id)}
        answer = await admin.post("/api/v1/alerts/acts", json=act)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "assignee_id")
        assert (await admin.get(f"/api/v1{base}")).json()["assignee_id"] == str(reader.id)

    async def test_names_what_suppresses_it(self, browser, admin, watch, alert):  # noqa: F811 - fixture
        await sent(browser, f"/alerts/{alert.alert_id}/silence", {"minutes": "60"})
        await watch.tell(1)
        (silence,) = (await admin.get("/api/v1/alert-silences")).json()["results"]
        page = await browser.page(f"/alerts/{alert.alert_id}")
        assert "Suppressed by" in page
        assert f'href="/alerts/silences/{silence["id"]}"' in page

    @pytest.mark.parametrize(
        "labels",
        [
            {"alertname": "one\r\ntwo \x1b[31m", "job": "a"},
            {"alertname": "   ", "job": "a"},
            {"alertname": "a" * 300},
            {"job": 'a"b\\', "host": "web"},
        ],
    )
    async def test_alerts_of_any_name_are_silenced(self, browser, admin, watch, labels):  # noqa: F811 - fixture
        assert (await admin.post("/alertmanager/api/v2/alerts", json=[{"labels": labels}])).status_code == 200
        (alert,) = await watch.alerts()
        answer = await sent(browser, f"/alerts/{alert.alert_id}/silence", {"minutes": "60"})
        assert answer.status_code == 204, answer.text
        await watch.tell(1)
        (silence,) = (await admin.get("/api/v1/alert-silences")).json()["results"]
        (alert,) = await watch.alerts()
        assert alert.suppressed_by == {"silences": [silence["id"]]}

    async def test_empty_comment_comes_back_with_what_is_wrong(self, browser, alert):
        answer = await sent(browser, f"/alerts/{alert.alert_id}/comment", {"note": ""})
        assert answer.status_code == 422

    async def test_several_are_acknowledged(self, browser, admin, alert):
        form = await sent(browser, "/alerts/bulk", {"ids": str(alert.alert_id)})
        assert "1 selected" in form.text
        answer = await sent(
            browser, "/alerts/bulk", {"matching": "status=firing", "act": "acknowledge", "note": "all"}
        )
        assert "Done" in answer.text
        assert (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()["status"] == "acknowledged"

    async def test_unknown_ones_are_not_found(self, browser, alert):
        assert (await browser.client.get(f"/alerts/{alert.alert_id + 1}")).status_code == 404
        assert (await sent(browser, f"/alerts/{alert.alert_id + 1}/resolve", {})).status_code in {404, 422}

    async def test_device_s_page_shows_them(self, browser, alert):
        page = (await browser.client.get(f"/devices/{alert.system_id}?tab=alerts")).text
        assert f'href="/alerts/{alert.alert_id}"' in page

    async def test_what_changed_on_its_device_before_is_a_tab(self, browser, admin, alert, connection):
        connection.execute(
            "UPDATE alert_logs SET triggered_at = now() + interval '1 minute' WHERE alert_id = %s",
            (alert.alert_id,),
        )
        changed = await admin.patch(f"/api/v1/devices/{alert.system_id}", json={"location": "Berlin"})
        assert changed.status_code == 200
        assert "Berlin" in await browser.page(f"/alerts/{alert.alert_id}?tab=before")

    async def test_device_s_page_says_that_it_is_silenced(self, browser, admin, alert):
        address = f"/devices/{alert.system_id}"
        assert "silenced" not in await browser.page(address)
        end = "2099-01-01T00:00:00Z"
        only_one = {
            "name": "One rule",
            "device_id": str(alert.system_id),
            "matchers": 'a="b"',
            "ends_at": end,
        }
        whole = {"name": "Upgrade", "device_id": str(alert.system_id), "ends_at": end}
        for wanted in (only_one, whole):
            assert (await admin.post("/api/v1/alert-silences", json=wanted)).status_code == 201
        page = await browser.page(address)
        assert "silenced until 2099-01-01 00:00 UTC: Upgrade." in page
        assert "One rule" not in page

    async def test_device_s_alerts_confirm_a_silence_and_end_it(self, browser, alert):
        home = f"/devices/{alert.system_id}"
        answer = await sent(browser, f"{home}/silence", {"minutes": "60", "note": "Upgrade"})
        tab = answer.headers["HX-Redirect"]
        page = await browser.page(tab)
        assert "Silenced until" in page
        end = re.search(r"/alerts/silences/[0-9a-f-]{36}/expire\?device_id=[0-9a-f-]{36}", page)
        ended = await sent(browser, end[0], {})
        assert ended.headers["HX-Redirect"] == tab
        assert "Silenced until" not in await browser.page(tab)

    async def test_overview_lists_problems(self, browser, alert):
        assert f'href="/alerts/{alert.alert_id}"' in (await browser.client.get("/")).text


class TestRules:
    ENTERED = {  # noqa: RUF012 - never changed
        "name": "Disk",
        "kind": "threshold",
        "metric": "disk_usage_percent",
        "op": ">",
        "threshold": "90",
        "recovery": "85",
        "severity": "high",
        "summary": "{{ $labels.instance }}",
        "annotations": "action: Make room",
        "for_seconds": "5m",
        "interval_seconds": "90",
        "enabled": "true",
    }

    async def test_durations_are_entered_as_people_write_them(self, browser, admin):
        made = await sent(browser, "/alerts/rules", self.ENTERED)
        shown = await browser.page(made.headers["HX-Redirect"])
        assert "5m" in shown
        assert "1m30s" in shown
        (rule,) = (await admin.get("/api/v1/alert-rules")).json()["results"]
        assert (rule["for_seconds"], rule["interval_seconds"]) == (300, 90)
        wrong = await sent(browser, "/alerts/rules", self.ENTERED | {"for_seconds": "soon"})
        assert "Enter a duration such as 30s, 5m or 1h" in wrong.text

    async def test_made_shown_and_changed(self, browser, admin):
        made = await sent(browser, "/alerts/rules", self.ENTERED)
        assert made.status_code == 204, made.text
        page = made.headers["HX-Redirect"]
        shown = (await browser.client.get(page)).text
        assert "disk_usage_percent &gt; 90" in shown
        settings = (await browser.client.get(f"{page}?tab=settings")).text
        assert "action: Make room" in settings
        version = re.search(r'name="version"[^>]*value="(\d+)"|value="(\d+)"[^>]*name="version"', settings)
        number = next(one for one in version.groups() if one)
        changed = await sent(browser, page, self.ENTERED | {"threshold": "95", "version": number})
        assert changed.status_code == 204, changed.text
        (rule,) = (await admin.get("/api/v1/alert-rules")).json()["results"]
        assert rule["condition"]["threshold"] == 95
        assert rule["annotations"] == {"summary": "{{ $labels.instance }}", "action": "Make room"}
        late = await sent(browser, page, self.ENTERED | {"threshold": "99", "version": number})
        assert late.status_code == 412

    async def test_what_is_wrong_is_said_at_its_field(self, browser):
        answer = await sent(browser, "/alerts/rules", self.ENTERED | {"metric": ""})
        assert answer.status_code == 422
        answer = await sent(browser, "/alerts/rules", self.ENTERED | {"annotations": "no pair"})
        assert "Write each line as name: text" in answer.text

    async def test_metrics_are_suggested_by_all_words_in_any_order(self, browser, alert):
        for words in ("cpu us", "us cpu", "USAGE cpu"):
            assert "cpu_usage_percent" in await browser.part(f"/suggestions/metrics?metric={words}")
        assert "cpu_usage_percent" not in await browser.part("/suggestions/metrics?metric=cpu nothing")

    async def test_form_speaks_of_missing_data_and_the_latest_value(self, browser):
        page = await browser.page("/alerts/rules")
        for words in ("Treat as OK", "Keep state", "Fire alert", "Latest value"):
            assert f">{words}<" in re.sub(r">\s+|\s+<", lambda found: found[0].strip(), page)
        assert "Slugs" not in page

    async def test_page_without_alerts_says_so(self, browser, watch):  # noqa: F811 - fixture
        rule = await watch.rule(condition=HOT)
        assert "This rule has no open alerts." in await browser.page(f"/alerts/rules/{rule.id}")

    async def test_metrics_are_suggested_with_what_they_mean(self, browser, alert):
        assert 'hx-get="/suggestions/metrics"' in await browser.page("/alerts/rules")
        found = await browser.part("/suggestions/metrics?metric=cpu_us")
        assert re.search(r'<option value="cpu_usage_percent" label="[^"]+ · percent"', found)
        assert "disk_usage_percent" not in found
        # By what it means, too.
        assert "cpu_usage_percent" in await browser.part("/suggestions/metrics?metric=CPU")
        assert await browser.part("/suggestions/metrics?metric=%00") is not None
        assert "system_reboot_required" in await browser.part("/suggestions/metrics?metric=reboot")

    async def test_form_says_what_a_rule_would_have_fired_before_it_is_saved(self, browser, admin, hour):
        entered = self.ENTERED | {"metric": "cpu_usage_percent", "recovery": "80", "for_seconds": "0s"}
        answer = await sent(browser, "/alerts/rules/preview", entered | {"preview_days": "1"})
        assert answer.status_code == 200, answer.text
        assert "In the last 24 hours this rule would have fired once on 1 device." in answer.text
        assert f'href="/devices/{hour}"' in answer.text
        assert 'data-threshold="90.0"' in answer.text
        assert 'data-recovery="80.0"' in answer.text
        assert 'data-agg="max"' in answer.text
        # As it was entered, to be saved now.
        assert 'value="Disk"' in answer.text
        assert 'action="/alerts/rules"' in answer.text
        assert (await admin.get("/api/v1/alert-rules")).json()["results"] == []

    async def test_preview_says_what_is_wrong_at_its_field(self, browser):
        answer = await sent(browser, "/alerts/rules/preview", self.ENTERED | {"for_seconds": "soon"})
        assert answer.status_code == 422
        assert "Enter a duration such as 30s, 5m or 1h" in answer.text
        failed = {"kind": "no_report", "what": "collector"}
        answer = await sent(browser, "/alerts/rules/preview", self.ENTERED | failed)
        assert answer.status_code == 422
        assert "Past failures of collectors are not stored" in answer.text

    async def test_settings_are_previewed_without_a_change(self, browser, admin, alert):
        base = f"/alerts/rules/{alert.rule_id}"
        assert f'formaction="{base}/preview"' in await browser.page(f"{base}?tab=settings")
        changed = self.ENTERED | {"metric": "cpu_usage_percent", "version": "1"}
        answer = await sent(browser, f"{base}/preview", changed)
        assert "n the last 7 days" in answer.text
        assert f'action="{base}"' in answer.text
        assert (await admin.get(f"/api/v1/alert-rules/{alert.rule_id}")).json()["name"] == "Hot"

    async def test_preview_of_a_rule_counts_its_overrides(self, browser, watch, hour):  # noqa: F811 - fixtures
        rule = await watch.rule(condition=HOT)
        page = f"/alerts/rules/{rule.id}?tab=past"
        assert "would have fired once on 1 device" in await browser.page(page)
        await sent(browser, f"/alerts/rules/{rule.id}/overrides", {"device": "desk"})
        assert "would not have fired" in await browser.page(page)

    async def test_viewers_preview_nothing(self, viewer_browser):
        answer = await sent(viewer_browser, "/alerts/rules/preview", self.ENTERED)
        assert answer.status_code == 403

    async def test_preview_says_what_it_would_have_fired(self, browser, alert):
        page = (await browser.client.get(f"/alerts/rules/{alert.rule_id}?tab=past")).text
        assert "n the last 24 hours" in page

    async def test_disabled_with_its_consequence_and_enabled_again(self, browser, admin, alert):
        base = f"/alerts/rules/{alert.rule_id}"
        assert 'hx-confirm="Disable Hot? Its firing alert is resolved."' in await browser.page(base)
        assert (await sent(browser, f"{base}/disable", {})).status_code == 204
        assert (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()["status"] == "resolved"
        assert "Disabled" in await browser.page("/alerts/rules")
        assert 'hx-confirm="Enable Hot? It may fire at once."' in await browser.page(base)
        assert (await sent(browser, f"{base}/enable", {})).status_code == 204
        assert (await admin.get(f"/api/v1/alert-rules/{alert.rule_id}")).json()["enabled"] is True

    async def test_viewers_disable_nothing(self, viewer_browser, alert):
        base = f"/alerts/rules/{alert.rule_id}"
        assert f"{base}/disable" not in await viewer_browser.page(base)
        assert (await sent(viewer_browser, f"{base}/disable", {})).status_code == 403

    async def test_several_are_disabled_after_a_preview_and_enabled_again(self, browser, admin, alert, watch):  # noqa: F811
        other = await watch.rule(name="Other", condition=HOT)
        home = "/alerts/rules"
        page = await browser.page(home)
        assert f"{home}/bulk-disable" in page
        chosen = {"ids": f"{alert.rule_id},{other.id}"}
        preview = (await sent(browser, f"{home}/bulk-disable", chosen)).text
        assert "Its firing alert is resolved." in preview
        assert "It has no firing alerts." in preview
        assert "Disable 2 alert rules" in preview
        assert (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()["status"] == "firing"
        apply = chosen | {"stage": "apply", "expected": "2", "change_reason": "Too loud"}
        assert "Done" in (await sent(browser, f"{home}/bulk-disable", apply)).text
        assert (await admin.get(f"/api/v1/alerts/{alert.alert_id}")).json()["status"] == "resolved"
        listed = (await admin.get("/api/v1/alert-rules?enabled=false")).json()["results"]
        assert {str(alert.rule_id), str(other.id)} <= {one["id"] for one in listed}
        matching = {"matching": "enabled=false&q=Other", "stage": "apply", "expected": "1"}
        await sent(browser, f"{home}/bulk-enable", matching | {"change_reason": "Fixed"})
        assert (await admin.get(f"/api/v1/alert-rules/{other.id}")).json()["enabled"]

    async def test_viewers_select_none(self, viewer_browser, alert):
        assert "bulk-disable" not in await viewer_browser.page("/alerts/rules")
        answer = await viewer_browser.send("/alerts/rules/bulk-disable", ids=str(alert.rule_id))
        assert answer.status_code == 403

    async def test_failing_and_changed_rules_say_so(self, browser, alert, watch, connection):  # noqa: F811
        base = f"/alerts/rules/{alert.rule_id}"
        assert "Not evaluated yet." in await browser.page(base)
        rule = await watch.loaded(alert.rule_id)
        connection.execute(
            "INSERT INTO alert_evaluations (unit, next_at, evaluated_at, failing_since, error) "
            "VALUES (%s, now(), now() - interval '1 day', '2026-11-01T12:00Z', 'Hot: <b>too many</b> series')",
            (rule.unit,),
        )
        shown = await browser.page(base)
        assert "Failing since 2026-11-01 12:00 UTC: Hot: &lt;b&gt;too many&lt;/b&gt; series" in shown
        assert "Not evaluated since the last change." in shown
        listed = await browser.page("/alerts/rules")
        assert 'title="Hot: &lt;b&gt;too many&lt;/b&gt; series">Failing' in listed

    async def test_deleted_with_a_reason(self, browser, watch, alert):  # noqa: F811 - fixture
        answer = await sent(
            browser, f"/alerts/rules/{alert.rule_id}/delete", {"change_reason": "no longer needed"}
        )
        assert answer.status_code == 204, answer.text
        (after,) = await watch.alerts()
        assert after.resolution == "rule_deleted"


class TestOverrides:
    async def test_made_named_and_removed(self, browser, alert):
        base = f"/alerts/rules/{alert.rule_id}"
        assert "No overrides yet" in await browser.page(f"{base}?tab=overrides")
        entered = {"device": "desk", "threshold": "95", "for_seconds": "10m", "enabled": "true"}
        made = await sent(browser, f"{base}/overrides", entered)
        assert made.status_code == 204, made.text
        words = "hreshold 95 instead of 90, pending period 10m instead of 0s"
        shown = await browser.page(f"{base}?tab=overrides")
        assert f'href="/devices/{alert.system_id}"' in shown
        assert words in shown
        assert words in await browser.page(f"/devices/{alert.system_id}?tab=alerts")
        assert words in await browser.page(f"/alerts/{alert.alert_id}")
        # The same device again: it is replaced.
        await sent(browser, f"{base}/overrides", {"device": "desk"})
        shown = await browser.page(f"{base}?tab=overrides")
        assert words not in shown
        assert ">Off" in re.sub(r"\s", "", shown)
        remove = re.search(rf"{base}/overrides/[0-9a-f-]+/delete", shown)
        assert (await sent(browser, remove[0], {})).status_code == 204
        assert "No overrides yet" in await browser.page(f"{base}?tab=overrides")

    async def test_what_is_wrong_is_said_in_the_form(self, browser, alert):
        base = f"/alerts/rules/{alert.rule_id}/overrides"
        for entered, words in (
            ({"device": "desk", "enabled": "true"}, "Enter what is different"),
            ({"device": "nowhere", "threshold": "95", "enabled": "true"}, "There is no device"),
            ({"threshold": "95", "enabled": "true"}, "Choose either a device or a tag"),
            ({"device": "desk", "recovery": "99", "enabled": "true"}, "other side of the threshold"),
        ):
            answer = await sent(browser, base, entered)
            assert answer.status_code == 422
            assert words in answer.text

    async def test_viewers_see_them_and_change_nothing(self, viewer_browser, browser, alert):
        base = f"/alerts/rules/{alert.rule_id}"
        await sent(browser, f"{base}/overrides", {"device": "desk"})
        assert "/delete" not in await viewer_browser.page(f"{base}?tab=overrides")
        assert (await sent(viewer_browser, f"{base}/overrides", {"device": "desk"})).status_code == 403


class TestVersions:
    async def test_an_older_one_is_restored(self, browser, admin, alert):
        rule, address = f"/api/v1/alert-rules/{alert.rule_id}", f"/alerts/rules/{alert.rule_id}"
        wanted = {"name": "Hot", "condition": HOT | {"threshold": 99}}
        assert (await admin.put(rule, json=wanted)).status_code == 200
        page = await browser.page(f"{address}?tab=versions")
        assert "Threshold: 90 → 99" in page
        assert "Restore version 1 of Hot?" in page
        assert (await browser.send(f"{address}/versions/1/restore?present=1")).status_code == 412
        assert (await browser.send(f"{address}/versions/1/restore")).status_code in {204, 303}
        assert (await admin.get(rule)).json()["condition"]["threshold"] == 90

    async def test_viewers_restore_nothing(self, viewer_browser, alert):
        address = f"/alerts/rules/{alert.rule_id}"
        assert "Restore" not in await viewer_browser.page(f"{address}?tab=versions")
        assert (await viewer_browser.send(f"{address}/versions/1/restore")).status_code == 403


class TestReasons:
    async def test_alert_says_step_by_step_why_it_was_told(self, browser, alert):
        page = await browser.page(f"/alerts/{alert.alert_id}?tab=why")
        assert "Nobody has been notified yet" in page
        assert "it fired with the value 95 (threshold 90)" in page


class TestWays:
    async def test_route_and_receiver_are_made_and_tried(self, browser, admin):
        made = await sent(browser, "/alerts/receivers", {"name": "Night", "addresses": "a@example.com"})
        assert made.status_code == 204, made.text
        receiver = made.headers["HX-Redirect"].rpartition("/")[2]
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        route = {
            "name": "Bad ones",
            "parent_id": root["id"],
            "matchers": "severity=critical",
            "receiver_id": receiver,
            "position": "0",
        }
        made = await sent(browser, "/alerts/routes", route)
        assert made.status_code == 204, made.text
        listed = (await browser.client.get("/alerts/routes")).text
        assert listed.index("Everything") < listed.index("Bad ones")
        answer = await sent(browser, "/alerts/routes-test", {"labels": "severity=critical"})
        assert "Delivered here" in answer.text
        assert "Night" in answer.text
        wrong = await sent(browser, "/alerts/routes-test", {"labels": "severity=~critical"})
        assert wrong.status_code == 422

    async def test_viewers_see_no_forms(self, viewer_browser, alert):
        for page in (
            "/alerts",
            f"/alerts/{alert.alert_id}",
            "/alerts/rules",
            "/alerts/silences",
            "/alerts/routes",
        ):
            answer = await viewer_browser.client.get(page)
            assert answer.status_code == 200, page
            assert "/acknowledge" not in answer.text
            assert "Create alert rule" not in answer.text


class TestFiring:
    async def test_header_counts_what_fires(self, browser, alert):
        assert 'hx-get="/alerts/firing"' in await browser.page("/devices")
        assert ">1<" in await browser.part("/alerts/firing")
        await sent(browser, f"/alerts/{alert.alert_id}/acknowledge", {})
        assert "bell-count" not in await browser.part("/alerts/firing")

    async def test_another_department_s_alert_is_not_found(self, app, alert):
        async with app.state.database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
            nora = await create_user(session, "nora", PASSWORD, Role.VIEWER)
            own = update(Membership).where(Membership.user_id == nora.id)
            await session.execute(own.values(department_id=north.id))
        async with app.client() as client:
            await client.post("/sign-in", data={"username": "nora", "password": PASSWORD})
            assert (await client.get(f"/alerts/{alert.alert_id}")).status_code == 404
            listed = await client.get("/alerts")
            assert listed.status_code == 200
            assert f"/alerts/{alert.alert_id}" not in listed.text
            assert "bell-count" not in (await client.get("/alerts/firing")).text

    async def test_a_promql_rule_s_alert_draws_its_expression(self, browser, watch):  # noqa: F811
        rule = await watch.rule(
            name="Up", condition={"kind": "promql", "expr": "vector(3)"}, labels={"team": "ops"}
        )
        await watch.evaluate(rule)
        (alert,) = await watch.alerts()
        page = await browser.page(f"/alerts/{alert.alert_id}")
        assert 'data-query="vector(3)"' in page
        assert "team" not in re.search(r'data-labels="([^"]*)"', page)[1]

    async def test_an_alert_without_values_says_why_it_has_no_chart(self, browser, alert, connection):
        page = f"/alerts/{alert.alert_id}"
        connection.execute("UPDATE alert_logs SET metric_name = ''")
        connection.execute("UPDATE alert_rules SET condition = %s", ('{"kind": "no_report"}',))
        assert "Its rule detects missing data" in await browser.page(page)
        connection.execute("UPDATE alert_logs SET rule_id = NULL")
        assert "This alert has no rule here" in await browser.page(page)

    async def test_a_state_has_no_chart_and_says_how_long_it_lasts(self, browser, alert, connection):
        condition = '{"kind": "state", "metric": "cpu_usage_percent", "op": "is", "value": "x"}'
        connection.execute("UPDATE alert_rules SET kind = 'state', condition = %s", (condition,))
        connection.execute("UPDATE alert_logs SET threshold_value = NULL")
        page = await browser.page(f"/alerts/{alert.alert_id}")
        assert "which are not drawn" in page
        # What was its value counts as seconds.
        assert re.search(r"In this state for</dt>\s*<dd>\s*1m35s\s*<", page)

    async def test_chart_knows_its_threshold(self, browser, alert):
        page = await browser.page(f"/alerts/{alert.alert_id}")
        assert 'data-metric="cpu_usage_percent"' in page
        assert 'data-threshold="90.0"' in page


class TestSilence:
    async def test_lists_what_it_silenced_until_it_is_ended(self, browser, admin, watch, alert):  # noqa: F811
        await sent(browser, f"/alerts/{alert.alert_id}/silence", {"minutes": "60"})
        (silence,) = (await admin.get("/api/v1/alert-silences")).json()["results"]
        page = f"/alerts/silences/{silence['id']}"
        assert "has not matched an alert yet" in await browser.page(page)
        await watch.tell(1)
        shown = await browser.page(page)
        assert f'href="/alerts/{alert.alert_id}"' in shown
        assert "Active" in shown
        assert (await browser.send(f"{page}/expire")).status_code == 204
        shown = await browser.page(page)
        assert "Expired" in shown
        assert "/expire" not in shown

    async def test_viewers_do_not_end_one(self, viewer_browser, browser, admin, alert):
        await sent(browser, f"/alerts/{alert.alert_id}/silence", {"minutes": "60"})
        (silence,) = (await admin.get("/api/v1/alert-silences")).json()["results"]
        page = f"/alerts/silences/{silence['id']}"
        assert "/expire" not in await viewer_browser.page(page)
        assert (await viewer_browser.send(f"{page}/expire")).status_code == 403


class TestRoutes:
    async def test_name_their_receivers(self, browser, admin):
        made = await admin.post(
            "/api/v1/alert-receivers", json={"name": "Night", "addresses": ["a@example.com"]}
        )
        receiver = made.json()["id"]
        (root,) = (await admin.get("/api/v1/alert-routes")).json()["results"]
        route = {
            "name": "Bad ones",
            "parent_id": root["id"],
            "receiver_id": receiver,
            "escalate_to_id": receiver,
        }
        route |= {"matchers": "severity=critical", "escalate_after_seconds": 600}
        made = await admin.post("/api/v1/alert-routes", json=route)
        assert made.status_code == 201, made.text
        link = f'href="/alerts/receivers/{receiver}"'
        assert link in await browser.page("/alerts/routes")
        assert (await browser.page(f"/alerts/routes/{made.json()['id']}")).count(link) == 2

    async def test_receiver_without_recipients_is_marked(self, browser, admin):
        made = await admin.post("/api/v1/alert-receivers", json={"name": "Nobody yet"})
        for page in ("/alerts/receivers", f"/alerts/receivers/{made.json()['id']}"):
            assert "No recipients" in await browser.page(page)


class TestOverview:
    async def test_counts_all_severities(self, browser, alert, connection):
        connection.execute(
            "INSERT INTO alert_logs (triggered_at, name, severity, fingerprint)"
            " SELECT now() + n * interval '1 second', 'Minor', 'info', n::text::bytea"
            " FROM generate_series(1, 60) AS n"
        )
        page = await browser.page("/")
        assert f'href="/alerts/{alert.alert_id}"' in page
        assert "60 info" in page
        assert f"1 {alert.severity}" in page


async def test_response_times_by_rule_and_severity(browser, admin, connection):
    assert "No alerts fired in this time" in await browser.page("/alerts/times")
    connection.execute("SELECT create_alert_partition((now() - interval '2 hours')::date)")
    connection.execute(
        "INSERT INTO alert_logs (name, severity, status, fingerprint, triggered_at, acknowledged_at, resolved_at) "
        "VALUES ('Slow <b>disk</b>', 'high', 'resolved', 'x', now() - interval '2 hours', "
        "now() - interval '90 minutes', now() - interval '1 hour')"
    )
    page = await browser.page("/alerts/times")
    for text in ("Slow &lt;b&gt;disk&lt;/b&gt;", "30m", "1h"):
        assert text in page
    assert "High" in await browser.page("/alerts/times?tab=severity&days=7")
    page = await browser.page("/alerts/times?tab=severity")
    assert 'href="/alerts/times?days=7&amp;tab=severity">Last 7 days</a>' in page


async def test_rule_of_a_file_says_where_it_is_changed(browser, admin):
    text = "groups: [{name: web, rules: [{alert: Down, expr: up == 0, labels: {team: ops}}]}]"
    assert (await admin.post("/api/v1/alert-rules/import?file=web.yml", content=text)).status_code == 200
    (rule,) = (await admin.get("/api/v1/alert-rules?name=Down")).json()["results"]
    page = await browser.page(f"/alerts/rules/{rule['id']}")
    assert "This rule comes from the rule file web.yml" in page
    assert "team=&#34;ops&#34;" in page


async def test_condition_of_a_state_keeps_its_name(browser, watch):  # noqa: F811 - fixtures
    condition = {"kind": "state", "metric": "system_reboot_required", "op": "is_not", "value": "false"}
    await watch.rule(name="Restart", condition=condition)
    assert "system_reboot_required is not false" in await browser.page("/alerts/rules")
