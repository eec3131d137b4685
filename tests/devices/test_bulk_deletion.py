"""Many devices deleted at once: each has its own result, and other people's approval is not evaded by the number."""

import pytest
from sqlalchemy import func, select

from fleetkeeper.annotations.models import Note
from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.permissions import Role
from tests.devices.test_bulk import make_devices
from tests.factories.approvals import level, make_approval_rule
from tests.factories.identity import give, make_department, make_token, make_user
from tests.fixtures.client import TEST_CONTEXT

PATH = "/api/v1/devices/bulk-delete"
REASON = {"X-Change-Reason": "Sold"}


async def count(app, model=Device) -> int:
    async with app.state.database.session(TEST_CONTEXT) as session:
        return await session.scalar(select(func.count()).select_from(model))


async def test_seen_first_and_gone_then(app, admin):
    made = await make_devices(app, admin, "web-1", "web-2", "db-1")
    await admin.post("/api/v1/notes", json={"object": f"devices:{made['web-1']}", "body": "old"})
    assert await count(app, Note) == 1
    wanted = {"matching": "q=web"}
    told = (await admin.post(PATH, json=wanted | {"dry_run": True})).json()
    assert (told["changed"], await count(app)) == (2, 3)
    done = await admin.post(PATH, json=wanted | {"expected": 2}, headers=REASON)
    assert {one["name"]: one["outcome"] for one in done.json()["results"]} == {
        "web-1": "changed",
        "web-2": "changed",
    }
    assert (await count(app), await count(app, Note)) == (1, 0)
    entries = (await admin.get("/api/v1/audit?action=devices.delete")).json()["results"]
    assert [one["change_reason"] for one in entries] == ["Sold", "Sold"]


async def test_nothing_goes_where_more_match_than_were_seen(app, admin):
    await make_devices(app, admin, "web-1", "web-2")
    answer = await admin.post(PATH, json={"matching": "q=web", "expected": 1}, headers=REASON)
    assert (answer.status_code, "2 devices match now" in answer.text) == (409, True)
    assert await count(app) == 2


@pytest.mark.parametrize("body", [{}, {"ids": [], "matching": ""}, {"matching": "nothing=1"}])
async def test_a_selection_that_is_none(app, admin, body):
    await make_devices(app, admin, "web-1")
    assert (await admin.post(PATH, json=body, headers=REASON)).status_code in {400, 422}
    assert await count(app) == 1


async def test_others_devices_stay(app, admin):
    made = await make_devices(app, admin, "mine", "theirs", "seen")
    async with app.state.database.session(TEST_CONTEXT) as session:
        north, south = [await make_department(session, name) for name in ("North", "South")]
        for name, place in (("mine", north), ("theirs", south), ("seen", None)):
            (await session.get(Device, made[name])).department_id = place and place.id
        user = await make_user(session, "nora")
        await give(session, user, Role.OPERATOR, north)
        await give(session, user, Role.ADMIN, north)
        token = await make_token(session, user)
    async with app.client(token) as nora:
        done = await nora.post(PATH, json={"ids": list(made.values())}, headers=REASON)
    outcomes = {one["id"]: (one["outcome"], one["name"]) for one in done.json()["results"]}
    assert outcomes[made["mine"]] == ("changed", "mine")
    assert outcomes[made["theirs"]] == ("refused", "")
    assert await count(app) == 2


@pytest.fixture
async def ann(app):
    """An approver of deletions of three devices and more."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        ann = await make_user(session, "ann")
        await give(session, ann, Role.VIEWER)
        await make_approval_rule(session, level(ann), kind="devices.delete", name="Many", threshold=3)
        token = await make_token(session, ann)
    async with app.client(token) as client:
        yield client


async def test_from_a_number_on_they_wait_for_approval(app, admin, ann):
    made = await make_devices(app, admin, "a", "b", "c", "d")
    two = await admin.post(PATH, json={"ids": [made["a"]]}, headers=REASON)
    assert (two.json()["changed"], await count(app)) == (1, 3)
    rest = {"ids": [made[name] for name in "bcd"]}
    held = (await admin.post(PATH, json=rest | {"expected": 3}, headers=REASON)).json()
    assert (held["held"], held["changed"], await count(app)) == (3, 0, 3)
    [request] = (await ann.get("/api/v1/approvals?status=pending")).json()["results"]
    assert request["amount"] == 3
    assert request["subject_label"].endswith("and 2 more")
    # One that is gone meanwhile keeps none of the others.
    async with app.state.database.session(TEST_CONTEXT) as session:
        await session.delete(await session.get(Device, made["c"]))
    await ann.post(f"/api/v1/approvals/{request['id']}/approve", json={})
    assert await apply_request(app.state.database, request["id"]) == "applied"
    assert await count(app) == 0


async def test_parts_in_several_departments_count_together(app, admin, ann):
    made = await make_devices(app, admin, "a", "b", "c")
    async with app.state.database.session(TEST_CONTEXT) as session:
        for name in "abc":
            (await session.get(Device, made[name])).department_id = (await make_department(session, name)).id
    held = (await admin.post(PATH, json={"ids": list(made.values())}, headers=REASON)).json()
    assert (held["held"], await count(app)) == (3, 3)
    assert (await ann.get("/api/v1/approvals?status=pending")).json()["count"] == 3


async def test_it_needs_a_reason_as_deleting_one_does(app, admin):
    made = await make_devices(app, admin, "web-1")
    refused = [
        await admin.post(PATH, json={"ids": list(made.values())}),
        await admin.delete(f"/api/v1/devices/{made['web-1']}"),
    ]
    assert [(one.status_code, one.json()["errors"][0]["field"]) for one in refused] == [
        (422, "change_reason")
    ] * 2
    assert await count(app) == 1
    preview = await admin.post(PATH, json={"ids": list(made.values()), "dry_run": True})
    assert preview.json()["changed"] == 1
