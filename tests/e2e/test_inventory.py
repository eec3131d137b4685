"""In a browser: a switch is added by hand, connected, given an interface, and its past is looked at."""

import re

import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.devices import enter
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER


@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
async def test_a_switch_is_added_and_connected(app, admin, visit, size, scheme):
    await enter(admin, "firewall-1")
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit(size, scheme)
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/devices")
    await page.get_by_text("Add device").first.click()
    await page.locator("#new-device-name").fill("core-switch-01")
    await page.locator("#new-device-device_type").select_option("network_device")
    await page.locator("#new-device-owner").fill("Network team")
    await page.get_by_role("button", name="Add device").click()
    await expect(page.get_by_text("No agent reports core-switch-01")).to_be_visible()
    await expect(page.locator("#about")).to_contain_text("Network team")
    device = re.search(r"/devices/([0-9a-f-]+)", page.url)[1]

    await visitor.open(f"/devices/{device}?tab=network")
    await page.get_by_text("Add interface").first.click()
    await page.locator("#add-network-interfaces-interface_name").fill("Ethernet1")
    await page.locator("#add-network-interfaces-mac_address").fill("5254.0012.3456")
    await page.get_by_role("button", name="Add interface").click()
    await expect(page.locator("#network-interfaces")).to_contain_text("52:54:00:12:34:56")
    # Nobody said that it is up.
    await expect(page.locator("#network-interfaces tbody td").nth(2)).to_have_text("\N{EN DASH}")

    await visitor.open(f"/devices/{device}?tab=relations")
    await page.get_by_text("Add relation").first.click()
    await page.locator("#add-relation-device").fill("firewall-1")
    await page.get_by_role("button", name="Add relation").click()
    await expect(page.locator("#relations")).to_contain_text("Connects to")

    await visitor.open(f"/devices/{device}?tab=past")
    await expect(page.locator(".page-tabs [aria-current]")).to_be_in_viewport(ratio=1)
    slider = page.locator("input[type=range]")
    await slider.focus()
    await slider.press("End")
    await expect(page.locator("#differences")).to_contain_text("Network interface Ethernet1")
    await slider.press("Home")
    await expect(page.locator("#differences")).to_contain_text("All is now as it was then")
    assert not visitor.problems
