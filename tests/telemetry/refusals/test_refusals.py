"""What is refused can be looked at, with an example, by those whom it concerns; and no flood makes it expensive."""

import json
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from fleetkeeper.kit.clock import utc_now
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.refusals import notes as notes_module
from fleetkeeper.telemetry.refusals import service
from fleetkeeper.telemetry.refusals.notes import NATIVE, Origin
from tests.attacks.conftest import add_person
from tests.factories.senders import WRITE, headers_of, now_ms, series, snappy
from tests.fixtures.client import enroll, running_app

LISTED = "/api/v1/telemetry/refusals"
DAY = 86_400


async def listed(app, client, query: str = "") -> list[dict]:
    """What the API says once all is written down."""
    await app.state.door.refusals.flush()
    answer = await client.get(LISTED + query)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


async def write(client, labels: dict[str, str], ms: int | None = None) -> int:
    body = snappy(series({"__name__": "up", **labels}, [(ms or now_ms(), 1.0)]))
    return (await client.post(WRITE, content=body, headers=headers_of())).status_code


def collectd(values: list) -> dict:
    item = {"host": "web-01", "plugin": "load", "type": "load", "time": 1, "values": values}
    return {"url": "/collectd", "json": [item | {"dstypes": ["gauge"], "dsnames": ["value"]}]}


def otlp(points: list) -> dict:
    metric = {"name": "queue", "gauge": {"dataPoints": points}}
    return {
        "url": "/otlp/v1/metrics",
        "json": {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]},
    }


# What parsers themselves leave out: the request, the reason, the example.
LEFT_OUT = [
    ({"url": "/influx/write", "content": "cpu,host=web-01 load="}, "invalid_line", "cpu,host=web-01 load="),
    (
        {"url": "/influx/write", "content": 'cpu,host=web-01 mode="idle"'},
        "text_field",
        "cpu,host=web-01 mode",
    ),
    (collectd([None]), "no_value", "web-01/load/load"),
    (collectd(["text"]), "bad_point", "web-01/load/load"),
    (otlp([{"asDouble": 1}]), "no_time", "queue"),
    (otlp([{"timeUnixNano": "yesterday"}]), "bad_point", "queue"),
]


class TestSenders:
    async def test_the_newest_example_and_how_many_since_when(self, app, admin, device):
        before = utc_now()
        for number in (1, 2):
            assert await write(admin, {"job": f"node{number}"}) == 400
        (found,) = await listed(app, admin)
        assert (found["protocol"], found["reason"], found["samples"]) == ("prometheus", "no_host", 2)
        assert found["example"] == 'up{job="node2"}'
        assert found["meaning"] == Reason.NO_HOST.sentence
        assert found["cure"] == Reason.NO_HOST.cure
        assert found["token_name"] == "test"
        assert found["device_id"] is None
        first, last = found["first_seen"], found["last_seen"]
        assert before.isoformat() < first <= last

    async def test_what_was_for_a_device_names_it(self, app, admin, device):
        assert await write(admin, {"instance": "web-01:9100"}, now_ms() - 400 * DAY * 1000) == 400
        (found,) = await listed(app, admin)
        assert (found["reason"], found["device_id"], found["device_name"]) == ("time", device.id, "web-01")
        assert found["example"] == 'up{instance="web-01:9100"}'

    async def test_a_whole_request_that_cannot_be_read(self, app, admin):
        assert (await admin.post(WRITE, content=b"no snappy", headers=headers_of())).status_code == 400
        (found,) = await listed(app, admin)
        assert (found["reason"], found["samples"]) == ("request", 1)
        assert "snappy" in found["sentence"]

    @pytest.mark.parametrize(("request_", "reason", "example"), LEFT_OUT)
    async def test_each_protocol_gives_an_example(self, app, admin, device, request_, reason, example):
        await admin.post(**request_)
        (found,) = await listed(app, admin)
        assert (found["reason"], found["example"]) == (reason, example)

    @pytest.mark.parametrize(
        ("more", "reason"), [(b"\x22\x00", "native_histogram"), (b"\x10\x05", "bad_point")]
    )
    async def test_what_a_series_has_beside_samples_gives_the_series(self, app, admin, device, more, reason):
        body = series({"__name__": "latency", "instance": "web-01"}, [], more=more)
        assert (await admin.post(WRITE, content=snappy(body), headers=headers_of())).status_code == 400
        (found,) = await listed(app, admin)
        assert (found["reason"], found["example"]) == (reason, 'latency{instance="web-01"}')


class TestAgents:
    async def test_frames_of_the_native_door(self, app, admin, device):
        now = time.time()
        assert (await device.send((now - 400 * DAY, {"cpu_usage_percent": 5.0}))).status_code == 422
        assert (await device.send((now, {"cpu usage\n": 5.0}))).status_code == 422
        frames = [{"ts": now, "values": {"a": "text"}}, {"ts": now, "values": {"a": 1.0}}]
        assert (await device.client.post("/api/v1/telemetry", json={"frames": frames})).status_code == 200
        assert (await device.client.post("/api/v1/telemetry", content=b"{")).status_code == 400
        found = {one["reason"]: one for one in await listed(app, admin)}
        assert found.keys() == {"time", "channel", "unreadable", "request"}
        assert {(one["protocol"], one["device_name"], one["samples"]) for one in found.values()} == {
            ("native", "web-01", 1)
        }
        assert "cpu_usage_percent=5.0" in found["time"]["example"]
        assert r"cpu usage\n=5.0" in found["channel"]["example"]
        assert json.loads(found["unreadable"]["example"])["values"] == {"a": "text"}
        assert "not valid JSON" in found["request"]["sentence"]


class TestWhoMaySee:
    @pytest.fixture
    async def two_departments(self, app, admin, connection):
        """A person, a token and a machine of each of two departments, by name."""
        found = {}
        for name in ("north", "south"):
            department = uuid4()
            connection.execute("INSERT INTO departments (id, name) VALUES (%s, %s)", (department, name))
            person = app.client(add_person(connection, f"{name}-viewer", "viewer", department))
            collector = app.client(add_person(connection, f"{name}-collector", "data_collector", department))
            machine = await enroll(app, admin, f"{name}-01")
            await admin.patch(f"/api/v1/devices/{machine.id}", json={"department_id": str(department)})
            found[name] = (person, collector, machine)
        yield found
        for person, collector, machine in found.values():
            for client in (person, collector, machine.client):
                await client.aclose()

    async def test_departments_see_their_own(self, app, admin, viewer, two_departments, connection):
        (north, collector, machine), (south, _, _) = two_departments["north"], two_departments["south"]
        await write(collector, {"job": "secret of north"})
        await write(collector, {"instance": "south-01"})
        await machine.send((1.0, {"cpu_usage_percent": 5.0}))
        await write(admin, {"job": "of the whole fleet"})
        await write(admin, {"instance": "north-01"}, 1)
        assert {(one["protocol"], one["reason"]) for one in await listed(app, north)} == {
            ("prometheus", "no_host"),
            ("prometheus", "unknown_host"),
            ("native", "time"),
            ("prometheus", "time"),
        }
        assert await listed(app, south) == []
        assert len(await listed(app, viewer)) == 5
        assert [one["example"] for one in await listed(app, viewer, "?q=whole")] == [
            'up{job="of the whole fleet"}'
        ]
        (filtered,) = await listed(app, north, "?protocol=native&reason=time")
        assert (filtered["department_name"], filtered["device_name"]) == ("north", "north-01")
        # Row security says the same, whatever a statement asks for.
        connection.execute("SET ROLE fleetkeeper_app")
        connection.execute(
            "SELECT set_config('fleetkeeper.departments', %s, false)", (filtered["department_id"],)
        )
        assert connection.execute("SELECT count(*) FROM refused_samples").fetchone() == (4,)
        connection.execute("SELECT set_config('fleetkeeper.departments', %s, false)", (str(uuid4()),))
        assert connection.execute("SELECT count(*) FROM refused_samples").fetchone() == (0,)

    async def test_it_needs_the_permission_to_read_devices(self, app, anonymous, connection):
        connection.execute("INSERT INTO roles (id, name) VALUES (gen_random_uuid(), 'nothing')")
        nobody = app.client(add_person(connection, "nobody", "nothing", None))
        assert (await nobody.get(LISTED)).status_code == 403
        assert (await anonymous.get(LISTED)).status_code == 401
        await nobody.aclose()


class TestKeeping:
    async def test_floods_write_few_rows_and_nothing_while_they_come(self, app, admin, device, connection):
        statements: list[str] = []

        def note(_connection, _cursor, statement, *_rest):
            statements.append(statement)

        engine = app.state.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            for number in range(200):
                await write(admin, {"job": "x" * 250, "number": str(number)})
            assert not [one for one in statements if "refused_samples" in one]
        finally:
            event.remove(engine, "before_cursor_execute", note)
        (found,) = await listed(app, admin)
        assert found["samples"] == 200
        assert len(found["example"]) <= 300

    async def test_notes_are_bounded_and_none_is_lost_from_the_count(self, app, admin, monkeypatch):
        monkeypatch.setattr(notes_module, "MAX_NOTES", 3)
        refusals = app.state.door.refusals
        for number in range(10):
            origin = Origin(UUID(int=number))
            refusals.note(NATIVE, Reason.TIME, 1, origin, sentence="late", example=f"of device {number}")
        assert len(refusals._notes) == 4
        (found,) = await listed(app, admin)
        assert found["samples"] == 10

    async def test_hostile_texts_are_spelled_out(self, app, admin):
        hostile = "\x00\x1b[2J\u202eevil\ud800<script>"
        app.state.door.refusals.note(
            NATIVE, Reason.TIME, 1, Origin(), sentence=hostile, example=hostile * 100
        )
        (found,) = await listed(app, admin)
        assert found["sentence"] == r"\x00\x1b[2J\u202eevil\ud800<script>"
        assert found["example"].startswith(found["sentence"])
        assert len(found["example"]) == 300

    async def test_what_could_not_be_written_waits(self, app, admin, monkeypatch):
        refusals = app.state.door.refusals
        refusals.note(NATIVE, Reason.TIME, 1, Origin(), example="first")
        with monkeypatch.context() as patch:

            async def fail(*_):
                raise OperationalError("", {}, OSError("away"))

            patch.setattr(notes_module.queries, "add", fail)
            await refusals.flush()
        refusals.note(NATIVE, Reason.TIME, 1, Origin(), example="second")
        (found,) = await listed(app, admin)
        assert (found["samples"], found["example"]) == (2, "second")

    async def test_it_outlives_the_process(self, settings, app, app_url, admin, admin_token, device):
        await write(admin, {"job": "node"})
        await app.state.door.refusals.stop()
        async with running_app(settings, app_url) as again, again.client(admin_token) as client:
            (found,) = await listed(again, client)
            assert found["samples"] == 1
            await write(client, {"job": "node"})
            (found,) = await listed(again, client)
            assert found["samples"] == 2

    async def test_devices_and_tokens_that_went_are_named_no_more(self, app, admin, device):
        await device.send((1.0, {"cpu_usage_percent": 5.0}))
        await listed(app, admin)
        await admin.delete(f"/api/v1/devices/{device.id}", headers={"X-Change-Reason": "Sold"})
        (found,) = await listed(app, admin)
        assert (found["device_id"], found["device_name"]) == (None, None)
        app.state.door.refusals.note(NATIVE, Reason.VALUES, 1, Origin(UUID(device.id)), token_id=uuid4())
        assert {one["reason"] for one in await listed(app, admin)} == {"time", "values"}

    async def test_it_is_forgotten_after_a_month(self, app, admin, connection):
        for reason in (Reason.TIME, Reason.VALUES):
            app.state.door.refusals.note(NATIVE, reason, 1, Origin())
        await listed(app, admin)
        connection.execute(
            "UPDATE refused_samples SET last_seen = %s WHERE reason = 'time'",
            (utc_now() - timedelta(days=service.KEPT_DAYS, seconds=1),),
        )
        await service.forget_old(app.state.database)
        assert [one["reason"] for one in await listed(app, admin)] == ["values"]

    async def test_a_reason_of_another_version_is_shown_as_it_is(self, app, admin, connection):
        app.state.door.refusals.note(NATIVE, Reason.TIME, 1, Origin(), sentence="too blue")
        await listed(app, admin)
        connection.execute("UPDATE refused_samples SET reason = 'color'")
        (found,) = await listed(app, admin)
        assert (found["reason"], found["meaning"], found["cure"]) == ("color", "too blue", "")
