"""Devices that people enter."""

import pytest

from tests.factories.devices import enter, neighbors

SWITCH = {
    "name": "core-switch-01",
    "device_type": "network_device",
    "manufacturer": "Cisco",
    "model": "Nexus 9000",
    "serial_number": "FDO123",
    "asset_tag": "A-17",
    "owner": "Network team",
    "warranty_until": "2028-03-01",
}


async def test_a_device_is_entered_changed_and_retired(admin):
    made = await admin.post("/api/v1/devices", json=SWITCH)
    assert made.status_code == 201
    device = made.json()
    assert {name: device[name] for name in SWITCH} == SWITCH
    assert (device["status"], device["source_system"], device["source_id"]) == (
        "unknown",
        "manual",
        device["id"],
    )
    path = f"/api/v1/devices/{device['id']}"
    changed = await admin.patch(
        path, json={"owner": None, "lifecycle": "retired"}, headers={"If-Match": made.headers["etag"]}
    )
    assert (changed.json()["owner"], changed.json()["lifecycle"]) == (None, "retired")
    found = (await admin.get("/api/v1/devices?warranty_until__lte=2028-12-31&asset_tag=A-17")).json()
    assert [one["id"] for one in found["results"]] == [device["id"]]


async def test_a_clone_is_like_it_but_for_what_identifies_it(admin):
    device = await enter(admin, **SWITCH)
    answer = await admin.post(f"/api/v1/devices/{device}/clone", json={"name": "core-switch-02"})
    clone = answer.json()
    assert answer.status_code == 201
    assert (clone["model"], clone["owner"], clone["device_type"]) == (
        "Nexus 9000",
        "Network team",
        "network_device",
    )
    assert (clone["serial_number"], clone["asset_tag"]) == (None, None)


async def test_a_name_that_the_department_has_is_refused(admin):
    await enter(admin, "db-1")
    answer = await admin.post("/api/v1/devices", json={"name": "db-1"})
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["field"] == "name"
    assert (await admin.get("/api/v1/devices?name=db-1")).json()["count"] == 1


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"device_type": "toaster"}, {"warranty_until": "soon"}, {"serial_number": "a\x00"},
     {"location_id": "0198f6a0-0000-7000-8000-000000000001"}, {"department_id": "0198f6a0-0000-7000-8000-000000000001"},
     {"status": "online"}],
)  # fmt: skip
async def test_what_is_wrong_is_named(admin, wrong):
    answer = await admin.post("/api/v1/devices", json={"name": "x"} | wrong)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(wrong))


async def test_a_department_is_entered_into_by_its_own(app):
    async with neighbors(app) as people:
        device = await enter(people.north, "n-1", department_id=people.north_id)
        assert (await people.south.get(f"/api/v1/devices/{device}")).status_code == 404
        assert (
            await people.south.post(f"/api/v1/devices/{device}/clone", json={"name": "b"})
        ).status_code == 404
        for place, status in ((people.north_id, 403), (None, 422)):
            answer = await people.south.post("/api/v1/devices", json={"name": "s", "department_id": place})
            assert answer.status_code == status
