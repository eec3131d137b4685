"""Alerts of another department: seen, acknowledged, silenced, counted and told by nobody who is not of it."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from fleetkeeper.kit.clock import utc_now
from tests.alerts.conftest import measure, watch  # noqa: F401 - fixtures

HOT = {"kind": "threshold", "metric": "cpu_usage_percent", "threshold": 90}


@pytest.fixture
async def alerts(sides, watch, measure):  # noqa: F811 - fixtures
    """One alert on each side, of a rule for the whole installation."""
    rule = await watch.rule(condition=HOT)
    for side in (sides.north, sides.south):
        await measure(UUID(str(side.device)), watch.now, cpu_usage_percent=95)
    await watch.evaluate(rule)
    return {str(one.system_id): one for one in await watch.alerts()}


@pytest.fixture
def other(sides, alerts):
    """The alert of the other side."""
    return alerts[str(sides.south.device)]


class TestAlerts:
    async def test_are_listed_counted_and_exported_for_their_own_side(self, sides, alerts, other):
        listed = (await sides.north.manager.get("/api/v1/alerts")).json()
        assert [one["system_id"] for one in listed["results"]] == [str(sides.north.device)]
        assert listed["count"] == 1
        exported = (await sides.north.manager.get("/api/v1/alerts/export?format=json")).text
        assert str(other.system_id) not in exported
        (row,) = (await sides.north.manager.get("/api/v1/alerts/times?by=rule")).json()
        assert row["alerts"] == 1
        assert (await sides.north.manager.get(f"/api/v1/alerts/{other.alert_id}")).status_code == 404

    @pytest.mark.parametrize("chosen", ["ids", "matching"])
    async def test_nobody_acts_on_the_other_side(self, sides, watch, other, chosen):  # noqa: F811 - fixture
        which = (
            {"alert_ids": [other.alert_id]} if chosen == "ids" else {"matching": f"alert_id={other.alert_id}"}
        )
        answer = (
            await sides.north.manager.post("/api/v1/alerts/acts", json={"act": "resolve"} | which)
        ).json()
        assert answer["changed"] == 0
        assert all(one.status == "firing" for one in await watch.alerts())


class TestSilences:
    async def test_of_a_department_quiet_that_department_alone(self, sides, watch, alerts, other):  # noqa: F811
        until = (utc_now() + timedelta(hours=1)).isoformat()
        wanted = {"name": "All", "matchers": "alertname=Hot", "ends_at": until}
        north = sides.north.manager
        assert (await north.post("/api/v1/alert-silences", json=wanted)).status_code == 403
        theirs = wanted | {"device_id": str(sides.south.device)}
        assert (await north.post("/api/v1/alert-silences", json=theirs)).status_code in {400, 403, 404, 422}
        own = wanted | {"device_id": str(sides.north.device)}
        assert (await north.post("/api/v1/alert-silences", json=own)).status_code == 201
        await watch.tell(60)
        quiet = {str(one.system_id): one.suppressed_by for one in await watch.alerts()}
        assert quiet[str(sides.north.device)]
        assert quiet[str(other.system_id)] is None


class TestRules:
    async def test_of_the_installation_are_seen_and_not_changed(self, sides, alerts, other):
        path = f"/api/v1/alert-rules/{other.rule_id}"
        assert (await sides.north.manager.get(path)).status_code == 200
        answer = await sides.north.manager.put(path, json={"name": "Hot", "condition": HOT, "enabled": False})
        assert answer.status_code == 403

    async def test_of_a_department_see_its_devices_alone(self, sides, watch, alerts):  # noqa: F811 - fixture
        (own,) = [one for one in alerts.values() if str(one.system_id) == str(sides.north.device)]
        for condition in (HOT, {"kind": "promql", "expr": "cpu_usage_percent > 90"}, {"kind": "no_report"}):
            name = f"Of north, {condition['kind']}"
            rule = await watch.rule(name=name, condition=condition, department_id=str(own.department_id))
            await watch.evaluate(rule, 1, running_since=watch.now - timedelta(days=1))
            found = [one for one in await watch.alerts() if one.name == name]
            assert all(str(one.system_id) == str(sides.north.device) for one in found), condition
            if condition["kind"] != "no_report":
                assert len(found) == 1, condition

    async def test_of_a_department_name_no_device_of_another(self, sides, watch, alerts, other):  # noqa: F811
        (own,) = [one for one in alerts.values() if str(one.system_id) == str(sides.north.device)]
        forged = f'label_replace(vector(1), "device_id", "{other.system_id}", "", "")'
        rule = await watch.rule(
            name="Forged",
            condition={"kind": "promql", "expr": forged},
            department_id=str(own.department_id),
            quiets_device=True,
        )
        await watch.evaluate(rule)
        await watch.tell(1)
        (found,) = [one for one in await watch.alerts() if one.name == "Forged"]
        assert (found.system_id, found.department_id) == (None, own.department_id)
        assert [one.suppressed_by for one in await watch.alerts()] == [None] * 3

    async def test_preview_looks_at_own_devices_alone(self, sides, alerts):
        for condition in (HOT, {"kind": "promql", "expr": "cpu_usage_percent > 90"}):
            wanted = {"name": "x", "condition": condition, "interval_seconds": 60}
            answer = await sides.north.manager.post("/api/v1/alert-rules/preview", json=wanted)
            assert answer.status_code == 200, answer.text
            assert str(sides.south.device) not in answer.text


class TestReceiversAndRoutes:
    async def test_of_the_installation_are_not_changed(self, sides):
        north = sides.north.manager
        (root,) = (await north.get("/api/v1/alert-routes")).json()["results"]
        below = {"name": "Mine", "parent_id": root["id"]}
        assert (await north.post("/api/v1/alert-routes", json=below)).status_code == 403
        answer = await north.put(f"/api/v1/alert-receivers/{root['receiver_id']}", json={"name": "x"})
        assert answer.status_code == 403

    async def test_people_of_the_other_side_are_not_told_or_assigned(self, sides, alerts):
        them = (await sides.south.manager.get("/api/v1/me")).json()["user_id"]
        north = sides.north.manager
        wanted = {"name": "Them", "user_ids": [them], "department_id": str(sides.north.department)}
        assert (await north.post("/api/v1/alert-receivers", json=wanted)).status_code in {400, 422}
        own = alerts[str(sides.north.device)]
        act = {"act": "assign", "alert_ids": [own.alert_id], "assignee_id": them}
        assert (await north.post("/api/v1/alerts/acts", json=act)).status_code in {400, 422}

    async def test_tree_is_bounded_in_depth(self, sides):
        north = sides.north.manager
        (root,) = (await north.get("/api/v1/alert-routes")).json()["results"]
        above, statuses = root["id"], []
        for number in range(25):
            route = {"name": f"{number}", "parent_id": above, "department_id": str(sides.north.department)}
            answer = await north.post("/api/v1/alert-routes", json=route)
            statuses.append(answer.status_code)
            above = answer.json().get("id", above)
        assert statuses.count(201) == 19
        assert (await north.post("/api/v1/alert-routes/test", json={"labels": {}})).status_code == 200

    async def test_two_changes_at_once_make_no_circle(self, sides):
        north = sides.north.manager
        (root,) = (await north.get("/api/v1/alert-routes")).json()["results"]
        own = {"department_id": str(sides.north.department)}
        made = []
        for name in "XY":
            route = own | {"name": name, "parent_id": root["id"]}
            made.append((await north.post("/api/v1/alert-routes", json=route)).json()["id"])
        x, y = made
        for _ in range(5):
            answers = await asyncio.gather(
                north.put(f"/api/v1/alert-routes/{x}", json=own | {"name": "X", "parent_id": y}),
                north.put(f"/api/v1/alert-routes/{y}", json=own | {"name": "Y", "parent_id": x}),
            )
            assert min(one.status_code for one in answers) == 200
            tree = {
                one["id"]: one["parent_id"]
                for one in (await north.get("/api/v1/alert-routes")).json()["results"]
            }
            assert (tree[x], tree[y]) != (y, x)
            for name, key in zip("XY", made, strict=True):
                back = own | {"name": name, "parent_id": root["id"]}
                assert (await north.put(f"/api/v1/alert-routes/{key}", json=back)).status_code == 200
