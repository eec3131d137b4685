"""API tokens as the doors see them: from where, for how long, for what, and what is remembered of their use."""

from datetime import timedelta

import httpx
import pytest

from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.kit.clock import utc_now
from tests.attacks.conftest import add_person
from tests.fixtures.client import enroll


@pytest.fixture
async def otto(app, connection):
    """Somebody with a token without limits, who is an operator everywhere."""
    async with app.client(add_person(connection, "otto", Role.OPERATOR, None)) as client:
        yield client


async def make(client, **limits: object) -> dict:
    answer = await client.post("/api/v1/tokens", json={"name": "made"} | limits)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def status(
    app, secret: str, path: str = "/api/v1/devices", method: str = "GET", address: str = "127.0.0.1"
) -> int:
    transport = httpx.ASGITransport(app.asgi, client=(address, 4711))
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        return (
            await client.request(method, path, json=None if method == "GET" else {"name": "x"})
        ).status_code


def let_pass(connection, **time: float) -> None:
    """As if the tokens had been made so much earlier."""
    connection.execute(
        "UPDATE api_tokens SET expires_at = expires_at - %(past)s, "
        "previous_expires_at = previous_expires_at - %(past)s, last_used_at = last_used_at - %(past)s",
        {"past": timedelta(**time)},
    )


class TestFromWhere:
    @pytest.mark.parametrize(
        ("address", "expected"),
        [
            ("10.1.2.3", 200),
            ("::ffff:10.1.2.3", 200),
            ("2001:db8::7", 200),
            ("2001:db8::7%eth0", 200),
            ("10.2.0.1", 401),
            ("2001:db9::7", 401),
            ("127.0.0.1", 401),
            # No address at all is no address of the list.
            ("testclient", 401),
            ("", 401),
        ],
    )
    async def test_its_networks_alone(self, app, otto, address, expected):
        secret = (await make(otto, allowed_networks=["10.1.0.0/16", "2001:db8::/64"]))["token"]
        assert await status(app, secret, address=address) == expected

    async def test_no_network_is_nowhere(self, app, otto):
        secret = (await make(otto, allowed_networks=[]))["token"]
        assert await status(app, secret) == 401

    async def test_a_header_is_no_address(self, app, otto):
        secret = (await make(otto, allowed_networks=["10.1.0.0/16"]))["token"]
        async with app.client(secret, **{"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3"}) as client:
            assert (await client.get("/api/v1/devices")).status_code == 401


class TestForWhat:
    async def test_its_permissions_alone(self, app, otto):
        secret = (await make(otto, permissions=[Permission.DEVICES_READ]))["token"]
        assert await status(app, secret) == 200
        assert await status(app, secret, "/api/v1/enrollment-tokens") == 403
        assert await status(app, secret, "/api/v1/enrollment-tokens", "POST") == 403

    async def test_no_permission_is_nothing(self, app, otto):
        secret = (await make(otto, permissions=[]))["token"]
        assert await status(app, secret) == 403

    async def test_its_departments_alone(self, app, admin, otto, connection):
        """In the application's queries and in the database's own rules."""
        rows = connection.execute(
            "INSERT INTO departments (id, name) VALUES (gen_random_uuid(), 'North'), (gen_random_uuid(), 'South') "
            "RETURNING id::text"
        ).fetchall()
        (north,), (south,) = rows
        for name, department in (("n1", north), ("s1", south)):
            device = await enroll(app, admin, name)
            await admin.patch(f"/api/v1/devices/{device.id}", json={"department_id": department})
            await device.client.aclose()
        secret = (await make(otto, departments=[north]))["token"]
        async with app.client(secret) as client:
            seen = (await client.get("/api/v1/devices")).json()
        assert [one["name"] for one in seen["results"]] == ["n1"]
        assert seen["count"] == 1


class TestForHowLong:
    async def test_until_its_end(self, app, otto, connection):
        end = utc_now() + timedelta(days=30)
        secret = (await make(otto, expires_at=end.isoformat()))["token"]
        let_pass(connection, days=29)
        assert await status(app, secret) == 200
        let_pass(connection, days=1)
        assert await status(app, secret) == 401

    @pytest.mark.parametrize(
        "moment", ["2001-01-01T00:00:00Z", "2200-01-01T00:00:00Z", "2100-01-01T00:00:00", "never"]
    )
    async def test_an_end_that_is_none(self, otto, moment):
        answer = await otto.post("/api/v1/tokens", json={"name": "x", "expires_at": moment})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"].endswith("expires_at")


class TestRotation:
    async def test_both_work_until_the_overlap_ends(self, app, otto, connection):
        made = await make(otto)
        answer = await otto.post(f"/api/v1/tokens/{made['id']}/rotate", json={"overlap_seconds": 600})
        new, old = answer.json()["token"], made["token"]
        assert new != old
        for _ in range(2):
            assert [await status(app, one) for one in (old, new)] == [200, 200]
        let_pass(connection, seconds=590)
        assert [await status(app, one) for one in (old, new)] == [200, 200]
        let_pass(connection, seconds=11)
        assert [await status(app, one) for one in (old, new)] == [401, 200]

    async def test_the_new_secret_has_the_old_one_s_limits(self, app, otto):
        made = await make(otto, permissions=[Permission.DEVICES_READ], allowed_networks=["10.0.0.0/8"])
        answer = await otto.post(f"/api/v1/tokens/{made['id']}/rotate", json={"overlap_seconds": 0})
        new = answer.json()["token"]
        assert await status(app, new) == 401
        assert await status(app, new, address="10.0.0.1") == 200
        assert await status(app, new, "/api/v1/enrollment-tokens", address="10.0.0.1") == 403
        assert await status(app, made["token"], address="10.0.0.1") == 401

    async def test_revoking_ends_both(self, app, otto):
        made = await make(otto)
        answer = await otto.post(f"/api/v1/tokens/{made['id']}/rotate", json={"overlap_seconds": 600})
        assert (await otto.delete(f"/api/v1/tokens/{made['id']}")).status_code == 204
        assert [await status(app, one) for one in (made["token"], answer.json()["token"])] == [401, 401]


class TestLastUse:
    async def test_when_and_from_where(self, app, otto, connection):
        made = await make(otto)
        path = f"/api/v1/tokens/{made['id']}"
        assert made["last_used_at"] is None
        await status(app, made["token"], address="192.0.2.7")
        first = (await otto.get(path)).json()
        assert first["last_used_address"] == "192.0.2.7"
        # At most once a minute, as each costs a write.
        await status(app, made["token"], address="192.0.2.8")
        assert (await otto.get(path)).json()["last_used_address"] == "192.0.2.7"
        let_pass(connection, seconds=61)
        await status(app, made["token"], address="192.0.2.8")
        assert (await otto.get(path)).json()["last_used_address"] == "192.0.2.8"

    async def test_a_refused_use_is_none(self, app, otto):
        made = await make(otto, allowed_networks=["10.0.0.0/8"])
        await status(app, made["token"])
        assert (await otto.get(f"/api/v1/tokens/{made['id']}")).json()["last_used_at"] is None
