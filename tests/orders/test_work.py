"""Work orders: the part that is scanned at the machine is fitted, and nothing else."""

import pytest

from fleetkeeper.identity.permissions import Role
from tests.factories.devices import enter, neighbors
from tests.factories.identity import give, make_user
from tests.factories.stock import make_location, make_part, post, receive, stock_of
from tests.fixtures.client import TEST_CONTEXT


@pytest.fixture
async def planned(admin):
    part = await make_part(admin, "DISK", is_serialized=True, component_kind="disk")
    depot, device = await make_location(admin), await enter(admin, "db-01")
    await receive(admin, part, depot, 2, serials=["S1", "S2"])
    body = {"title": "Swap the disk", "device_id": device, "part_id": part, "location_id": depot}
    work = await post(admin, "work-orders", **body)
    return work, part, depot, device


async def finish(client, work, code: str, **more):
    return await client.post(f"/api/v1/work-orders/{work['id']}/done", json={"code": code, **more})


async def test_the_scanned_piece_is_fitted(admin, planned):
    work, part, depot, device = planned
    await make_part(admin, "RAM")
    wrong = await finish(admin, work, "RAM")
    assert wrong.json()["errors"] == [{"field": "code", "message": "This is RAM; DISK is to be fitted"}]
    assert (await finish(admin, work, "nothing")).status_code == 422
    done = await finish(admin, work, "S2", note="Slot 3")
    assert done.status_code == 200, done.text
    assert (done.json()["status"], done.json()["device_name"]) == ("done", "db-01")
    assert (await stock_of(admin, part, depot))["quantity_on_hand"] == "1.000"
    hardware = (await admin.get(f"/api/v1/hardware-components?device_id={device}")).json()["results"]
    assert [one["serial_number"] for one in hardware] == ["S2"]
    (moved,) = (await admin.get(f"/api/v1/stock-movements?purpose_id={work['id']}")).json()["results"]
    assert moved["reason"] == f"Work order {work['number']}: Slot 3"
    assert (await finish(admin, work, "S1")).status_code == 409


async def test_work_and_movements_go_along_when_devices_are_merged(admin, planned):
    work, part, _, device = planned
    assert (await finish(admin, work, "S1")).status_code == 200
    kept = await enter(admin, "db-01-new")
    merged = await admin.post(
        f"/api/v1/devices/{kept}/merges", json={"other_device_id": device}, headers={"X-Change-Reason": "One"}
    )
    assert merged.status_code == 201, merged.text
    assert (await admin.get(f"/api/v1/work-orders/{work['id']}")).json()["device_id"] == kept
    (moved,) = (await admin.get(f"/api/v1/stock-movements?device_id={kept}")).json()["results"]
    assert (moved["part_id"], moved["kind"]) == (part, "consumption")


async def test_what_is_finished_stays(admin, planned):
    work, *_ = planned
    reason = {"X-Change-Reason": "Not needed"}
    path = f"/api/v1/work-orders/{work['id']}"
    assert (await admin.post(f"{path}/status/done", headers=reason)).status_code == 409
    assert (await admin.post(f"{path}/status/cancelled", headers=reason)).json()["status"] == "cancelled"
    assert (await finish(admin, work, "S1")).status_code == 409


async def test_work_on_another_departments_device_is_not_there(app, admin):
    async with neighbors(app) as both:
        part = await make_part(admin, "SHARED")
        depot = await make_location(both.north, "North", department_id=both.north_id)
        device = await enter(both.north, "north-01", department_id=both.north_id)
        body = {"title": "Fit", "device_id": device, "part_id": part, "location_id": depot}
        work = await post(both.north, "work-orders", **body)
        assert (await both.south.get("/api/v1/work-orders")).json()["count"] == 0
        assert (await finish(both.south, work, "SHARED")).status_code == 404
        refused = await both.south.post("/api/v1/work-orders", json=body)
        assert {one["field"] for one in refused.json()["errors"]} == {"location_id"}


async def test_work_is_assigned_to_who_may_do_it(app, admin, planned):
    work, part, depot, device = planned
    async with app.state.database.session(TEST_CONTEXT) as session:
        able, other = await make_user(session, "tess"), await make_user(session, "vic")
        await give(session, able, Role.OPERATOR)
        await give(session, other, Role.VIEWER)
    body = {"title": "Swap", "device_id": device, "part_id": part, "location_id": depot}
    path = f"/api/v1/work-orders/{work['id']}"
    assigned = await admin.put(path, json=body | {"assigned_to": str(able.id)})
    assert (assigned.status_code, assigned.json()["assigned_to_name"]) == (200, "tess"), assigned.text
    for key, told in ((other.id, "May not fit parts"), (work["id"], "No such user")):
        refused = await admin.put(path, json=body | {"assigned_to": str(key)})
        (error,) = refused.json()["errors"]
        assert (error["field"], error["message"][:17]) == ("assigned_to", told[:17])
