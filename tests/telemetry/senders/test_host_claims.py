"""A host name is a claim within a department: by no way in does anybody take, block or find out another's."""

import asyncio
import struct
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from fleetkeeper.database.migrate import migrate, rollback
from fleetkeeper.identity.permissions import Role
from tests.console.conftest import Browser, sign_in
from tests.factories.senders import V2, WRITE, field, headers_of, now_ms, request_v2, series, snappy
from tests.fixtures.client import EnrolledDevice

HOSTS = "/api/v1/telemetry/hosts"
HOST = "south-host-1"
OPERATOR = ["devices:read", "devices:write", "devices:create", "telemetry:write", "telemetry:read"]


async def remote_write(client: httpx.AsyncClient, host: str) -> httpx.Response:
    body = series({"__name__": "up", "instance": f"{host}:9100"}, [(now_ms(), 1.0)])
    return await client.post(WRITE, content=snappy(body), headers=headers_of())


async def remote_write_2(client: httpx.AsyncClient, host: str) -> httpx.Response:
    body = request_v2([({"__name__": "up", "instance": f"{host}:9100"}, [(now_ms(), 1.0)])])
    return await client.post(WRITE, content=snappy(body), headers=headers_of(V2))


async def influx(client: httpx.AsyncClient, host: str) -> httpx.Response:
    return await client.post("/influx/write?precision=ms", content=f"up,host={host} value=1 {now_ms()}")


async def influx_2(client: httpx.AsyncClient, host: str) -> httpx.Response:
    line = f"up,host={host} value=1 {now_ms()}"
    return await client.post("/influx/api/v2/write?precision=ms", content=line)


async def otlp_json(client: httpx.AsyncClient, host: str) -> httpx.Response:
    point = {"timeUnixNano": str(now_ms() * 1_000_000), "asDouble": 1.0}
    attributes = [{"key": "host.name", "value": {"stringValue": host}}]
    metrics = [{"name": "up", "gauge": {"dataPoints": [point]}}]
    resource = {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]}
    return await client.post("/otlp/v1/metrics", json={"resourceMetrics": [resource]})


async def otlp_protobuf(client: httpx.AsyncClient, host: str) -> httpx.Response:
    point = b"\x19" + struct.pack("<Q", now_ms() * 1_000_000) + b"\x21" + struct.pack("<d", 1.0)
    metric = field(1, b"up") + field(5, field(1, point))
    attribute = field(1, b"host.name") + field(2, field(1, host.encode()))
    body = field(1, field(1, field(1, attribute)) + field(2, field(2, metric)))
    return await client.post(
        "/otlp/v1/metrics", content=body, headers={"Content-Type": "application/x-protobuf"}
    )


async def collectd(client: httpx.AsyncClient, host: str) -> httpx.Response:
    value = {
        "values": [1],
        "dstypes": ["gauge"],
        "dsnames": ["value"],
        "time": now_ms() / 1000,
        "interval": 10,
        "host": host,
        "plugin": "load",
        "plugin_instance": "",
        "type": "load",
        "type_instance": "",
    }
    return await client.post("/collectd", json=[value])


PROTOCOLS = [remote_write, remote_write_2, influx, influx_2, otlp_json, otlp_protobuf, collectd]


@pytest.fixture(params=PROTOCOLS, ids=lambda send: send.__name__)
def send(request):
    """One sample of a host, by one of the protocols."""
    return request.param


@dataclass
class Department:
    """A department with an operator's token that is limited to it."""

    id: str
    operator: httpx.AsyncClient


@pytest.fixture
async def make_token(app, admin):
    """Makes a client with a token that is limited to some departments, or to none."""
    clients = []

    async def make(permissions: list[str], *departments: str) -> httpx.AsyncClient:
        wanted = {
            "name": f"t{len(clients)}",
            "permissions": permissions,
            "departments": [*departments] or None,
        }
        answer = await admin.post(
            "/api/v1/tokens", json={key: value for key, value in wanted.items() if value}
        )
        assert answer.status_code == 201, answer.text
        clients.append(app.client(answer.json()["token"]))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()


async def make_department(admin, make_token, name: str) -> Department:
    department = (await admin.post("/api/v1/departments", json={"name": name})).json()["id"]
    return Department(department, await make_token(OPERATOR, department))


@pytest.fixture
async def north(admin, make_token) -> Department:
    return await make_department(admin, make_token, "North")


@pytest.fixture
async def south(admin, make_token) -> Department:
    return await make_department(admin, make_token, "South")


@pytest.fixture
async def enroll(app, admin):
    """Enrolls a machine into a department."""
    machines = []

    async def make(department: Department | None, hostname: str, **identities: str) -> EnrolledDevice:
        wanted = {"name": "test", "department_id": department.id if department else None}
        token = (await admin.post("/api/v1/enrollment-tokens", json=wanted)).json()["token"]
        body = {"token": token, "hostname": hostname, "identities": {"machine_id": hostname} | identities}
        answer = (await app.client().post("/api/v1/enroll", json=body)).json()
        machines.append(
            EnrolledDevice(answer["device_id"], answer["device_key"], app.client(answer["device_key"]))
        )
        return machines[-1]

    yield make
    for machine in machines:
        await machine.client.aclose()


@pytest.fixture
def stored(connection):
    """How many samples each device has, by its id."""

    def count() -> dict[str, int]:
        rows = connection.execute(
            "SELECT f.device_id::text, sum(cardinality(array_remove(f.values, NULL))) FROM frames f GROUP BY 1"
        ).fetchall()
        return {device: int(number) for device, number in rows}

    return count


async def report(machine: EnrolledDevice, **inventory: object) -> None:
    body = {"inventory": {"hostname": HOST} | inventory, "collectors": []}
    assert (await machine.client.post("/api/v1/agent/inventory", json=body)).status_code == 204


class TestNobodyTakesAName:
    async def test_a_later_claim_elsewhere_is_made_and_captures_nothing(
        self, admin, north, south, enroll, stored, send
    ):
        machine, theirs = await enroll(south, HOST), await enroll(north, "north-host-1")
        claimed = await north.operator.post(HOSTS, json={"host": HOST, "device_id": theirs.id})
        assert (claimed.status_code, claimed.json()["standing"]) == (201, "only")
        for client in (admin, south.operator, machine.client):
            assert (await send(client, HOST)).is_success
            assert stored().keys() == {machine.id}
        assert (await send(north.operator, HOST)).is_success
        assert stored().keys() == {machine.id, theirs.id}

    async def test_nor_does_one_in_other_letters(self, admin, north, south, enroll, stored):
        machine, theirs = await enroll(south, HOST), await enroll(north, "north-host-1")
        spelling = f"{HOST.upper()}."
        assert (
            await north.operator.post(HOSTS, json={"host": spelling, "device_id": theirs.id})
        ).status_code == 201
        assert (await influx(admin, spelling)).is_success
        assert stored().keys() == {machine.id}

    async def test_nor_one_by_the_form_of_the_console(self, app, admin, north, south, enroll, stored):
        machine, theirs = await enroll(south, HOST), await enroll(north, "north-host-1")
        browser: Browser = await sign_in(app, "nina", Role.ADMIN)
        answer = await browser.send("/senders/hosts", host=HOST, device=theirs.id)
        assert answer.headers["HX-Redirect"] == "/senders"
        page = await browser.page("/senders")
        assert f'href="/senders/hosts/{HOST}?device_id={theirs.id}"' in page
        assert "Claimed later" in page
        assert "Oldest claim" in page
        assert "in another department had it first" in await browser.page(
            f"/senders/hosts/{HOST}?device_id={theirs.id}"
        )
        assert (await influx(admin, HOST)).is_success
        assert stored().keys() == {machine.id}
        assert (await browser.send(f"/senders/hosts/forget/{HOST}")).status_code == 409
        gone = await browser.send(f"/senders/hosts/forget/{HOST}?device_id={theirs.id}")
        assert gone.headers["HX-Redirect"] == "/senders"
        await browser.client.aclose()

    async def test_what_a_machine_says_of_itself_routes_nothing(
        self, admin, north, south, enroll, stored, send
    ):
        attacker = await enroll(north, "north-host-1")
        await report(attacker, fqdn=f"{HOST}.example.com", hostname=HOST)
        assert (await admin.get(HOSTS, params={"device_id": attacker.id})).json()["count"] == 1
        machine = await enroll(south, HOST, fqdn=f"{HOST}.example.com")
        await report(attacker, fqdn=f"{HOST}.example.com", hostname=HOST)
        for host in (HOST, f"{HOST}.example.com"):
            for client in (admin, south.operator):
                assert (await send(client, host)).is_success
        assert stored().keys() == {machine.id}

    async def test_a_renamed_device_gets_no_samples_by_its_new_name(
        self, admin, north, south, enroll, stored
    ):
        theirs = await enroll(north, "north-host-1")
        renamed = await north.operator.patch(f"/api/v1/devices/{theirs.id}", json={"name": HOST})
        assert renamed.status_code == 200
        machine = await enroll(south, HOST)
        assert (await influx(admin, HOST)).is_success
        assert stored().keys() == {machine.id}

    async def test_the_first_machine_that_enrols_keeps_its_name(self, admin, north, south, enroll, stored):
        first, second = await enroll(south, HOST), await enroll(north, HOST)
        assert (await influx(admin, HOST)).is_success
        assert stored().keys() == {first.id}
        assert (await influx(north.operator, HOST)).is_success
        assert stored() == {first.id: 1, second.id: 1}
        third = await enroll(south, HOST)
        assert (await admin.get(HOSTS, params={"device_id": third.id})).json()["count"] == 0

    async def test_what_a_sender_made_elsewhere_captures_nothing(
        self, admin, north, south, enroll, stored, send
    ):
        machine = await enroll(south, HOST)
        # North has no such machine, and may make one.
        assert (await send(north.operator, HOST)).is_success
        assert (await send(admin, HOST)).is_success
        counts = stored()
        assert counts.pop(machine.id) == 1
        assert [*counts.values()] == [1]

    async def test_a_token_for_both_departments_goes_by_the_oldest(
        self, north, south, enroll, make_token, stored, send
    ):
        first, second = await enroll(north, HOST), await enroll(south, HOST)
        both = await make_token(OPERATOR, north.id, south.id)
        assert (await send(both, HOST)).is_success
        assert stored().keys() == {first.id}
        assert (await send(south.operator, HOST)).is_success
        assert stored().keys() == {first.id, second.id}

    async def test_series_that_are_remembered_for_one_are_not_anothers(
        self, north, south, enroll, stored, send
    ):
        first, second = await enroll(north, HOST), await enroll(south, HOST)
        for _ in range(2):
            for department in (north, south):
                assert (await send(department.operator, HOST)).is_success
        assert stored().keys() == {first.id, second.id}
        assert len({*stored().values()}) == 1

    async def test_a_device_key_writes_for_its_device_whatever_others_claim(
        self, north, south, enroll, stored, send
    ):
        machine, theirs = await enroll(south, HOST), await enroll(north, "north-host-1")
        assert (
            await north.operator.post(HOSTS, json={"host": HOST, "device_id": theirs.id})
        ).status_code == 201
        assert (await send(machine.client, HOST)).is_success
        assert (await send(theirs.client, "south-host-2")).is_success
        assert stored().keys() == {machine.id, theirs.id}

    async def test_a_moved_device_takes_its_names_along(self, app, admin, north, south, enroll, stored):
        first, second = await enroll(north, HOST), await enroll(south, HOST)
        moved = await admin.patch(f"/api/v1/devices/{first.id}", json={"department_id": south.id})
        assert moved.status_code == 200
        await app.state.senders.directory.refresh()
        assert (await influx(south.operator, HOST)).is_success
        assert stored().keys() == {first.id}
        standings = {
            item["device_id"]: item["standing"]
            for item in (await south.operator.get(HOSTS, params={"host": HOST})).json()["results"]
        }
        assert standings == {first.id: "first", second.id: "overruled"}
        # North has nobody of that name any more, and what was remembered of it is not used.
        assert (await influx(north.operator, HOST)).is_success
        assert len(stored()) == 2


class TestNothingIsTold:
    async def test_a_name_taken_elsewhere_is_answered_like_a_free_one(
        self, north, south, enroll, make_token, send
    ):
        await enroll(south, HOST)
        theirs = await enroll(north, "north-host-1")
        collector = await make_token(["telemetry:write", "devices:read"], north.id)
        taken, free = await send(collector, HOST), await send(collector, "south-host-9")
        assert taken.status_code == free.status_code
        assert taken.text.replace(HOST, "south-host-9") == free.text
        own, free = await send(theirs.client, HOST), await send(theirs.client, "south-host-9")
        assert (own.status_code, own.text) == (free.status_code, free.text)
        for host in (HOST, "south-host-9"):
            assert (await north.operator.get(f"{HOSTS}/{host}")).status_code == 404
            assert (await north.operator.delete(f"{HOSTS}/{host}")).status_code == 404

    async def test_trying_the_rules_tells_of_what_one_sees(self, admin, north, south, enroll, make_token):
        machine, theirs = await enroll(south, HOST), await enroll(north, "north-host-1")
        await north.operator.post(HOSTS, json={"host": HOST, "device_id": theirs.id})
        trial = {"labels": {"instance": f"{HOST}:1"}}
        said = (await admin.post("/api/v1/telemetry/sender-rules/try", json=trial)).json()
        assert (said["outcome"], said["device_id"]) == ("known", machine.id)
        assert "2 devices that you may see have claimed that name, this one first" in said["text"]

    async def test_only_the_own_department_has_a_conflict_and_it_names_the_field(self, north, south, enroll):
        machine = await enroll(south, HOST)
        other = await enroll(south, "south-host-2")
        for device in (machine, other):
            wanted = {"host": HOST.upper(), "device_id": device.id}
            answer = await south.operator.post(HOSTS, json=wanted)
            assert answer.status_code == 409
            assert answer.json()["errors"][0]["field"] == "host"
        assert HOST in answer.json()["errors"][0]["message"]
        theirs = await enroll(north, "north-host-1")
        wanted = {"host": "x", "device_id": machine.id}
        assert (await north.operator.post(HOSTS, json=wanted)).status_code == 404
        assert (
            await south.operator.post(HOSTS, json={"host": "x", "device_id": theirs.id})
        ).status_code == 404


class TestChanging:
    async def test_which_of_several_is_asked_for(self, admin, north, south, enroll):
        first, second = await enroll(north, HOST), await enroll(south, HOST)
        for method in ("get", "delete"):
            answer = await getattr(admin, method)(f"{HOSTS}/{HOST}")
            assert answer.status_code == 409
            assert answer.json()["errors"][0]["field"] == "device_id"
        got = (await admin.get(f"{HOSTS}/{HOST}", params={"device_id": second.id})).json()
        assert (got["device_id"], got["department_id"], got["standing"]) == (second.id, south.id, "later")
        # What one does not see needs no telling apart.
        assert (await north.operator.get(f"{HOSTS}/{HOST}")).json()["standing"] == "only"
        assert (await north.operator.delete(f"{HOSTS}/{HOST}")).status_code == 204
        assert (await admin.get(f"{HOSTS}/{HOST}")).json()["device_id"] == second.id
        assert first.id != second.id

    async def test_a_name_moves_only_where_nobody_has_it(self, admin, north, south, enroll):
        first, second = await enroll(north, HOST), await enroll(south, HOST)
        other = await enroll(south, "south-host-2")
        path = f"{HOSTS}/{HOST}?device_id={first.id}"
        for target in (second, other):
            refused = await admin.patch(path, json={"device_id": target.id})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (409, "host")
        moved = await admin.patch(f"{HOSTS}/{HOST}?device_id={second.id}", json={"device_id": other.id})
        assert (moved.status_code, moved.json()["device_id"]) == (200, other.id)
        assert (await north.operator.patch(path, json={"device_id": other.id})).status_code == 404

    async def test_of_two_at_once_one_gets_it(self, admin, south, enroll):
        machines = [await enroll(south, f"south-{number}") for number in range(6)]
        answers = await asyncio.gather(
            *(admin.post(HOSTS, json={"host": "shared", "device_id": machine.id}) for machine in machines)
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409, 409]

    async def test_two_senders_at_once_make_one_device(self, admin, south, stored):
        answers = await asyncio.gather(*(remote_write(south.operator, "fresh") for _ in range(6)))
        assert all(answer.is_success for answer in answers)
        assert len(stored()) == 1

    async def test_spellings_of_a_name_in_one_request_make_one_device(self, admin, stored):
        now = now_ms()
        lines = f"a,host=Fresh v=1 {now}\nb,host=fresh v=1 {now}\nc,host=FRESH. v=1 {now}"
        assert (await admin.post("/influx/write?precision=ms", content=lines)).is_success
        assert [*stored().values()] == [3]

    async def test_the_name_that_senders_use_becomes_the_primary_one(self, admin, south, enroll):
        machine = await enroll(south, "Web-7", fqdn="web-7.example.com")
        hosts = (await admin.get(HOSTS)).json()["results"]
        assert {item["host"]: item["is_primary"] for item in hosts} == {
            "web-7": False,
            "web-7.example.com": False,
        }
        assert {item["protocol"] for item in hosts} == {"enrollment"}
        assert (await influx(admin, "Web-7.Example.com")).is_success
        known = (await admin.get(f"{HOSTS}/web-7.example.com")).json()
        assert (known["host"], known["is_primary"]) == ("Web-7.Example.com", True)
        assert known["device_id"] == machine.id


class TestOwnKeys:
    async def test_a_name_that_each_machine_has_hinders_nobody(self, admin, south, enroll, stored):
        assert (await influx(south.operator, "localhost")).is_success
        machine = await enroll(south, HOST, fqdn="localhost")
        assert (await influx(machine.client, "localhost")).is_success
        assert stored()[machine.id] == 1

    async def test_a_neighbours_name_is_refused(self, south, enroll, stored, send):
        await enroll(south, "south-host-2")
        machine = await enroll(south, HOST)
        answer = await send(machine.client, "south-host-2")
        assert "a device's key writes for its own device only" in answer.text
        assert stored() == {}


class TestReaders:
    async def test_sql_shows_claims_on_visible_devices(self, app, north, south, enroll, connection):
        await enroll(south, HOST)
        await enroll(north, "north-host-1")
        with connection.transaction():
            connection.execute("SET LOCAL ROLE fleetkeeper_app")
            connection.execute("SELECT set_config('fleetkeeper.departments', %s, true)", (north.id,))
            rows = connection.execute("SELECT host FROM telemetry_hosts").fetchall()
        assert rows == [("north-host-1",)]


class TestMigration:
    def test_hosts_keep_their_devices_and_names_become_claims_by_age(self, database_url, connection):
        connection.close()
        rollback(database_url, "0020")
        ids = [f"00000000-0000-7000-8000-00000000000{number}" for number in range(4)]
        with psycopg.connect(database_url, autocommit=True) as own:
            own.execute("INSERT INTO departments (id, name) VALUES (%s, 'South')", (ids[0],))
            for number, (name, department) in enumerate([("a", None), ("b", None), ("c", ids[0])]):
                own.execute(
                    "INSERT INTO devices (id, name, hostname, department_id) VALUES (%s, %s, %s, %s)",
                    (ids[number], name, name, department),
                )
            for number, kind, value, day in [
                (1, "hostname", "shared", 1),
                (0, "hostname", "shared", 2),
                (0, "fqdn", "a.example.com", 3),
                (2, "hostname", "shared", 4),
                (1, "fqdn", "known", 1),
            ]:
                own.execute(
                    "INSERT INTO device_identities (id, device_id, kind, value, first_seen, last_seen) "
                    "VALUES (gen_random_uuid(), %s, %s, %s, make_date(2026, 1, %s), now())",
                    (ids[number], kind, value, day),
                )
            own.execute(
                "INSERT INTO telemetry_hosts (host, device_id, is_primary) VALUES ('known', %s, true), "
                "('KNOWN', %s, false)",
                (ids[0], ids[0]),
            )
            migrate(database_url)
            rows = own.execute(
                "SELECT host, device_id::text, is_primary FROM telemetry_hosts ORDER BY id"
            ).fetchall()
        assert rows == [
            ("known", ids[0], True),
            ("shared", ids[1], False),
            ("a.example.com", ids[0], False),
            ("shared", ids[2], False),
            ("a", ids[0], False),
            ("b", ids[1], False),
            ("c", ids[2], False),
        ]
