"""In a browser: a part is made, received, fitted by phone, and counted."""

import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.devices import enter
from tests.factories.stock import make_location
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
async def test_a_part_from_the_depot_to_the_device(app, admin, visit, size, scheme):
    await make_location(admin, "Berlin depot")
    await enter(admin, "web-01")
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit(size, scheme)
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/parts")
    await expect(page.get_by_text("No parts yet")).to_be_visible()
    await page.get_by_text("Create part").first.click()
    await page.locator("[name=part_code]").fill("RAM-16")
    await page.locator("[name=name]").fill("Memory, 16 GiB")
    await page.locator("[name=component_kind]").select_option("memory")
    await page.get_by_role("button", name="Create part").click()
    await expect(page.locator("#part")).to_contain_text("RAM-16")
    await expect(page.get_by_alt_text("QR code of RAM-16")).to_be_visible()

    await visitor.open("/stock-movements")
    await page.get_by_text("Create movement").first.click()
    await page.locator("[name=part]").fill("RAM-16")
    await page.locator("[name=quantity]").fill("3")
    await page.locator("[name=location_id]").select_option(label="Berlin depot")
    # What is for other kinds is out of sight.
    await expect(page.locator("[name=device]")).to_be_hidden()
    await page.get_by_role("button", name="Create movement").click()
    await expect(page.locator("h1")).to_have_text("Receipt of RAM-16")

    await visitor.open("/inventory")
    await page.get_by_role("link", name="RAM-16").click()
    await page.get_by_text("Move stock").first.click()
    await page.locator("#move [name=kind], [name=kind]").first.select_option("consumption")
    await page.locator("[name=quantity]").fill("4")
    await page.locator("[name=device]").fill("web-01")
    await page.get_by_role("button", name="Book").click()
    await expect(page.get_by_text("There is not as much on hand")).to_be_visible()
    await page.locator("[name=quantity]").fill("1")
    await page.get_by_role("button", name="Create movement").click()
    await expect(page.locator("h1")).to_have_text("Consumption of RAM-16")
    assert await visitor.is_within_its_width()
    await page.get_by_role("link", name="web-01").click()
    await page.goto(page.url.split("?")[0] + "?tab=hardware")
    await expect(page.get_by_text("Memory, 16 GiB").first).to_be_visible()

    await visitor.open("/stock-counts")
    await page.get_by_text("Create stock count").first.click()
    await page.locator("[name=name]").fill("November")
    await page.locator("[name=location_id]").select_option(label="Berlin depot")
    await page.get_by_role("button", name="Create stock count").click()
    await page.locator("[name=part]").fill("RAM-16")
    await page.locator("[name=counted]").fill("5")
    await page.get_by_role("button", name="Save").first.click()
    await expect(page.locator("#lines")).to_contain_text("+3")
    await page.get_by_text("Mark as booked").first.click()
    await page.locator("form[action$='/status/booked'] [name=change_reason]").fill("Monthly")
    await page.get_by_role("button", name="Mark as booked").click()
    await expect(page.locator("#stock\\ count, .facts").first).to_contain_text("Booked")
    assert await visitor.is_within_its_width()
    assert [one for one in visitor.problems if "422" not in one] == []
