"""The topology page in a browser."""

import pytest
from playwright.async_api import expect

from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.devices import enter, relate
from tests.fixtures.client import PASSWORD

pytestmark = NEEDS_BROWSER


@pytest.fixture
async def visitor(visit, admin_token):
    """An administrator's browser."""
    assert admin_token
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    yield visitor
    assert visitor.problems == []


async def test_what_fails_and_the_way_between_two(visitor, admin):
    made = {name: await enter(admin, name) for name in ("host-1", "vm-1", "vm-2", "strip")}
    for parent, kind, child in (
        ("host-1", "hosts", "vm-1"),
        ("host-1", "hosts", "vm-2"),
        ("strip", "powers", "host-1"),
    ):
        assert (await relate(admin, made[parent], kind, made[child])).status_code == 201
    page = visitor.page
    await visitor.open("/topology")
    status = page.locator("[data-topology] [role=status]")
    await expect(status).to_have_text("4 devices, 3 relations.")
    await expect(page.locator("[data-part=graph] canvas").first).to_be_visible()
    rows = page.locator("[data-part=rows] tr")
    await expect(rows.first).to_contain_text("hosts vm-1, vm-2; powered by strip")
    await page.get_by_role("button", name="What fails with it: strip").click()
    await expect(status).to_have_text("If strip fails, 3 devices fail: host-1, vm-1, vm-2")
    await page.get_by_role("button", name="Path from here: strip").click()
    await page.get_by_role("button", name="Path to here: vm-2").click()
    await expect(status).to_have_text("Shortest path: strip → host-1 → vm-2")
    await page.get_by_label("Powers").uncheck()
    await page.get_by_role("button", name="Path to here: vm-2").click()
    await expect(status).to_have_text("No path among the relations shown.")
    await visitor.open(f"/topology?device={made['vm-1']}")
    await expect(status).to_have_text("4 devices, 3 relations.")
