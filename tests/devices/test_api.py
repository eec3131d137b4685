"""Devices over the API: versions, what may be changed, and how many statements a list costs."""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import event, text

from fleetkeeper.database.context import product_context
from tests.factories.notifications import worker_of
from tests.fixtures.client import PASSWORD

BASELINE = Path(__file__).parents[1] / "query_counts.json"
STRANGER = "0198f6a0-0000-7000-8000-000000000001"


@pytest.fixture
async def path(shared) -> str:
    return f"/api/v1/devices/{shared.device.id}"


class TestVersions:
    async def test_change_with_the_current_version(self, shared, path):
        tag = (await shared.admin.get(path)).headers["etag"]
        answer = await shared.admin.patch(path, json={"location": "Berlin"}, headers={"If-Match": tag})
        assert answer.status_code == 200
        assert answer.headers["etag"] != tag
        assert answer.json()["location"] == "Berlin"

    async def test_change_with_a_version_that_is_past(self, shared, path):
        tag = (await shared.admin.get(path)).headers["etag"]
        await shared.admin.patch(path, json={"location": "Paris"})
        answer = await shared.admin.patch(path, json={"location": "Rome"}, headers={"If-Match": tag})
        assert answer.status_code == 412
        assert (await shared.admin.get(path)).json()["location"] == "Paris"

    @pytest.mark.parametrize("tag", ["3", '"x"', '"-1"', '"1", "2"', '"٣"'.encode(), '"99999999999"'])
    async def test_what_is_no_tag(self, shared, path, tag):
        answer = await shared.admin.patch(path, json={}, headers={"If-Match": tag})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "If-Match"

    async def test_any_version(self, shared, path):
        assert (await shared.admin.patch(path, json={}, headers={"If-Match": "*"})).status_code == 200


class TestChanges:
    @pytest.mark.parametrize(
        "changes",
        [{"name": ""}, {"name": "a\x00"}, {"name": "x" * 256}, {"lifecycle": "gone"}, {"lifecycle": "active\n"},
         {"device_type": "toaster"}, {"status": "online"}, {"version": 7}, {"location": 5}],
    )  # fmt: skip
    async def test_wrong_change_is_refused_by_name(self, shared, path, changes):
        answer = await shared.admin.patch(path, json=changes)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == next(iter(changes))

    async def test_location_can_be_taken_away_and_a_name_cannot(self, shared, path):
        await shared.admin.patch(path, json={"location": "Berlin", "name": "web"})
        device = (await shared.admin.patch(path, json={"location": None, "name": None})).json()
        assert (device["location"], device["name"]) == (None, "web")

    @pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
    async def test_device_that_is_not_there(self, shared, method):
        body = {} if method == "PATCH" else None
        reason = {"X-Change-Reason": "Sold"}
        answer = await shared.admin.request(method, f"/api/v1/devices/{STRANGER}", json=body, headers=reason)
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("query", "words"),
        [
            ("status=foo", "Must be online, stale, offline or unknown"),
            ("lifecycle__in=active,foo", "Must be active, inactive, maintenance or retired"),
        ],
    )
    async def test_a_filter_for_what_none_can_be_lists_the_choices(self, shared, query, words):
        answer = await shared.admin.get(f"/api/v1/devices?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["message"] == words


class TestQueryCounts:
    """Each list costs a fixed number of statements; write the new number down when it changes on purpose."""

    @pytest.fixture
    async def _something_in_each(self, shared):
        """A list with nothing in it costs a statement less."""
        for room in ("departments", "groups", "tags"):
            body = {"name": "counted"}
            assert (await shared.admin.post(f"/api/v1/{room}", json=body)).status_code in {201, 409}
        async with shared.app.client() as browser:
            await browser.post("/sign-in", data={"username": "admin", "password": PASSWORD})
        await shared.admin.post("/api/v1/enrollment-tokens", json={"name": "counted"})
        async with shared.app.state.database.session(product_context("job", "test")) as session:
            measured = "INSERT INTO space_devices VALUES (:device, 'hot', 1, 1) ON CONFLICT DO NOTHING"
            await session.execute(text(measured), {"device": shared.device.id})
            fires = "INSERT INTO alert_logs (name, severity, fingerprint, triggered_at) "
            fires += "VALUES ('Disk', 'info', '', now())"
            await session.execute(text(fires))
        body = {
            "device": shared.device.id,
            "metric": None,
            "first_day": "1971-01-01",
            "last_day": "1971-01-01",
        }
        reason = {"X-Change-Reason": "counted"}
        await shared.admin.post("/api/v1/telemetry/archive/deletions", json=body, headers=reason)
        await shared.admin.post("/api/v1/custom-fields", json={"label": "counted"})
        await shared.admin.post("/api/v1/bookmarks", json={"path": "/devices", "title": "counted"})
        silence = {"name": "counted", "matchers": 'a="b"', "ends_at": "2099-01-01T00:00:00Z"}
        await shared.admin.post("/api/v1/alert-silences", json=silence)
        view = {"path": "/devices", "name": "counted"}
        await shared.admin.post("/api/v1/saved-views", json=view)
        channel = {"name": "counted", "kind": "webhook", "url": "https://hooks.example/x"}
        made = (await shared.admin.post("/api/v1/notification-channels", json=channel)).json()
        if "id" in made:
            rule = {"name": "counted", "events": ["*"], "channel_id": made["id"]}
            await shared.admin.post("/api/v1/notification-rules", json=rule)
        me = (await shared.admin.get("/api/v1/me")).json()
        levels = [{"users": [me["user_id"]]}]
        rule = {"name": "counted", "kind": "devices.delete", "enabled": False, "levels": levels}
        await shared.admin.post("/api/v1/approval-rules", json=rule)
        worker = worker_of(shared.app)
        await worker.emit(to_users=[me["user_id"]])
        await worker.dispatch()

    @pytest.mark.usefixtures("_something_in_each")
    @pytest.mark.parametrize("path", sorted(json.loads(BASELINE.read_text())))
    async def test_list(self, shared, path):
        statements, own_task = [], asyncio.current_task()

        def note(_connection, _cursor, statement, *_):
            # What the application does by itself, once in a while, is done in tasks of its own.
            if asyncio.current_task() is own_task:
                statements.append(statement)

        engine = shared.app.state.database.engine.sync_engine
        # Tests before this one leave more rows than fit the usual page, which are counted by a statement more.
        path = path if "?" in path else f"{path}?limit=1000"
        await shared.admin.get(path)  # what is only done now and then is done
        event.listen(engine, "before_cursor_execute", note)
        try:
            answer = await shared.admin.get(path)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert answer.status_code == 200
        assert len(statements) == json.loads(BASELINE.read_text())[path.removesuffix("?limit=1000")], (
            statements
        )
