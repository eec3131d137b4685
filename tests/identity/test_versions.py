"""Nobody overwrites a change of users, groups, departments and roles that they did not see."""

import re

import pytest

from fleetkeeper.identity.permissions import Role
from tests.console.conftest import sign_in

KINDS = {
    "users": ({"username": "nora", "password": "a long enough password"}, "username"),
    "groups": ({"name": "Night shift"}, "name"),
    "departments": ({"name": "North"}, "name"),
    "roles": ({"name": "Keeper", "permissions": ["devices:read"]}, "name"),
}


@pytest.fixture(params=KINDS)
async def made(request, admin):
    """The address of an object in the API, its page, and the field that it is renamed by."""
    wanted, field = KINDS[request.param]
    answer = await admin.post(f"/api/v1/{request.param}", json=wanted)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"'), answer.text
    key = answer.json()["id"]
    return f"/api/v1/{request.param}/{key}", f"/{request.param}/{key}", field


async def test_a_lost_update_is_refused(admin, made):
    address, _, field = made
    seen = await admin.get(address)
    changed = await admin.patch(address, json={field: "first"}, headers={"If-Match": seen.headers["etag"]})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"'), changed.text
    late = await admin.patch(address, json={field: "second"}, headers={"If-Match": seen.headers["etag"]})
    assert late.status_code == 412
    assert (await admin.get(address)).json()[field] == "first"
    # Who expects nothing overwrites; what stays as it is counts nothing.
    assert (await admin.patch(address, json={field: "first"})).headers["etag"] == '"2"'
    assert (await admin.patch(address, json={field: "third"})).headers["etag"] == '"3"'


async def test_permissions_of_a_role_count(admin):
    role = (await admin.post("/api/v1/roles", json=KINDS["roles"][0])).json()
    changed = await admin.patch(f"/api/v1/roles/{role['id']}", json={"permissions": ["users:read"]})
    assert changed.headers["etag"] == '"2"'


async def test_a_form_says_that_somebody_was_faster(app, admin, made):
    address, page, field = made
    browser = await sign_in(app, "maria", Role.ADMIN)
    assert 'name="version"' in await browser.page(f"{page}?tab=settings")
    await admin.patch(address, json={field: "first"})
    late = await browser.send(
        page, **{field: "second"}, version="1", description="", permissions="devices:read"
    )
    assert late.status_code == 412, late.text
    assert 'value="second"' in late.text
    assert "Save again to overwrite their change" in late.text
    # Sent again, it has the version that is there now.
    assert re.search(r'name="version"\s+value="2"', late.text)
    assert (await admin.get(address)).json()[field] == "first"
    assert (
        await browser.send(page, **{field: "second"}, version="2", permissions="devices:read")
    ).status_code == 204
    assert (await admin.get(address)).json()[field] == "second"
