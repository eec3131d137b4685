"""People with a rule for it are told of changes of devices."""

import json

import pytest
from sqlalchemy import update

from fleetkeeper.devices.revisions.jobs import tell_of_changes, tell_some
from fleetkeeper.jobs.run import Run
from fleetkeeper.notifications.models import NotificationRule
from tests.factories.devices import enter, neighbors, relate
from tests.factories.notifications import make_channel, make_rule, receiving, worker_of
from tests.fixtures.client import TEST_CONTEXT
from tests.fixtures.jobs import tools


@pytest.fixture
async def receiver():
    async with receiving() as receiver:
        yield receiver


async def route(app, receiver, *events: str, **columns) -> None:
    async with app.state.database.session(TEST_CONTEXT) as session:
        channel = await make_channel(session, app.state.sealer, url=receiver.url)
        await make_rule(session, channel, *events, **columns)


async def told(app, settings, receiver) -> list[dict]:
    await tell_of_changes(Run(tools(app, settings)))
    worker = worker_of(app)
    await worker.dispatch()
    while await worker.deliver():
        pass
    found = [json.loads(body) for _, body in receiver.requests]
    receiver.requests.clear()
    return found


async def test_before_and_after_who_and_why_are_told(app, settings, admin, receiver):
    await route(app, receiver, "devices.changed")
    assert await told(app, settings, receiver) == []
    key = await enter(admin, "db-1", owner="Old")
    (created,) = await told(app, settings, receiver)
    assert created["type"] == "devices.changed"
    assert created["data"]["title"] == "db-1: created"
    assert {"field": "owner", "before": None, "after": "Old"} in created["data"]["fields"]["changes"]
    await admin.patch(
        f"/api/v1/devices/{key}", json={"owner": "New"}, headers={"X-Change-Reason": "moved on"}
    )
    (changed,) = await told(app, settings, receiver)
    fields = changed["data"]["fields"]
    assert fields["changes"] == [{"field": "owner", "before": "Old", "after": "New"}]
    assert (fields["kind"], fields["operation"], fields["object_type"]) == ("changed", "update", "devices")
    assert (fields["device_id"], fields["reason"], fields["count"]) == (key, "moved on", 1)
    assert fields["actor"]
    assert changed["data"]["subject"]["link"] == f"https://fleet.example/devices/{key}"
    assert "owner: Old → New" in changed["data"]["text"]
    interface = {"device_id": key, "interface_name": "eth0"}
    await admin.post("/api/v1/network-interfaces", json=interface)
    (part,) = await told(app, settings, receiver)
    assert part["data"]["title"] == "db-1: network interface eth0 created"
    await admin.delete(f"/api/v1/devices/{key}", headers={"X-Change-Reason": "sold"})
    gone = await told(app, settings, receiver)
    assert {one["data"]["fields"]["kind"] for one in gone} == {"deleted"}
    assert "db-1: deleted" in {one["data"]["title"] for one in gone}


async def test_merges_are_told_as_such(app, settings, admin, receiver):
    first, second = await enter(admin, "db-1"), await enter(admin, "db-2")
    await told(app, settings, receiver)
    await route(app, receiver, "devices.*")
    answer = await admin.post(
        f"/api/v1/devices/{first}/merges",
        json={"other_device_id": second},
        headers={"X-Change-Reason": "one"},
    )
    assert answer.status_code == 201
    assert "db-2: merged" in {one["data"]["title"] for one in await told(app, settings, receiver)}


async def test_without_a_rule_for_it_nothing_is_told(app, settings, admin, receiver):
    await route(app, receiver, "*")
    await enter(admin, "db-1")
    assert await told(app, settings, receiver) == []
    await route(app, receiver, "devices.changed")
    assert await told(app, settings, receiver) == []


async def test_a_burst_is_told_as_a_number(app, settings, admin, receiver):
    await route(app, receiver, "devices.changed")
    ids = [await enter(admin, f"db-{number}") for number in range(25)]
    await told(app, settings, receiver)
    body = {"ids": ids, "changes": {"location": "Rack 7"}}
    assert (await admin.post("/api/v1/devices/bulk", json=body)).json()["changed"] == 25
    (burst,) = await told(app, settings, receiver)
    assert (burst["data"]["fields"]["count"], burst["data"]["fields"]["kind"]) == (25, "changed")


async def test_departments_are_told_of_their_own(app, settings, receiver):
    async with neighbors(app) as people:
        await route(app, receiver, "devices.changed", department_id=people.south_id)
        await enter(people.north, "n-1", department_id=people.north_id)
        await enter(people.south, "s-1", department_id=people.south_id)
        assert [one["data"]["title"] for one in await told(app, settings, receiver)] == ["s-1: created"]


async def test_a_worker_that_dies_misses_and_doubles_nothing(app, settings, admin, receiver):
    await route(app, receiver, "devices.changed")
    await enter(admin, "db-1")
    with pytest.raises(ZeroDivisionError):
        async with app.state.database.session(TEST_CONTEXT) as session:
            await tell_some(session)
            raise ZeroDivisionError
    assert len(await told(app, settings, receiver)) == 1
    assert await told(app, settings, receiver) == []


async def test_relationships_of_two_departments_are_told_to_those_of_the_whole_fleet(
    app, settings, admin, receiver
):
    async with neighbors(app) as both:
        north = await enter(both.north, "north-1", department_id=both.north_id)
        south = await enter(both.south, "south-1", department_id=both.south_id)
        await route(app, receiver, "devices.changed", department_id=both.north_id)
        await told(app, settings, receiver)
        assert (await relate(admin, north, "connects_to", south)).status_code == 201
        assert await told(app, settings, receiver) == []
        async with app.state.database.session(TEST_CONTEXT) as session:
            await session.execute(update(NotificationRule).values(department_id=None))
        assert (await relate(admin, north, "backs_up", south)).status_code == 201
        titles = {one["data"]["title"].partition(":")[0] for one in await told(app, settings, receiver)}
        assert titles == {"north-1", "south-1"}
