"""What fails if a device fails, and the topology of a part of the fleet."""

import pytest

from fleetkeeper.devices.relationships.failing import Link, reason_to_fail
from tests.factories.devices import enter, neighbors, relate


async def failing(client, device, **asked):
    answer = await client.get(f"/api/v1/devices/{device}/dependents", params=asked)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return {one["name"]: (one["because"], one["distance"]) for one in told["results"]}, told["is_cut"]


@pytest.fixture
async def rack(admin):
    """Two power strips, a core and two access switches, two hosts with a guest each, and what backs one up."""
    kinds = {"core": "network_device", "left": "network_device", "right": "network_device"}
    names = ("strip-a", "strip-b", "core", "left", "right", "host-1", "host-2", "vm-1", "vm-2", "backup")
    made = {name: await enter(admin, name, device_type=kinds.get(name, "server")) for name in names}
    for parent, kind, child in (
        ("strip-a", "powers", "host-1"), ("strip-b", "powers", "host-1"), ("strip-a", "powers", "host-2"),
        ("core", "connects_to", "left"), ("core", "connects_to", "right"), ("left", "connects_to", "host-1"),
        ("right", "connects_to", "host-1"), ("host-2", "connects_to", "right"), ("host-1", "hosts", "vm-1"),
        ("host-2", "hosts", "vm-2"), ("backup", "backs_up", "host-1"), ("backup", "manages", "host-2"),
    ):  # fmt: skip
        assert (await relate(admin, made[parent], kind, made[child])).status_code == 201
    return made


async def test_what_fails_with_it(admin, rack):
    assert await failing(admin, rack["host-1"]) == ({"vm-1": ("hosts", 1)}, False)
    # Another strip keeps the first host up.
    assert await failing(admin, rack["strip-a"]) == ({"host-2": ("powers", 1), "vm-2": ("hosts", 2)}, False)
    assert await failing(admin, rack["strip-b"]) == ({}, False)
    # Another switch connects the first host, and the core the other switch.
    assert (await failing(admin, rack["right"]))[0] == {"host-2": ("connects_to", 1), "vm-2": ("hosts", 2)}
    assert set((await failing(admin, rack["core"]))[0]) == {
        "left",
        "right",
        "host-1",
        "host-2",
        "vm-1",
        "vm-2",
    }
    assert await failing(admin, rack["backup"]) == ({}, False)
    found, is_cut = await failing(admin, rack["core"], limit=2)
    assert (len(found), is_cut) == (2, True)


async def test_who_may_ask(app, admin, rack):
    async with neighbors(app) as people:
        assert (await people.north.get(f"/api/v1/devices/{rack['core']}/dependents")).status_code == 404
        assert (await people.north.get("/api/v1/topology")).json() == {
            "nodes": [],
            "edges": [],
            "is_cut": False,
        }


async def test_a_part_of_the_fleet(admin, rack):
    await enter(admin, "alone")
    whole = (await admin.get("/api/v1/topology")).json()
    assert [one["name"] for one in whole["nodes"]] == sorted(rack)
    assert (len(whole["edges"]), whole["is_cut"]) == (12, False)
    networks = (await admin.get("/api/v1/topology", params={"device_type": "network_device"})).json()
    assert [one["name"] for one in networks["nodes"]] == ["core", "left", "right"]
    assert {one["type"] for one in networks["edges"]} == {"connects_to"}
    hosting = (await admin.get("/api/v1/topology", params={"relationship_type": "hosts"})).json()
    assert [one["name"] for one in hosting["nodes"]] == ["host-1", "host-2", "vm-1", "vm-2"]
    assert (await admin.get("/api/v1/topology", params={"limit": 2})).json()["is_cut"]
    for wrong in ({"limit": 2001}, {"device_type": "toaster"}, {"relationship_type": "likes"}):
        assert (await admin.get("/api/v1/topology", params=wrong)).status_code == 422


async def test_the_topology_of_a_location_has_what_is_in_it(admin, rack):
    async def place(name, parent=None):
        answer = await admin.post("/api/v1/locations", json={"name": name, "parent_id": parent})
        return answer.json()["id"]

    site = await place("Site")
    row = await place("Row 1", site)
    for name in ("host-1", "vm-1"):
        await admin.patch(f"/api/v1/devices/{rack[name]}", json={"location_id": row})
    told = (await admin.get("/api/v1/topology", params={"location_id": site})).json()
    assert [one["name"] for one in told["nodes"]] == ["host-1", "vm-1"]
    assert len(told["edges"]) == 1


def test_a_server_takes_no_switch_with_it():
    links = [Link(1, 2, "connects_to")]
    assert reason_to_fail(2, links, failed={1}, networks={2}) is None
    assert reason_to_fail(2, links, failed={1}, networks={1}).via == 1
