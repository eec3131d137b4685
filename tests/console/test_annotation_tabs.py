"""What is added to any kind of object, on its page."""

import pytest

from fleetkeeper.annotations.objects import KINDS
from fleetkeeper.identity.permissions import Permission, Role
from tests.factories.identity import give, make_department, make_group, make_role, make_token, make_user
from tests.factories.stock import make_location, make_part, post
from tests.fixtures.client import TEST_CONTEXT

NOTES = "/api/v1/notes"


async def make_objects(app, admin, device) -> dict[str, object]:
    """An object of each kind, by the name of its table."""
    part, depot = await make_part(admin), await make_location(admin)
    supplier = (await post(admin, "suppliers", name="Nordic"))["id"]
    planned = {"title": "Fit", "device_id": str(device.id), "part_id": part, "location_id": depot}
    async with app.state.database.session(TEST_CONTEXT) as session:
        user, group = await make_user(session, "nora"), await make_group(session, name="night shift")
        role, department = await make_role(session, name="keeper"), await make_department(session, "North")
    return {
        "departments": department.id,
        "devices": device.id,
        "groups": group.id,
        "orders": (await post(admin, "orders", supplier_id=supplier, deliver_to_id=depot))["id"],
        "parts": part,
        "roles": role.id,
        "suppliers": supplier,
        "users": user.id,
        "work_orders": (await post(admin, "work-orders", **planned))["id"],
    }


async def test_each_kind_has_the_tabs(app, admin, browser, device):
    objects = await make_objects(app, admin, device)
    assert objects.keys() == KINDS.keys()
    await admin.post("/api/v1/tags", json={"name": "On call", "color": "teal"})
    for table, key in objects.items():
        page = KINDS[table].href.format(key)
        answer = await browser.send("/notes", object=f"{table}:{key}", body=f"about {table}")
        assert answer.headers["HX-Redirect"] == f"{page}?tab=notes"
        assert f"about {table}" in await browser.page(f"{page}?tab=notes")
        answer = await browser.send(f"/tags/objects/{table}/{key}", tags="on-call")
        assert answer.headers["HX-Redirect"] == page
        assert "On call" in await browser.page(page)
        assert "Edit tags" in await browser.page(f"{page}?tab=settings")
        assert "No files yet." in await browser.page(f"{page}?tab=files")
        assert "No custom fields for this kind" in await browser.page(f"{page}?tab=fields")


async def test_who_only_sees_an_object_adds_nothing(app, admin, viewer_browser, device):
    await admin.post("/api/v1/tags", json={"name": "On call"})
    page = f"/devices/{device.id}"
    assert "Add note" not in await viewer_browser.page(f"{page}?tab=notes")
    answer = await viewer_browser.send(f"/tags/objects/devices/{device.id}", tags="on-call")
    assert answer.status_code == 403
    assert "On call" not in await viewer_browser.page(page)


async def test_two_who_tag_at_once_undo_nothing_of_each_other(admin, browser, device):
    for name in ("On call", "Web", "Edge"):
        await admin.post("/api/v1/tags", json={"name": name})
    address = f"/tags/objects/devices/{device.id}"
    await browser.send(address, tags="on-call")
    assert 'name="seen" value="on-call"' in await browser.page(f"/devices/{device.id}?tab=settings")
    await browser.client.post(
        address, data={"tags": ["on-call", "web"], "seen": "on-call", "csrf_token": browser.csrf_token}
    )
    # Of the page as it was before.
    await browser.send(address, tags="edge", seen="on-call")
    tags = (await admin.get(f"/api/v1/devices/{device.id}")).json()["tags"]
    assert sorted(tags) == ["edge", "web"]


async def test_an_unknown_kind_has_no_tags(browser, device):
    assert (await browser.send(f"/tags/objects/config/{device.id}", tags="a")).status_code == 404


async def test_a_manager_of_one_department_sees_no_notes_on_its_people(app):
    async with app.state.database.session(TEST_CONTEXT) as session:
        north = await make_department(session, "North")
        chief, nora = await make_user(session, "chief"), await make_user(session, "nora")
        await give(session, chief, Role.ADMIN, north)
        await give(session, nora, Role.VIEWER, north)
        token = await make_token(session, chief)
    async with app.client(token) as client:
        note = {"object": f"departments:{north.id}", "body": "moves in May"}
        assert (await client.post(NOTES, json=note)).status_code == 201
        assert (await client.post(NOTES, json=note | {"object": f"users:{nora.id}"})).status_code == 404


@pytest.mark.parametrize(
    ("table", "permissions"),
    [
        ("users", (Permission.USERS_READ, Permission.USERS_WRITE)),
        ("roles", (Permission.ROLES_READ, Permission.ROLES_WRITE)),
        ("departments", (Permission.DEPARTMENTS_READ, Permission.DEPARTMENTS_WRITE)),
    ],
)
async def test_who_sees_no_device_annotates_what_they_manage(app, table, permissions):
    """Row-level security that was made for devices must not stand in the way."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        keeper, role = await make_user(session, "keeper"), await make_role(session, *permissions)
        department = await make_department(session, "North")
        await give(session, keeper, role)
        token = await make_token(session, keeper)
    key = {"users": keeper, "roles": role, "departments": department}[table].id
    async with app.client(token) as client:
        answer = await client.post(NOTES, json={"object": f"{table}:{key}", "body": "checked"})
        assert answer.status_code == 201, answer.text
        assert (await client.get(NOTES, params={"object": f"{table}:{key}"})).json()["count"] == 1
