"""Dashboards by HTTP: their life, who sees and changes which, import and export, and what panels show."""

import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.telemetry.dashboards import answering
from tests.factories import identity as factories
from tests.factories.dashboards import a_dashboard, a_definition, a_panel, fleet_query, promql_query
from tests.fixtures.client import enroll, make_user

HOME = "/api/v1/dashboards"


@pytest.fixture
async def analyst(app):
    """Somebody who may write dashboards, and not share them."""
    token = await make_user(app.state.database, "ana", Role.ANALYST)
    async with app.client(token) as client:
        yield client


async def make(client, name="Web servers", **changes):
    answer = await client.post(HOME, json=a_dashboard(name, **changes))
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(answer) -> list[str]:
    return [item["name"] for item in answer.json()["results"]]


class TestLife:
    async def test_made_read_changed_and_deleted(self, admin):
        made = await make(admin, "Wéb: servers & more!")
        assert (made["slug"], made["visibility"], made["version"]) == ("web-servers-more", "private", 1)
        assert made["definition"]["rows"][0]["panels"][0]["width"] == 6
        for key in (made["id"], made["slug"]):
            answer = await admin.get(f"{HOME}/{key}")
            assert (answer.json()["id"], answer.headers["etag"]) == (made["id"], '"1"')
        wanted = a_dashboard("Other", visibility="everyone", description="For all")
        answer = await admin.put(f"{HOME}/{made['slug']}", json=wanted, headers={"If-Match": '"1"'})
        assert answer.status_code == 200, answer.text
        assert (answer.headers["etag"], answer.json()["name"], answer.json()["updated_by"]) == (
            '"2"',
            "Other",
            "admin",
        )
        answer = await admin.put(f"{HOME}/{made['slug']}", json=wanted, headers={"If-Match": '"1"'})
        assert answer.status_code == 412
        assert "admin saved this dashboard in the meantime" in answer.json()["detail"]
        assert (await admin.delete(f"{HOME}/{made['id']}")).status_code == 204
        assert (await admin.get(f"{HOME}/{made['id']}")).status_code == 404

    async def test_a_fault_names_its_place_and_nothing_is_stored(self, admin):
        wrong = a_dashboard(definition=a_definition(a_panel(fleet_query(agg="middle"))))
        answer = await admin.post(HOME, json=wrong)
        assert answer.status_code == 422
        assert [item["field"] for item in answer.json()["errors"]] == ["rows[0].panels[0].queries[0].agg"]
        assert (await admin.get(HOME)).json()["count"] == 0
        checked = await admin.post(f"{HOME}/check", json={"definition": wrong["definition"]})
        assert checked.json()["errors"] == answer.json()["errors"]
        right = await admin.post(f"{HOME}/check", json={"definition": a_definition()})
        assert right.json()["definition"]["version"] == 1

    async def test_slugs_are_unique(self, admin):
        slugs = [(await make(admin, "Fleet"))["slug"] for _ in range(3)]
        assert slugs == ["fleet", "fleet-2", "fleet-3"]
        assert (await make(admin, "Built-in fleet"))["slug"] == "my-built-in-fleet"
        assert (await make(admin, "New"))["slug"] == "my-new"
        assert (await make(admin, "日本"))["slug"] == "dashboard"
        answer = await admin.post(HOME, json=a_dashboard(slug="fleet"))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "slug")
        answer = await admin.post(HOME, json=a_dashboard(slug="built-in-server"))
        assert answer.status_code == 409

    async def test_addresses_that_lead_elsewhere_are_no_slugs(self, admin):
        other = await make(admin, "Other")
        for slug in ("built-in", "default", "import", "new", other["id"], "c0ffee" * 5 + "c0"):
            answer = await admin.post(HOME, json=a_dashboard(slug=slug))
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "slug"), slug
        assert (await make(admin, other["id"]))["slug"] == f"my-{other['id']}"

    async def test_listed_searched_ordered_and_paged(self, admin):
        for name in ("Beta", "Alpha", "Gamma"):
            await make(admin, name)
        assert names(await admin.get(HOME)) == ["Alpha", "Beta", "Gamma"]
        assert names(await admin.get(HOME, params={"ordering": "-name", "limit": 2})) == ["Gamma", "Beta"]
        page = (await admin.get(HOME, params={"ordering": "-name", "limit": 2})).json()
        assert names(await admin.get(page["next"])) == ["Alpha"]
        assert names(await admin.get(HOME, params={"q": "alp"})) == ["Alpha"]
        assert names(await admin.get(HOME, params={"name__contains": "et"})) == ["Beta"]
        assert (await admin.get(HOME, params={"definition": "x"})).status_code == 422

    async def test_the_audit_log_has_each_change(self, admin):
        made = await make(admin, "Watched")
        await admin.delete(f"{HOME}/{made['slug']}")
        answer = await admin.get("/api/v1/audit", params={"record_id": made["id"]})
        actions = [item["action"] for item in answer.json()["results"]]
        assert actions == ["dashboards.delete", "dashboards.insert"]


class TestAccess:
    async def test_nobody_sees_anothers_private_one(self, admin, analyst, viewer):
        private = await make(analyst, "Mine")
        assert private["owner"] == "ana"
        for other in (admin, viewer):
            assert names(await other.get(HOME)) == []
            assert (await other.get(HOME, params={"q": "Mine"})).json()["count"] == 0
            for key in (private["id"], private["slug"]):
                assert (await other.get(f"{HOME}/{key}")).status_code == 404
                assert (await other.get(f"{HOME}/{key}/export")).status_code == 404
        assert (await admin.put(f"{HOME}/{private['id']}", json=a_dashboard())).status_code == 404
        assert (await admin.delete(f"{HOME}/{private['id']}")).status_code == 404
        assert (await admin.post(f"{HOME}/{private['id']}/duplicate", json={})).status_code == 404
        assert names(await analyst.get(HOME)) == ["Mine"]
        # A file with the same slug becomes another dashboard, and tells of nothing that is there.
        document = (await analyst.get(f"{HOME}/mine/export")).json()
        made = await admin.post(f"{HOME}/import", json=document | {"replace": True})
        assert (made.status_code, made.json()["slug"]) == (201, "mine")

    async def test_no_address_tells_of_anothers_private_one(self, admin, analyst):
        await make(analyst, "Plans")
        made = await admin.post(HOME, json=a_dashboard(slug="plans"))
        assert (made.status_code, made.json()["slug"]) == (201, "plans")
        assert (await make(analyst, "Plans"))["slug"] == "plans-2"
        shared = await make(admin, "Plans", visibility="everyone")
        assert shared["slug"] == "plans-2"
        for client, visibility in ((analyst, "private"), (admin, "everyone")):
            assert (await client.get(f"{HOME}/plans-2")).json()["visibility"] == visibility

    async def test_one_for_everyone_stays_reachable_beside_ones_own(self, admin, analyst):
        own = await make(analyst, "Plans")
        shared = await make(admin, "Plans", visibility="everyone")
        assert shared["slug"] == own["slug"] == "plans"
        listed = {item["id"]: item["slug"] for item in (await analyst.get(HOME)).json()["results"]}
        assert listed == {own["id"]: "plans", shared["id"]: shared["id"]}
        for found, slug in listed.items():
            assert (await analyst.get(f"{HOME}/{slug}")).json()["id"] == found
        assert (await analyst.get(f"{HOME}/{shared['id']}/export")).json()["slug"] is None

    async def test_sharing_keeps_addresses_apart(self, admin):
        first = await make(admin, "Plans")
        wanted = a_dashboard(name="Plans", visibility="everyone")
        shared = await admin.put(f"{HOME}/{first['id']}", json=wanted)
        assert shared.json()["slug"] == "plans"
        second = await make(admin, "Plans")
        assert second["slug"] == "plans-2"

    async def test_a_shared_one_is_read_by_all_and_changed_by_some(self, admin, analyst, viewer):
        shared = await make(admin, "Ours", visibility="everyone")
        for other in (analyst, viewer):
            found = (await other.get(f"{HOME}/ours")).json()
            assert (found["may_change"], found["is_own"]) == (False, False)
        assert (await analyst.put(f"{HOME}/ours", json=a_dashboard())).status_code == 403
        assert (await analyst.delete(f"{HOME}/ours")).status_code == 403
        assert (await viewer.put(f"{HOME}/ours", json=a_dashboard())).status_code == 403
        copy = await analyst.post(f"{HOME}/{shared['id']}/duplicate", json={})
        assert (copy.json()["name"], copy.json()["visibility"], copy.json()["may_change"]) == (
            "Ours (copy)",
            "private",
            True,
        )

    async def test_sharing_needs_its_permission(self, analyst, viewer):
        refused = await analyst.post(HOME, json=a_dashboard(visibility="everyone"))
        assert (refused.status_code, "dashboards:share" in refused.json()["detail"]) == (403, True)
        own = await make(analyst)
        refused = await analyst.put(f"{HOME}/{own['id']}", json=a_dashboard(visibility="everyone"))
        assert refused.status_code == 403
        assert (await viewer.post(HOME, json=a_dashboard())).status_code == 403

    async def test_who_may_share_and_not_write_changes_nothing(self, app, admin):
        await make(admin, "Ours", visibility="everyone")
        permissions = [Permission.TELEMETRY_READ, Permission.DASHBOARDS_SHARE]
        async with app.state.database.session(product_context("job", "test")) as session:
            user = await factories.make_user(session)
            await factories.give(session, user, Role.ADMIN)
            token = await factories.make_token(session, user, permissions=permissions)
        async with app.client(token) as sharer:
            assert (await sharer.get(f"{HOME}/ours")).json()["may_change"] is False
            assert (await sharer.put(f"{HOME}/ours", json=a_dashboard())).status_code == 403

    async def test_one_without_an_owner_is_hidden_from_nobody(self, admin, connection):
        await make(admin, "Ours", visibility="everyone")
        connection.execute("UPDATE dashboards SET owner_id = NULL")
        answer = await admin.put(f"{HOME}/ours", json=a_dashboard())
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "visibility")
        answer = await admin.put(f"{HOME}/ours", json=a_dashboard("Still ours", visibility="everyone"))
        assert answer.json()["name"] == "Still ours"

    async def test_the_built_in_ones_are_read_only(self, admin, viewer):
        listed = (await viewer.get(f"{HOME}/built-in")).json()["results"]
        assert {item["default_for"] for item in listed} >= {"fleet", "server", "vm", "vehicle"}
        for item in listed:
            found = await viewer.get(f"{HOME}/{item['slug']}")
            assert found.json()["built_in"]
        assert (await admin.put(f"{HOME}/built-in-fleet", json=a_dashboard())).status_code == 403
        assert (await admin.delete(f"{HOME}/built-in-fleet")).status_code == 403
        copy = await admin.post(f"{HOME}/built-in-fleet/duplicate", json={"name": "My fleet"})
        assert (copy.json()["slug"], copy.json()["panels"]) == ("my-fleet", listed[0]["panels"])


class TestDefault:
    async def test_a_shared_one_may_stand_for_a_type(self, admin, viewer):
        first = (await viewer.get(f"{HOME}/default/server")).json()
        assert first["slug"] == "built-in-server"
        refused = await admin.post(HOME, json=a_dashboard(default_for="server"))
        assert refused.json()["errors"][0]["field"] == "default_for"
        await make(admin, "Own servers", default_for="server", visibility="everyone")
        assert (await viewer.get(f"{HOME}/default/server")).json()["slug"] == "own-servers"
        again = await admin.post(HOME, json=a_dashboard(default_for="server", visibility="everyone"))
        assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "default_for")
        assert (await viewer.get(f"{HOME}/default/boat")).status_code == 422


class TestFiles:
    async def test_export_and_import_give_the_same(self, admin):
        made = await make(admin, "Exported", description="Words")
        document = (await admin.get(f"{HOME}/exported/export")).json()
        assert document["format"] == "fleetkeeper-dashboard"
        again = (await admin.post(f"{HOME}/import", json=document)).json()
        assert (again["slug"], again["definition"]) == ("exported-2", made["definition"])
        changed = document | {"name": "Renamed", "replace": True}
        replaced = (await admin.post(f"{HOME}/import", json=changed)).json()
        assert (replaced["id"], replaced["name"], replaced["version"]) == (made["id"], "Renamed", 2)
        await admin.delete(f"{HOME}/exported")
        gone = (await admin.post(f"{HOME}/import", json=changed)).json()
        assert (gone["slug"], gone["id"] != made["id"]) == ("exported", True)

    async def test_what_is_no_dashboard_is_refused(self, admin):
        for wrong in (
            {},
            {"format": "grafana", "name": "x", "definition": {}},
            {"name": "x", "definition": []},
        ):
            assert (await admin.post(f"{HOME}/import", json=wrong)).status_code == 422


@pytest.fixture
async def fleet(app, admin):
    """Two machines with ten minutes of readings; the second is in a department."""
    start = int(time.time()) // 60 * 60 - 1200
    north = (await admin.post("/api/v1/departments", json={"name": "North"})).json()["id"]
    devices = []
    for place, name in enumerate(("web-01", "db-01")):
        device = await enroll(app, admin, name)
        frames = [
            (
                start + age,
                {
                    "cpu_usage_percent": 10.0 + 50 * place,
                    'disk_partition_usage_percent{mountpoint="/"}': 30.0 + place,
                    'disk_partition_usage_percent{mountpoint="/a|b\\"}"}': 70.0 + place,
                },
            )
            for age in range(0, 600, 10)
        ]
        assert (await device.send(*frames)).status_code == 200
        devices.append(device)
    await admin.patch(f"/api/v1/devices/{devices[1].id}", json={"department_id": north})
    yield devices, {"from": str(start), "to": str(start + 600)}
    for device in devices:
        await device.client.aclose()


async def shown(client, question, *queries, **more):
    answer = await client.post(f"{HOME}/query", json={"queries": list(queries), **question, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["answers"]


def lines(answer):
    """The newest value of each line."""
    return {
        item["name"]: [value for value in item["values"] if value is not None][-1]
        for item in answer["series"]
    }


class TestPanels:
    async def test_both_languages_and_their_shapes(self, admin, fleet):
        _, question = fleet
        one, two, three = await shown(
            admin,
            question,
            fleet_query(step="60"),
            promql_query("avg(cpu_usage_percent)", legend="Mean", step=60),
            promql_query("cpu_usage_percent", instant=True),
        )
        assert lines(one) == {"web-01": 10.0, "db-01": 60.0}
        assert (len(one["times"]), one["step"], one["series"][0]["unit"]) == (10, "60", "percent")
        assert (lines(two), len(two["times"])) == ({"Mean": 35.0}, 11)
        assert [len(item["values"]) for item in three["series"]] == [1, 1]

    @pytest.mark.parametrize(
        ("agg", "across", "age", "steps"),
        [
            ("avg", None, 30, 1),
            ("avg", None, 90, 2),
            ("avg", "count", 90, 2),
            ("sum", None, 90, 1),
            ("increase", "sum", 290, 1),
            ("sum", None, 300, 2),
        ],
    )
    async def test_a_step_that_is_not_over_is_shown_once_it_tells_of_all(
        self, admin, fleet, monkeypatch, agg, across, age, steps
    ):
        _, question = fleet
        start = int(question["from"]) // 300 * 300
        now = start + 300 + age
        monkeypatch.setattr(answering, "utc_now", lambda: datetime.fromtimestamp(now, UTC))
        query = fleet_query(agg=agg, across=across, by=[], step="300")
        (answer,) = await shown(admin, {"from": str(start), "to": str(start + 600)}, query)
        assert len(answer["times"]) == steps

    @pytest.mark.parametrize("language", ["fleet", "promql"])
    async def test_variables_choose_devices_departments_and_types(self, admin, fleet, language):
        devices, question = fleet
        variables = [
            {"name": "device", "kind": "device"},
            {"name": "department", "kind": "department"},
            {"name": "type", "kind": "device_type"},
        ]
        wanted = {"device": ["$device"], "department": ["$department"], "device_type": ["$type"]}
        query = fleet_query(filter=wanted) if language == "fleet" else promql_query(filter=wanted, legend="x")
        for values, expected in (
            ({}, {10.0, 60.0}),
            ({"device": [devices[0].id]}, {10.0}),
            ({"department": ["North"]}, {60.0}),
            ({"type": ["server"]}, {10.0, 60.0}),
            ({"type": ["vehicle"]}, set()),
            ({"device": [str(uuid4())]}, set()),
        ):
            (answer,) = await shown(admin, question, query, variables=variables, values=values)
            assert set(lines(answer).values()) == expected, values

    @pytest.mark.parametrize("language", ["fleet", "promql"])
    async def test_variables_choose_labels_whatever_they_hold(self, admin, fleet, language):
        _, question = fleet
        variables = [{"name": "mount", "kind": "label", "label": "mountpoint"}]
        if language == "fleet":
            query = fleet_query(
                metrics=["disk_partition_usage_percent"],
                by=["device", "label:mountpoint"],
                filter={"labels": {"mountpoint": ["$mount"]}},
            )
        else:
            query = promql_query('disk_partition_usage_percent{mountpoint=~"$mount"}')
        for values, expected in (
            ([], {30.0, 31.0, 70.0, 71.0}),
            (["/"], {30.0, 31.0}),
            (['/a|b"}'], {70.0, 71.0}),
            (["/", '/a|b"}'], {30.0, 31.0, 70.0, 71.0}),
            (['"} or cpu_usage_percent{x!="'], set()),
            ([".*"], set()),
        ):
            (answer,) = await shown(admin, question, query, variables=variables, values={"mount": values})
            assert set(lines(answer).values()) == expected, values

    async def test_whoever_looks_sees_their_own_devices(self, app, admin, fleet):
        devices, question = fleet
        token = await make_user(app.state.database, "nora", Role.VIEWER)
        north = (await admin.get("/api/v1/departments")).json()["results"][0]["id"]
        users = (await admin.get("/api/v1/users", params={"q": "nora"})).json()["results"]
        memberships = (await admin.get(f"/api/v1/users/{users[0]['id']}/memberships")).json()["results"]
        made = await admin.post(
            f"/api/v1/users/{users[0]['id']}/memberships",
            json={"role": "viewer", "department_id": north},
        )
        assert made.status_code == 201, made.text
        await admin.delete(f"/api/v1/users/{users[0]['id']}/memberships/{memberships[0]['id']}")
        async with app.client(token) as nora:
            answers = await shown(
                nora,
                question,
                fleet_query(),
                promql_query(),
                promql_query(filter={"device": [devices[0].id]}),
            )
        assert [set(lines(answer).values()) for answer in answers] == [{60.0}, {60.0}, set()]

    @pytest.mark.parametrize(
        ("query", "values", "field"),
        [
            (fleet_query(agg="middle"), {}, "queries[1].agg"),
            (promql_query("sum("), {}, "queries[1].query"),
            (fleet_query(filter={"device": ["$device"]}), {"device": ["web-01"]}, "queries[1].filter.device"),
            (fleet_query(), {"nobody": ["x"]}, "values.nobody"),
            (promql_query("cpu_usage_percent + on (a) cpu_usage_percent"), {}, "queries[1].query"),
        ],
    )
    async def test_errors_name_the_field(self, admin, fleet, query, values, field):
        _, question = fleet
        body = {
            "queries": [fleet_query(), query],
            "variables": [{"name": "device", "kind": "device"}],
            "values": values,
        }
        answer = await admin.post(f"{HOME}/query", json=question | body)
        assert (answer.status_code, [item["field"] for item in answer.json()["errors"]]) == (422, [field])

    async def test_the_built_in_ones_are_answered(self, admin, fleet):
        _, question = fleet
        found = 0
        for item in (await admin.get(f"{HOME}/built-in")).json()["results"]:
            definition = (await admin.get(f"{HOME}/{item['slug']}")).json()["definition"]
            for row in definition["rows"]:
                for panel in row["panels"]:
                    answers = await shown(
                        admin, question, *panel["queries"], variables=definition["variables"]
                    )
                    found += any(answer["series"] for answer in answers)
        assert found > 10

    async def test_the_fleets_one_tells_how_long_devices_are_silent(self, admin, fleet):
        _, question = fleet
        definition = (await admin.get(f"{HOME}/built-in-fleet")).json()["definition"]
        panels = {panel["title"]: panel for row in definition["rows"] for panel in row["panels"]}
        later = question | {"to": str(int(question["to"]) + 590)}
        (answer,) = await shown(
            admin, later, *panels["Longest silent"]["queries"], variables=definition["variables"]
        )
        silent = lines(answer)
        assert silent.keys() == {"Silent for · web-01", "Silent for · db-01"}
        assert all(value == pytest.approx(600, abs=1) for value in silent.values())
