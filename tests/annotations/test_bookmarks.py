"""Bookmarks: one's own alone, of pages of the console alone."""

import pytest
from sqlalchemy import text

from fleetkeeper.annotations.service import remove_leftovers
from tests.annotations.test_tags import STRANGER
from tests.fixtures.client import TEST_CONTEXT

BOOKMARKS = "/api/v1/bookmarks"


async def mark(client, path: str = "/devices?status=offline", title: str = "Offline devices") -> dict:
    answer = await client.post(BOOKMARKS, json={"path": path, "title": title})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def titles(client) -> list[str]:
    return [one["title"] for one in (await client.get(BOOKMARKS)).json()["results"]]


async def test_pages_are_marked_once_and_listed_by_title(admin):
    await mark(admin)
    await mark(admin, "/jobs", "Jobs")
    again = await admin.post(BOOKMARKS, json={"path": "/jobs", "title": "Other"})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (409, "path")
    assert await titles(admin) == ["Jobs", "Offline devices"]


async def test_they_are_nobody_else_s(admin, viewer):
    made = await mark(admin)
    assert await titles(viewer) == []
    assert (await viewer.delete(f"{BOOKMARKS}/{made['id']}")).status_code == 404
    await mark(viewer)
    assert (await admin.delete(f"{BOOKMARKS}/{made['id']}")).status_code == 204
    assert (await titles(admin), await titles(viewer)) == ([], ["Offline devices"])


@pytest.mark.parametrize(
    "path",
    [
        "",
        "devices",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/devices\n",
        "/a b",
        "/" + "a" * 2000,
        '/"><script>',
    ],
)
async def test_they_lead_nowhere_else(shared, path):
    answer = await shared.admin.post(BOOKMARKS, json={"path": path, "title": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "path")


async def test_a_device_s_go_with_it(app, admin, device):
    await mark(admin, f"/devices/{device.id}?range=6h", "web-01")
    await mark(admin, f"/devices/{STRANGER}", "gone")
    await mark(admin, "/devices", "Devices")
    async with app.state.database.session(TEST_CONTEXT) as session:
        await remove_leftovers(session)
        left = list(await session.scalars(text("SELECT title FROM bookmarks ORDER BY title")))
    assert left == ["Devices", "web-01"]
