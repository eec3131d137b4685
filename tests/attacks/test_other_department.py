"""Another department's objects: by id, list, search, count, export, stream, and by changing what is not one's own."""

import re
import time
from contextlib import aclosing
from uuid import UUID

import pytest
from fastapi.routing import iter_route_contexts

from fleetkeeper.telemetry import stream as stream_module
from tests.attacks.conftest import MARK
from tests.console.conftest import sign_in


@pytest.fixture
async def reporting(sides):
    """Both machines have sent something."""
    for side in (sides.north, sides.south):
        body = {"frames": [{"ts": time.time(), "values": {"cpu_usage_percent": 50.0}}]}
        assert (await side.device_client.post("/api/v1/telemetry", json=body)).status_code == 200
    return sides


class TestById:
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/devices/{device}",
            "/api/v1/telemetry/latest?device={device}",
            "/api/v1/telemetry/range?device={device}&metric=cpu_usage_percent&from=0&to=4000000000&step=86400000",
            "/api/v1/telemetry/metrics?device={device}",
            "/api/v1/telemetry/processes?device={device}",
            "/api/v1/telemetry/sessions?device={device}",
            "/api/v1/telemetry/stream?device={device}",
            "/devices/{device}",
        ],
    )
    async def test_is_not_found(self, reporting, path):
        for person in (reporting.north.manager, reporting.north.viewer):
            answer = await person.get(path.format(device=reporting.south.device))
            assert answer.status_code == 404, answer.text
            assert MARK not in answer.text

    async def test_own_is_found(self, reporting):
        for path in ("/api/v1/devices/{}", "/api/v1/telemetry/latest?device={}", "/devices/{}"):
            answer = await reporting.north.viewer.get(path.format(reporting.north.device))
            assert answer.status_code == 200, path

    async def test_one_of_several_spoils_the_request(self, reporting):
        both = f"{reporting.north.device},{reporting.south.device}"
        query = "metric=cpu_usage_percent&from=0&to=4000000000&step=86400000"
        answer = await reporting.north.viewer.get(f"/api/v1/telemetry/range?device={both}&{query}")
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("PATCH", "/api/v1/devices/{device}"),
            ("DELETE", "/api/v1/devices/{device}"),
            ("DELETE", "/api/v1/agents/{device}/keys"),
            ("DELETE", "/api/v1/enrollment-tokens/{token}"),
            ("POST", "/api/v1/telemetry/devices/{device}"),
        ],
    )
    async def test_cannot_be_changed(self, reporting, connection, method, path):
        path = path.format(device=reporting.south.device, token=reporting.south.enrollment_token)
        body = {"name": "taken"} if method == "PATCH" else {"frames": []} if method == "POST" else None
        reason = {"X-Change-Reason": "attack"}
        answer = await reporting.north.manager.request(method, path, json=body, headers=reason)
        assert answer.status_code in {403, 404}, answer.text
        names = {row[0] for row in connection.execute("SELECT name FROM devices")}
        assert MARK in names
        assert connection.execute(
            "SELECT count(*) FROM device_keys WHERE revoked_at IS NOT NULL"
        ).fetchone() == (0,)
        assert connection.execute(
            "SELECT count(*) FROM enrollment_tokens WHERE revoked_at IS NOT NULL"
        ).fetchone() == (0,)


# For devices alone, which come with keys.
DEVICE_DOORS = ("/api/v1/requests/{request_id}/response", "/api/v1/requests/{request_id}/files")
TABLES = (
    "api_tokens",
    "departments",
    "device_keys",
    "devices",
    "enrollment_tokens",
    "group_members",
    "memberships",
    "users",
)


class TestEveryDoor:
    """All routes with an id in their path, with every id that South has: new rooms are covered by themselves."""

    @pytest.fixture
    def ids(self, reporting, connection) -> list[str]:
        found = [str(reporting.south.department), reporting.south.device, reporting.south.enrollment_token]
        for statement in (
            "SELECT id FROM users WHERE username LIKE 'south%'",
            "SELECT m.id FROM memberships m JOIN users u ON u.id = m.user_id WHERE username LIKE 'south%'",
            "SELECT t.id FROM api_tokens t JOIN users u ON u.id = t.user_id WHERE username LIKE 'south%'",
        ):
            found += [str(row[0]) for row in connection.execute(statement)]
        # The audit log has numbers.
        found += [
            str(row[0])
            for row in connection.execute(
                "SELECT id FROM audit_log WHERE device_id = %s ORDER BY id LIMIT 2", (reporting.south.device,)
            )
        ]
        assert len(found) == 11
        return found

    @pytest.fixture
    async def doors(self, reporting) -> list[tuple[str, str]]:
        document = (await reporting.admin.get("/api/v1/openapi.json")).json()
        pages = [str(route.path) for route in iter_route_contexts(reporting.app.asgi.app.app.routes)]
        found = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
        found += [
            ("GET", path) for path in pages if not path.startswith(("/api", "/static", "/agent", "/sign-in"))
        ]
        return sorted({(method, path) for method, path in found if "{" in path})

    async def test_shows_nothing(self, reporting, ids, doors):
        reading = [path for method, path in doors if method == "GET"]
        assert len(reading) > 15
        for path in reading:
            for key in ids:
                answer = await reporting.north.manager.get(re.sub(r"\{[^}]*\}", key, path))
                where = (path, key, answer.status_code)
                if path.startswith("/prometheus/api/v1/label/") and answer.status_code == 200:
                    # Nearly any text is a label's name; this one has no values.
                    assert answer.json()["data"] == [], where
                elif answer.status_code == 303:
                    # Where only forms are sent to, a look leads to the page above, whatever the address says.
                    assert key not in answer.headers["location"], where
                else:
                    # PromQL's doors say 400 of what is no label, and devices' want a device's key.
                    more = {400} if path.startswith("/prometheus") else set()
                    more |= {401} if path.startswith(DEVICE_DOORS) else set()
                    assert answer.status_code in {403, 404, 405, 422} | more, where
                assert MARK not in answer.text, where
                assert "south-" not in answer.text, where

    async def test_changes_nothing(self, reporting, ids, doors, connection):
        def everything() -> list:
            rows = []
            for table in TABLES:
                kept = "to_jsonb(t) - ARRAY['last_seen', 'last_used_address', 'last_used_at', 'status', 'updated_at']"
                rows += connection.execute(f"SELECT {kept} FROM {table} t ORDER BY 1::text").fetchall()
            return rows

        before = everything()
        changing = [door for door in doors if door[0] != "GET"]
        assert len(changing) > 20
        for method, path in changing:
            for key in ids:
                answer = await reporting.north.manager.request(
                    method,
                    re.sub(r"\{[^}]*\}", key, path),
                    json={
                        "name": "taken",
                        "role": "viewer",
                        "username": "north-viewer",
                        "overlap_seconds": 0,
                    },
                    headers={"X-Change-Reason": "attack"},
                )
                assert answer.status_code in {400, 401, 403, 404, 405, 409, 413, 422}, (
                    method,
                    path,
                    key,
                    answer.text,
                )
                assert MARK not in answer.text
        assert everything() == before


class TestInLists:
    LISTS = (
        "/api/v1/devices",
        "/api/v1/devices?q=zz-mark",
        "/api/v1/devices?name__contains=mark",
        "/api/v1/devices?name__gte=a&ordering=-last_seen",
        "/api/v1/agents",
        "/api/v1/enrollment-tokens",
        "/api/v1/users",
        "/api/v1/departments",
        "/api/v1/audit",
        "/api/v1/audit?q=zz-mark",
    )

    @pytest.mark.parametrize("path", LISTS)
    async def test_is_not_in(self, reporting, path):
        """Not in the results, not in the count: one side sees exactly what it would see if the other were not there."""
        seen = await reporting.north.manager.get(path)
        assert seen.status_code == 200, seen.text
        assert MARK not in seen.text
        assert str(reporting.south.department) not in seen.text
        for item in seen.json()["results"]:
            assert "south" not in str(item)

    async def test_counts_hold_one_department_only(self, reporting):
        assert (await reporting.north.viewer.get("/api/v1/devices")).json()["count"] == 1
        assert (await reporting.north.viewer.get("/api/v1/devices?q=zz-mark")).json()["count"] == 0
        assert (await reporting.north.manager.get("/api/v1/agents")).json()["count"] == 1
        assert (await reporting.north.manager.get("/api/v1/enrollment-tokens")).json()["count"] == 1
        assert (await reporting.admin.get("/api/v1/devices")).json()["count"] == 2

    async def test_asking_for_the_other_department_finds_nothing(self, reporting):
        for parameter in ("department_id", "department_id__in"):
            path = f"/api/v1/devices?{parameter}={reporting.south.department}"
            assert (await reporting.north.viewer.get(path)).json()["count"] == 0

    async def test_a_cursor_of_somebody_else_shows_nothing(self, reporting):
        page = (await reporting.admin.get("/api/v1/devices?limit=1&ordering=name")).json()
        cursor = page["next"].partition("?")[2]
        answer = await reporting.north.viewer.get(f"/api/v1/devices?{cursor}")
        assert MARK not in answer.text

    @pytest.mark.parametrize(
        "page", ["/", "/devices", "/devices?q=zz", "/agents", "/audit", "/users", "/departments"]
    )
    async def test_pages_do_not_show_it(self, reporting, page):
        answer = await reporting.north.manager.get(page)
        assert answer.status_code == 200, answer.text
        assert MARK not in answer.text
        assert "south" not in answer.text

    @pytest.mark.parametrize("kind", ["csv", "parquet"])
    async def test_exports_do_not_hold_it(self, reporting, kind):
        answer = await reporting.north.manager.get(f"/api/v1/audit/export?format={kind}")
        assert answer.status_code == 200
        assert MARK.encode() not in answer.content
        assert len(answer.content) > 100


class TestStream:
    async def test_ends_when_its_watcher_may_no_longer_watch(self, reporting, monkeypatch):
        monkeypatch.setattr(stream_module, "RECHECK_SECONDS", 0.0)
        allowed = True

        async def may_still_watch() -> bool:
            return allowed

        async with aclosing(reporting.app.state.stream.events(frozenset(), may_still_watch)) as events:
            assert await anext(events)
            assert await anext(events)
            allowed = False
            with pytest.raises(StopAsyncIteration):
                await anext(events)

    @pytest.mark.parametrize(
        "loss",
        [
            "UPDATE devices SET department_id = %(south)s WHERE id = %(device)s",
            "UPDATE devices SET department_id = NULL WHERE id = %(device)s",
            "DELETE FROM devices WHERE id = %(device)s",
            "DELETE FROM memberships m USING users u WHERE u.id = m.user_id AND username = 'north-viewer'",
            "UPDATE users SET enabled = false WHERE username = 'north-viewer'",
            "DELETE FROM api_tokens t USING users u WHERE u.id = t.user_id AND username = 'north-viewer'",
            "UPDATE api_tokens SET expires_at = now() - interval '1 s'",
            "UPDATE api_tokens SET allowed_networks = '{203.0.113.0/24}'",
            "UPDATE api_tokens SET permissions = '[\"devices:read\"]'",
        ],
    )
    async def test_who_loses_sight_may_no_longer_watch(self, reporting, connection, monkeypatch, loss):
        """What an open view asks every few seconds, of the request that it was opened with."""
        asked = []

        async def once(_stream, devices, may_still_watch):
            assert devices == {UUID(reporting.north.device)}
            asked.append(may_still_watch)
            yield b"retry: 2000\n\n"

        monkeypatch.setattr(stream_module.FrameStream, "events", once)
        path = f"/api/v1/telemetry/stream?device={reporting.north.device}"
        assert (await reporting.north.viewer.get(path)).status_code == 200
        (may_still_watch,) = asked
        for _ in range(3):
            assert await may_still_watch()
        values = {"south": reporting.south.department, "device": reporting.north.device}
        connection.execute(loss, values)
        assert not await may_still_watch()

    async def test_a_browser_that_signed_out_may_no_longer_watch(self, app, admin, device, monkeypatch):
        asked = []

        async def once(_stream, _devices, may_still_watch):
            asked.append(may_still_watch)
            yield b""

        monkeypatch.setattr(stream_module.FrameStream, "events", once)
        browser = await sign_in(app, "maria", "viewer")
        await browser.client.get(f"/api/v1/telemetry/stream?device={device.id}")
        assert await asked[0]()
        assert (await browser.send("/sign-out")).status_code < 400
        assert not await asked[0]()


class TestMassAssignment:
    async def test_a_device_cannot_be_pushed_or_pulled_into_a_department(self, reporting):
        north, south = reporting.north, reporting.south
        pushed = await north.manager.patch(
            f"/api/v1/devices/{north.device}", json={"department_id": str(south.department)}
        )
        assert pushed.status_code == 422
        assert pushed.json()["errors"][0]["field"] == "department_id"
        orphaned = await north.manager.patch(f"/api/v1/devices/{north.device}", json={"department_id": None})
        assert orphaned.status_code == 422
        pulled = await north.manager.patch(
            f"/api/v1/devices/{south.device}", json={"department_id": str(north.department)}
        )
        assert pulled.status_code == 404

    async def test_an_enrolment_token_for_another_department_is_refused(self, reporting):
        for department in (str(reporting.south.department), None):
            body = {"name": "x", "department_id": department}
            answer = await reporting.north.manager.post("/api/v1/enrollment-tokens", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["field"] == "department_id"

    @pytest.mark.parametrize(
        "extra",
        [
            {"id": "00000000-0000-0000-0000-000000000001"},
            {"status": "online"},
            {"version": 99},
            {"is_admin": True},
            {"search_text": "x"},
            {"metadata": {}},
        ],
    )
    async def test_fields_that_are_not_for_people(self, reporting, extra):
        answer = await reporting.north.manager.patch(f"/api/v1/devices/{reporting.north.device}", json=extra)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == next(iter(extra))

    @pytest.mark.parametrize(
        "extra", [{"is_admin": True}, {"role": "admin"}, {"permissions": ["users:write"]}, {"enabled": True}]
    )
    async def test_nobody_makes_themselves_more(self, reporting, extra):
        answer = await reporting.north.viewer.patch("/api/v1/account", json=extra)
        assert answer.status_code == 422
        me = (await reporting.north.viewer.get("/api/v1/me")).json()
        assert me["roles"] == ["viewer"]
