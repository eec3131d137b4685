"""`POST /api/v1/telemetry/devices/{id}`: measurements that a collector with an API token writes for a device."""

import gzip
import time
from uuid import uuid4

import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.identity.permissions import Permission, Role
from tests.attacks.conftest import add_person
from tests.factories import identity as factories


def path_of(device) -> str:
    return f"/api/v1/telemetry/devices/{device.id}"


def frames(*values: float) -> dict:
    now = time.time()
    return {"frames": [{"ts": now - n, "values": {"cpu_usage_percent": one}} for n, one in enumerate(values)]}


@pytest.fixture
async def collector(app, connection):
    async with app.client(add_person(connection, "collector", Role.DATA_COLLECTOR, None)) as client:
        yield client


class TestCollector:
    async def test_frames_are_the_device_s_own(self, collector, device, admin):
        answer = await collector.post(path_of(device), json=frames(1.0, 2.0))
        assert answer.json() == {"accepted": 2, "duplicates": 0}
        (latest,) = (await admin.get(f"/api/v1/telemetry/latest?device={device.id}")).json()["values"]
        assert latest["value"] == 1.0

    async def test_again_they_are_duplicates_whoever_sends_them(self, collector, device):
        body = frames(1.0)
        assert (await collector.post(path_of(device), json=body)).json()["accepted"] == 1
        assert (await collector.post(path_of(device), json=body)).json()["duplicates"] == 1
        assert (await device.client.post("/api/v1/telemetry", json=body)).json()["duplicates"] == 1

    async def test_compressed(self, collector, device):
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        content = gzip.compress(b'{"frames": [{"ts": %f, "values": {"a": 1.0}}]}' % time.time())
        answer = await collector.post(path_of(device), content=content, headers=headers)
        assert answer.json()["accepted"] == 1

    async def test_needs_the_permission(self, viewer, anonymous, device):
        assert (await viewer.post(path_of(device), json=frames(1.0))).status_code == 403
        assert (await anonymous.post(path_of(device), json=frames(1.0))).status_code == 401

    async def test_a_device_s_key_writes_for_no_other(self, device, collector):
        assert (await device.client.post(path_of(device), json=frames(1.0))).status_code == 401

    async def test_unknown_device(self, collector):
        answer = await collector.post(f"/api/v1/telemetry/devices/{uuid4()}", json=frames(1.0))
        assert answer.status_code == 404

    @pytest.mark.parametrize("body", [{}, {"frames": [{"ts": "x", "values": {}}]}, {"frames": 1}])
    async def test_bad_body_names_the_field(self, collector, device, body):
        answer = await collector.post(path_of(device), json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"]

    async def test_body_over_the_limit(self, app, collector, device):
        limit = app.state.settings.telemetry.max_body_bytes
        answer = await collector.post(path_of(device), content=b" " * (limit + 1))
        assert answer.status_code == 413

    async def test_of_its_department_alone(self, app, admin, connection, device):
        """Neither by a role in a department nor by a token limited to one, and 404 where it cannot even see."""
        connection.execute("INSERT INTO departments (id, name) VALUES (gen_random_uuid(), 'North')")
        (north,) = connection.execute("SELECT id FROM departments").fetchone()
        token = add_person(connection, "north-collector", Role.DATA_COLLECTOR, north)
        async with app.client(token) as client:
            assert (await client.post(path_of(device), json=frames(1.0))).status_code == 404
            await admin.patch(f"/api/v1/devices/{device.id}", json={"department_id": str(north)})
            assert (await client.post(path_of(device), json=frames(1.0))).status_code == 200

    async def test_who_sees_it_and_may_not_write_is_told_so(self, app, connection, device):
        """Reads everywhere, writes in one department."""
        connection.execute("INSERT INTO departments (id, name) VALUES (gen_random_uuid(), 'North')")
        (north,) = connection.execute("SELECT id FROM departments").fetchone()
        token = add_person(connection, "looks", Role.VIEWER, None)
        connection.execute(
            "INSERT INTO memberships (id, user_id, role_id, department_id) SELECT gen_random_uuid(), u.id, r.id, %s "
            "FROM users u, roles r WHERE u.username = 'looks' AND r.name = 'data_collector'",
            (north,),
        )
        async with app.client(token) as client:
            assert (await client.post(path_of(device), json=frames(1.0))).status_code == 403

    async def test_a_token_with_that_permission_alone(self, app, device):
        async with app.state.database.session(product_context("job", "test")) as session:
            user = await factories.make_user(session)
            await factories.give(session, user, Role.ADMIN)
            permissions = [Permission.TELEMETRY_WRITE, Permission.DEVICES_READ]
            token = await factories.make_token(session, user, permissions=permissions)
        async with app.client(token) as client:
            assert (await client.post(path_of(device), json=frames(1.0))).status_code == 200
            assert (await client.delete(f"/api/v1/devices/{device.id}")).status_code == 403
