"""The front, before the application as it is: who is refused without a look at the body, and what is asked once."""

import pytest
from sqlalchemy import event

from fleetkeeper.kit.body_front import BodyFront
from tests.console.conftest import sign_in


async def body_that_is_not_read():
    """An ASGI transport asks for nothing of it where the front refuses."""
    raise AssertionError("the body was read")
    yield b""


DOORS = [
    ("/api/v1/tokens", 401),
    ("/api/v1/telemetry", 401),
    ("/api/v1/telemetry/devices/00000000-0000-7000-8000-000000000000", 401),
    ("/api/v1/telemetry/processes", 401),
    ("/api/v1/agent/inventory", 401),
    ("/prometheus/api/v1/write", 401),
    ("/prometheus/api/v1/query", 401),
    ("/influx/api/v2/write", 401),
    ("/otlp/v1/metrics", 401),
    ("/collectd", 401),
    ("/scim/v2/Users", 401),
    ("/account/tokens", 303),
]
WRONG = {
    "nothing": {},
    "token": {"Authorization": "Bearer fkt_" + "x" * 43},
    "key": {"Authorization": "Bearer fkd_" + "x" * 43},
    "password": {"Authorization": "Basic Zm9vOmJhcg=="},
    "cookie": {"Cookie": "fleetkeeper=fks_" + "x" * 43},
}


class TestCredentialBeforeBody:
    @pytest.mark.parametrize("wrong", WRONG)
    @pytest.mark.parametrize(("path", "status"), DOORS)
    async def test_no_door_reads_a_body_of_somebody_unknown(self, shared, path, status, wrong):
        async with shared.app.client(**WRONG[wrong]) as client:
            answer = await client.post(path, content=body_that_is_not_read())
        assert answer.status_code == status, answer.text
        assert answer.headers["connection"] == "close"

    async def test_protocols_refuse_in_their_own_words(self, shared):
        async with shared.app.client() as client:
            influx = await client.post("/influx/write", content=body_that_is_not_read())
            assert influx.json()["code"] == "unauthorized"
            assert influx.headers["www-authenticate"].startswith("Bearer, Basic")
            scim = await client.post("/scim/v2/Users", content=body_that_is_not_read())
            assert scim.json()["status"] == "401"

    @pytest.mark.parametrize("path", ["/api/v1/tokens", "/api/v1/enroll", "/prometheus/api/v1/write"])
    async def test_what_is_announced_too_large_is_not_read(self, shared, path):
        headers = {"Content-Length": str(10**9)}
        answer = await shared.admin.post(path, content=body_that_is_not_read(), headers=headers)
        assert answer.status_code == 413
        assert answer.headers["connection"] == "close"

    async def test_a_route_that_is_not_there_reads_nothing(self, shared):
        answer = await shared.anonymous.post("/api/v1/nothing", content=body_that_is_not_read())
        assert answer.status_code == 404
        assert answer.headers["connection"] == "close"


class TestAskedOnce:
    @pytest.fixture
    def lookups(self, app):
        """Statements that find out who calls."""
        made = []

        def note(_connection, _cursor, statement, *_):
            if "device_keys.secret_hash" in statement or "secret_hash = %(secret_hash)s" in statement:
                made.append(statement)

        engine = app.state.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        yield made
        event.remove(engine, "before_cursor_execute", note)

    async def test_of_a_token(self, app, admin, lookups):
        answer = await admin.post("/api/v1/departments", json={"name": "North"})
        assert answer.status_code == 201
        assert len(lookups) == 1

    async def test_of_a_session(self, app, lookups):
        browser = await sign_in(app, "maria", "admin")
        lookups.clear()
        answer = await browser.send("/api/v1/departments", json={"name": "North"})
        assert answer.status_code in {201, 422}
        assert len(lookups) == 1

    async def test_of_a_device(self, device, lookups):
        answer = await device.client.post("/api/v1/telemetry/processes", content=b"{}")
        assert answer.status_code == 422
        assert len(lookups) == 1


class TestPlaces:
    async def test_one_caller_does_not_take_them_all(self, app, admin):
        (front,) = [one for one in app.asgi.app.app.user_middleware if one.cls is BodyFront]
        callers = front.kwargs["callers"]
        callers.total = 1
        with callers.take("somebody"):
            answer = await admin.post("/api/v1/departments", json={"name": "North"})
            assert answer.status_code == 429
            assert int(answer.headers["retry-after"]) >= 1
        assert (await admin.post("/api/v1/departments", json={"name": "North"})).status_code == 201
        assert callers.taken == 0
