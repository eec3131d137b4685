"""A credential writes for the devices that it may write for, and makes devices only where it may."""

import pytest

from fleetkeeper.identity.permissions import Role
from tests.factories.senders import WRITE, headers_of, metadata, now_ms, series, snappy
from tests.fixtures.client import enroll, make_user


async def write(client, *instances: str):
    body = b"".join(series({"__name__": "up", "instance": name}, [(now_ms(), 1.0)]) for name in instances)
    return await client.post(WRITE, content=snappy(body), headers=headers_of())


@pytest.fixture
async def place(admin) -> str:
    """A department."""
    return (await admin.post("/api/v1/departments", json={"name": "Berlin"})).json()["id"]


@pytest.fixture
async def token_for(app, admin):
    """Makes a token with these permissions, in a department or everywhere; returns a client."""
    clients = []

    async def make(permissions: list[str], department: str | None = None):
        wanted = {"name": f"t{len(clients)}", "permissions": permissions}
        if department:
            wanted["departments"] = [department]
        answer = await admin.post("/api/v1/tokens", json=wanted)
        assert answer.status_code == 201, answer.text
        clients.append(app.client(answer.json()["token"]))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


class TestTokens:
    async def test_without_the_permission_nothing_is_stored(self, app, admin, viewer, device):
        assert (await write(viewer, "web-01")).status_code == 403

    async def test_without_devices_create_unknown_hosts_are_refused(
        self, admin, token_for, device, read_back
    ):
        client = await token_for(["telemetry:write", "devices:read"])
        answer = await write(client, "web-01:1", "stranger:1")
        assert answer.status_code == 400
        assert "stranger" in answer.text
        assert len(read_back("web-01")) == 1
        assert (await admin.get("/api/v1/devices")).json()["count"] == 1

    async def test_another_departments_device_is_refused_like_an_unknown_one(
        self, admin, token_for, place, device, read_back
    ):
        client = await token_for(["telemetry:write", "devices:read"], place)
        first, second = await write(client, "web-01:1"), await write(client, "stranger:1")
        assert (first.status_code, second.status_code) == (400, 400)
        assert first.text.replace("web-01", "stranger") == second.text
        # Nor once somebody else has written for it, and the host is remembered.
        assert (await write(admin, "web-01:1")).status_code == 204
        assert (await write(client, "web-01:1")).status_code == 400
        assert [len(samples) for samples in read_back("web-01").values()] == [1]

    async def test_new_devices_belong_to_the_tokens_department(self, admin, token_for, place):
        client = await token_for(["telemetry:write", "devices:create"], place)
        assert (await write(client, "fresh:1")).status_code == 204
        made = (await admin.get("/api/v1/devices")).json()["results"]
        assert [(item["name"], item["department_id"]) for item in made] == [("fresh", place)]

    async def test_a_moved_device_is_out_of_reach_at_once(self, admin, token_for, place):
        client = await token_for(["telemetry:write", "devices:create"], place)
        assert (await write(client, "fresh:1")).status_code == 204
        made = (await admin.get("/api/v1/devices")).json()["results"][0]
        await admin.patch(f"/api/v1/devices/{made['id']}", json={"department_id": None})
        assert (await write(client, "fresh:1")).status_code == 400

    async def test_of_two_devices_of_one_name_the_first_keeps_it(self, app, admin, device, read_back):
        twin = await enroll(app, admin, "web-01")
        assert (await write(admin, "web-01:1")).status_code == 204
        hosts = (await admin.get("/api/v1/telemetry/hosts")).json()["results"]
        assert [(item["host"], item["device_id"]) for item in hosts] == [("web-01", device.id)]
        # The other's own key is not hindered by that.
        assert (await write(twin.client, "web-01:1")).status_code == 204
        await twin.client.aclose()

    async def test_the_source_and_the_audit_log_know_who_made_a_device(self, admin, connection):
        assert (await write(admin, "fresh:1")).status_code == 204
        source = connection.execute("SELECT source_system, source_id FROM device_sources").fetchall()
        assert source == [("prometheus", "fresh")]
        actors = connection.execute(
            "SELECT DISTINCT actor_kind, actor_name FROM audit_log "
            "WHERE resource_type IN ('devices', 'telemetry_hosts')"
        ).fetchall()
        assert actors == [("token", "admin")]


class TestDeviceKeys:
    async def test_a_key_writes_for_its_own_device(self, device, read_back):
        assert (await write(device.client, "web-01:1")).status_code == 204
        assert (await write(device.client, "whatever:1")).status_code == 204
        assert len(read_back("web-01")) == 2

    async def test_labels_that_name_another_device_are_refused(self, app, admin, device, read_back):
        other = await enroll(app, admin, "web-02")
        assert (await write(admin, "web-02:1")).status_code == 204
        assert (await write(device.client, "web-02:1")).status_code == 400
        assert read_back("web-01") == {}
        await other.client.aclose()

    async def test_a_data_collector_may_write_everywhere_it_is_a_member(self, app, device):
        token = await make_user(app.state.database, "collector", Role.DATA_COLLECTOR)
        async with app.client(token) as client:
            assert (await write(client, "web-01:1")).status_code == 204
            assert (await write(client, "stranger:1")).status_code == 400


class TestMeanings:
    async def test_only_who_writes_everywhere_says_what_a_metric_means(
        self, admin, token_for, place, device, connection
    ):
        await admin.patch(f"/api/v1/devices/{device.id}", json={"department_id": place})
        limited = await token_for(["telemetry:write", "devices:read"], place)
        for client, text in ((device.client, "theirs"), (limited, "its own"), (admin, "ours")):
            body = series({"__name__": "x_total", "instance": "web-01"}, [(now_ms(), 1.0)])
            body += metadata("x_total", 1, text, "bytes")
            answer = await client.post(WRITE, content=snappy(body), headers=headers_of())
            assert answer.status_code == 204
            told = connection.execute("SELECT description FROM metrics WHERE name = 'x_total'").fetchone()
            assert told == ("ours" if client is admin else "",)


class TestOverload:
    async def test_too_many_requests_at_once_ask_senders_to_come_back(self, app, admin, device):
        app.state.senders.limits.max_sender_requests_in_flight = 0
        answer = await write(admin, "web-01:1")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        answer = await admin.post("/influx/write", content="a,host=web-01 v=1")
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "2")
        assert (
            'requests_refused_total{protocol="influx",reason="overload"} 1'
            in (await admin.get("/metrics")).text
        )
