"""`/api/v1/discovery`: what matches the filters, for those who may see it, in one answer."""

import asyncio
import json

import pytest
from sqlalchemy import event

from fleetkeeper.devices.discovery import service
from tests.factories.devices import enter, neighbors
from tests.factories.netbox import make_connected

TARGETS = "/api/v1/discovery/http-sd"
INVENTORY = "/api/v1/discovery/ansible-inventory"


async def names(client, query: str = "") -> list[str]:
    answer = await client.get(f"{TARGETS}?{query}")
    assert answer.status_code == 200, answer.text
    return [one["labels"]["__meta_fleetkeeper_name"] for one in answer.json()]


@pytest.fixture
async def fleet(admin):
    site = (await admin.post("/api/v1/locations", json={"name": "Berlin"})).json()
    room = (await admin.post("/api/v1/locations", json={"name": "Room 1", "parent_id": site["id"]})).json()
    await admin.post("/api/v1/tags", json={"name": "Web"})
    web = await enter(admin, "web-1", location_id=room["id"], serial_number="S1", manufacturer="Dell")
    await enter(admin, "sw-1", device_type="network_device", lifecycle="retired")
    (tag,) = (await admin.get("/api/v1/tags")).json()["results"]
    answer = await admin.put(f"/api/v1/tags/{tag['id']}/objects/devices/{web}")
    assert answer.status_code == 204
    made = await make_connected(admin, "db-1", "192.0.2.7/24")
    await admin.patch(
        f"/netbox/api/dcim/devices/{made['device']['id']}/", json={"primary_ip4": made["address"]["id"]}
    )


class TestTargets:
    async def test_all_that_is_known(self, admin, fleet):
        told = {one["labels"]["__meta_fleetkeeper_name"]: one for one in (await admin.get(TARGETS)).json()}
        assert told["db-1"]["targets"] == ["192.0.2.7:9100"]
        web = told["web-1"]
        assert web["targets"] == ["web-1:9100"]
        known = {name.removeprefix("__meta_fleetkeeper_"): text for name, text in web["labels"].items()}
        del known["id"]
        assert known == {
            "name": "web-1",
            "hostname": "web-1",
            "type": "server",
            "status": "unknown",
            "lifecycle": "active",
            "location": "Berlin/Room 1",
            "manufacturer": "Dell",
            "serial_number": "S1",
            "tags": ",web,",
        }

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", ["db-1", "sw-1", "web-1"]),
            ("lifecycle=active", ["db-1", "web-1"]),
            ("device_type=network_device", ["sw-1"]),
            ("tag=web", ["web-1"]),
            ("q=web", ["web-1"]),
            ("name__contains=-1&device_type__in=server,network_device", ["db-1", "sw-1", "web-1"]),
        ],
    )
    async def test_filters(self, admin, fleet, query, expected):
        assert await names(admin, query) == expected

    async def test_port(self, admin, fleet):
        (group,) = (await admin.get(f"{TARGETS}?port=9182&tag=web")).json()
        assert group["targets"] == ["web-1:9182"]

    @pytest.mark.parametrize(
        "query",
        [
            "port=0",
            "port=65536",
            "target=dns",
            "colour=blue",
            "limit=10",
            "cursor=x",
            "as_of=0",
            "status=lost",
        ],
    )
    async def test_what_is_wrong_is_named(self, admin, query):
        for path in (TARGETS, INVENTORY):
            answer = await admin.get(f"{path}?{query}")
            if path == INVENTORY and query.startswith("port"):
                continue
            assert answer.status_code == 422, answer.text
            assert query.partition("=")[0] in answer.json()["errors"][0]["field"]

    async def test_more_than_one_answer_holds(self, admin, fleet, monkeypatch):
        monkeypatch.setattr(service, "MOST", 2)
        answer = await admin.get(TARGETS)
        assert answer.status_code == 422
        assert "add a filter" in answer.text
        assert await names(admin, "lifecycle=active") == ["db-1", "web-1"]


class TestInventory:
    async def test_groups_and_variables(self, admin, fleet):
        told = (await admin.get(f"{INVENTORY}?lifecycle=active")).json()
        assert told["tag_web"] == {"hosts": ["web-1"]}
        assert told["location_berlin_room_1"] == told["location_berlin"] == {"hosts": ["web-1"]}
        assert set(told["all"]["children"]) == set(told) - {"_meta", "all"}
        variables = told["_meta"]["hostvars"]
        assert variables["db-1"]["ansible_host"] == "192.0.2.7"
        assert variables["web-1"]["fleetkeeper_serial_number"] == "S1"
        assert variables["web-1"]["fleetkeeper_tags"] == ["web"]


class TestVisibility:
    async def test_departments(self, app):
        async with neighbors(app) as people:
            await enter(people.north, "mine", department_id=people.north_id)
            await enter(people.south, "secret", department_id=people.south_id)
            assert await names(people.north) == ["mine"]
            told = (await people.north.get(INVENTORY)).json()
            assert "secret" not in json.dumps(told)
            assert any(name.startswith("department_north") for name in told)

    async def test_strangers(self, anonymous, device):
        for path in (TARGETS, INVENTORY):
            assert (await anonymous.get(path)).status_code == 401
            assert (await device.client.get(path)).status_code == 401

    async def test_sensitive_fields_are_masked(self, admin, fleet):
        field = {"label": "Password", "name": "password", "kind": "text", "is_sensitive": True}
        assert (await admin.post("/api/v1/custom-fields", json=field)).status_code == 201
        (web,) = (await admin.get("/api/v1/devices?name=web-1")).json()["results"]
        where = f"/api/v1/custom-fields/objects/devices/{web['id']}"
        assert (await admin.patch(where, json={"values": {"password": "hunter2"}})).status_code == 200
        for path in (TARGETS, INVENTORY):
            answer = await admin.get(path)
            assert "hunter2" not in answer.text
            assert "********" in answer.text


async def test_statements_do_not_grow_with_the_fleet(app, admin):
    """Who calls and the transaction, how silent is late, keys, devices, addresses, departments, locations."""

    async def count() -> int:
        statements, own_task = [], asyncio.current_task()

        def note(_connection, _cursor, statement, *_):
            if asyncio.current_task() is own_task:
                statements.append(statement)

        engine = app.state.database.engine.sync_engine
        await admin.get(TARGETS)
        event.listen(engine, "before_cursor_execute", note)
        try:
            assert (await admin.get(TARGETS)).status_code == 200
        finally:
            event.remove(engine, "before_cursor_execute", note)
        return len(statements)

    await enter(admin, "first")
    one = await count()
    for number in range(10):
        await enter(admin, f"d{number}")
    assert await count() == one <= 8


@pytest.mark.parametrize("query", ["tag=%00", "tag__in=a,%00"])
async def test_tags_that_are_no_text_are_refused(admin, query):
    for path in (TARGETS, INVENTORY, "/api/v1/devices"):
        answer = await admin.get(f"{path}?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, query.partition("=")[0])
