"""Locations: a tree."""

from tests.factories.devices import enter, neighbors

REASON = {"X-Change-Reason": "Moved out"}


async def add(client, name, **more):
    answer = await client.post("/api/v1/locations", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_tree_in_which_nothing_lies_in_itself(admin):
    site = await add(admin, "Berlin")
    room = await add(admin, "Room 1", location_type="room", parent_id=site["id"])
    rack = await add(admin, "Rack 3", location_type="rack", parent_id=room["id"])
    circle = await admin.put(
        f"/api/v1/locations/{site['id']}", json={"name": "Berlin", "parent_id": rack["id"]}
    )
    assert (circle.status_code, circle.json()["errors"][0]["field"]) == (422, "parent_id")
    twice = await admin.post("/api/v1/locations", json={"name": "Room 1", "parent_id": site["id"]})
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (409, "name")


async def test_a_device_is_in_one_and_stays_when_it_goes(admin):
    site = await add(admin, "Berlin")
    device = await enter(admin, "a", location_id=site["id"])
    found = (await admin.get(f"/api/v1/devices?location_id={site['id']}")).json()
    assert [one["id"] for one in found["results"]] == [device]
    assert (await admin.delete(f"/api/v1/locations/{site['id']}", headers=REASON)).status_code == 204
    assert (await admin.get(f"/api/v1/devices/{device}")).json()["location_id"] is None


async def test_what_belongs_to_a_department_is_seen_there_alone(app, admin):
    shared = await add(admin, "Berlin")
    async with neighbors(app) as people:
        own = await add(people.north, "Depot", department_id=people.north_id)
        assert {one["name"] for one in (await people.south.get("/api/v1/locations")).json()["results"]} == {
            "Berlin"
        }
        assert (await people.south.get(f"/api/v1/locations/{own['id']}")).status_code == 404
        assert (
            await people.south.delete(f"/api/v1/locations/{shared['id']}", headers=REASON)
        ).status_code == 403
        answer = await people.south.post(
            "/api/v1/devices", json={"name": "x", "department_id": people.south_id, "location_id": own["id"]}
        )
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "location_id")
