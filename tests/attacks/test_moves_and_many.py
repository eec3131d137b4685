"""What somebody gains by moving a thing, by very many of them, or by two requests at once."""

import asyncio
from uuid import UUID

import pytest

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.kit.pagination import encode_cursor
from tests.factories.approvals import level, make_approval_rule
from tests.factories.identity import give, make_group, make_role, make_token, make_tree, make_user
from tests.fixtures.client import TEST_CONTEXT

REASON = {"X-Change-Reason": "Sold"}


@pytest.mark.parametrize("many", [False, True])
async def test_a_device_that_moved_is_not_deleted_by_whom_it_left(app, admin, device, many):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        ann = await make_user(session, "ann")
        await give(session, ann, Role.VIEWER)
        await make_approval_rule(session, level(ann), kind="devices.delete")
        (await session.get(Device, UUID(str(device.id)))).department_id = north.id
        token = await make_token(session, ann)
    path = f"/api/v1/devices/{device.id}"
    if many:
        asked = {"ids": [str(device.id)], "expected": 1}
        await admin.post("/api/v1/devices/bulk-delete", json=asked, headers=REASON)
    else:
        assert (await admin.delete(path, headers=REASON)).status_code == 202
    [request] = (await admin.get("/api/v1/approvals?status=pending")).json()["results"]
    assert (await admin.patch(path, json={"department_id": str(south.id)})).status_code == 200
    async with app.client(token) as client:
        await client.post(f"/api/v1/approvals/{request['id']}/approve", json={})
    assert await apply_request(app.state.database, UUID(request["id"])) == "failed"
    assert (await admin.get(path)).status_code == 200


async def test_nobody_takes_a_device_to_where_they_may_reveal_its_values(app, device):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, south = await make_tree(session)
        nora = await make_user(session, "nora")
        rights = (Permission.DEVICES_READ, Permission.DEVICES_WRITE, Permission.FIELDS_READ)
        await give(session, nora, await make_role(session, *rights), north)
        await give(session, nora, await make_role(session, *rights, Permission.FIELDS_REVEAL), south)
        (await session.get(Device, UUID(str(device.id)))).department_id = north.id
        token = await make_token(session, nora)
    async with app.client(token) as client:
        answer = await client.patch(f"/api/v1/devices/{device.id}", json={"department_id": str(south.id)})
    assert answer.status_code == 403
    assert "fields:reveal" in answer.json()["detail"]


async def test_members_of_a_group_are_told_of_as_users_are(app, admin):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, _ = await make_tree(session)
        otto, nora = (
            await make_user(session, "otto", email="otto@example.org"),
            await make_user(session, "nora"),
        )
        await give(session, otto, Role.VIEWER, north)
        group = await make_group(session, otto, name="Night shift")
        await give(session, nora, await make_role(session, Permission.GROUPS_READ))
        await give(session, nora, await make_role(session, Permission.USERS_READ), north)
        token = await make_token(session, nora)
    path = f"/api/v1/groups/{group.id}/members"
    assert (await admin.get(path)).json()["results"][0]["email"] == "otto@example.org"
    async with app.client(token) as client:
        [seen] = (await client.get(path)).json()["results"]
        assert (seen["username"], seen["email"], seen["last_login"]) == ("otto", None, None)
        assert (await client.get(path, params={"email__contains": "otto"})).status_code == 422


async def test_very_many_tags_stop_at_a_bound_and_break_no_page(admin, device):
    outcomes = []
    for number in range(52):
        tag = (await admin.post("/api/v1/tags", json={"name": f"t{number}"})).json()
        answer = await admin.put(f"/api/v1/tags/{tag['id']}/objects/devices/{device.id}")
        outcomes.append(answer.status_code)
    assert outcomes == [204] * 50 + [409] * 2


@pytest.mark.parametrize("kind", ["users", "groups", "roles"])
async def test_a_kind_without_a_department_has_no_fields_of_one(app, admin, kind):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, _, _ = await make_tree(session)
    wanted = {"label": "Badge", "object_type": kind}
    refused = await admin.post("/api/v1/custom-fields", json=wanted | {"department_id": str(north.id)})
    assert refused.json()["errors"][0]["field"] == "department_id"
    assert (await admin.post("/api/v1/custom-fields", json=wanted)).status_code == 201


async def test_default_views_that_are_chosen_at_once_leave_one(admin):
    made = [
        (await admin.post("/api/v1/saved-views", json={"path": "/devices", "name": f"v{number}"})).json()[
            "id"
        ]
        for number in range(8)
    ]
    answers = await asyncio.gather(
        *(admin.patch(f"/api/v1/saved-views/{one}", json={"is_default": True}) for one in made)
    )
    assert {one.status_code for one in answers} == {200}
    views = (await admin.get("/api/v1/saved-views", params={"path": "/devices"})).json()["results"]
    assert sum(one["is_default"] for one in views) == 1


@pytest.mark.parametrize("path", ["telemetry/hosts", "audit", "devices"])
async def test_a_forged_cursor_is_refused(admin, path):
    cursor = encode_cursor(["n", 10**30, 10**30])
    assert (await admin.get(f"/api/v1/{path}", params={"cursor": cursor})).status_code == 422
