"""Relationships: what makes no sense is refused, and both ends must be one's own."""

import asyncio

import pytest

from tests.factories.devices import enter, neighbors, relate

REASON = {"X-Change-Reason": "Unplugged"}


async def test_a_host_and_its_guest(admin):
    host, guest = await enter(admin, "esxi-1"), await enter(admin, "vm-1", device_type="vm")
    made = await relate(admin, host, "hosts", guest, metadata={"cluster": "Production"})
    assert made.status_code == 201
    assert made.json()["metadata"] == {"cluster": "Production"}
    for device in (host, guest):
        (one,) = (await admin.get(f"/api/v1/device-relationships?device_id={device}")).json()["results"]
        assert one["id"] == made.json()["id"]


@pytest.mark.parametrize("kind", ["hosts", "manages", "powers"])
async def test_a_circle_is_refused(admin, kind):
    one, two, three = [await enter(admin, name) for name in "abc"]
    assert (await relate(admin, one, kind, two)).status_code == 201
    assert (await relate(admin, two, kind, three)).status_code == 201
    answer = await relate(admin, three, kind, one)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "child_device_id")


async def test_two_may_back_each_other_up(admin):
    one, two = await enter(admin, "a"), await enter(admin, "b")
    assert (await relate(admin, one, "backs_up", two)).status_code == 201
    assert (await relate(admin, two, "backs_up", one)).status_code == 201


async def test_a_cable_has_no_direction(admin):
    one, two = await enter(admin, "a"), await enter(admin, "b")
    assert (await relate(admin, one, "connects_to", two)).status_code == 201
    for ends in ((one, two), (two, one)):
        assert (await relate(admin, ends[0], "connects_to", ends[1])).status_code == 409


async def test_a_guest_moves_once_the_old_host_ended(admin):
    old, new, guest = [await enter(admin, name) for name in ("old", "new", "guest")]
    first = (await relate(admin, old, "hosts", guest)).json()
    assert (await relate(admin, new, "hosts", guest)).status_code == 409
    ended = {
        "parent_device_id": old,
        "child_device_id": guest,
        "relationship_type": "hosts",
        "valid_from": first["valid_from"],
        "valid_to": "2099-01-01T00:00:00Z",
    }
    assert (await admin.put(f"/api/v1/device-relationships/{first['id']}", json=ended)).status_code == 200
    assert (await relate(admin, new, "hosts", guest)).status_code == 201


async def test_of_two_at_once_that_would_close_a_circle_one_is_made(admin):
    one, two = await enter(admin, "a"), await enter(admin, "b")
    answers = await asyncio.gather(relate(admin, one, "hosts", two), relate(admin, two, "hosts", one))
    assert sorted(answer.status_code for answer in answers) == [201, 409]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"relationship_type": "likes"}, "relationship_type"),
        ({"child_device_id": "0198f6a0-0000-7000-8000-000000000001"}, "child_device_id"),
        ({"metadata": {"a": "x\x00"}}, "metadata"),
        ({"metadata": {str(n): n for n in range(60)}}, "metadata"),
        ({"valid_from": "2026-01-02T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z"}, "valid_to"),
    ],
)
async def test_what_is_wrong_is_named(admin, wrong, field):
    one, two = await enter(admin, "a"), await enter(admin, "b")
    body = {"parent_device_id": one, "child_device_id": two, "relationship_type": "hosts"} | wrong
    answer = await admin.post("/api/v1/device-relationships", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_device_is_not_related_to_itself(admin):
    one = await enter(admin, "a")
    answer = await relate(admin, one, "connects_to", one)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "child_device_id")


async def test_both_ends_must_be_ones_own(app, admin):
    async with neighbors(app) as people:
        theirs = await enter(people.north, "n", department_id=people.north_id)
        own = await enter(people.south, "s", department_id=people.south_id)
        assert (await relate(people.south, own, "hosts", theirs)).status_code == 422
        across = (await relate(admin, own, "hosts", theirs)).json()
        for client in (people.north, people.south):
            assert (await client.get("/api/v1/device-relationships")).json()["count"] == 0
            answer = await client.delete(f"/api/v1/device-relationships/{across['id']}", headers=REASON)
            assert answer.status_code == 404


async def test_what_is_around_a_device(app, admin):
    host, switch, far = [await enter(admin, name) for name in ("host", "switch", "far")]
    guests = [await enter(admin, f"vm-{number}") for number in range(3)]
    for guest in guests:
        await relate(admin, host, "hosts", guest)
    await relate(admin, switch, "connects_to", host)
    await relate(admin, far, "connects_to", switch)
    path = f"/api/v1/devices/{guests[0]}/topology"
    near = (await admin.get(path)).json()
    assert {one["name"]: one["distance"] for one in near["nodes"]} == {
        "vm-0": 0, "host": 1, "vm-1": 2, "vm-2": 2, "switch": 2,
    }  # fmt: skip
    assert len(near["edges"]) == 4
    assert not near["is_cut"]
    assert len((await admin.get(f"{path}?depth=5")).json()["nodes"]) == 6
    assert len((await admin.get(f"{path}?depth=5&relationship_type=hosts")).json()["nodes"]) == 4
    assert (await admin.get(f"{path}?limit=2")).json()["is_cut"]
    async with neighbors(app) as people:
        assert (await people.north.get(path)).status_code == 404
