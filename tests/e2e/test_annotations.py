"""In a browser: a list's view is saved and opened again."""

import re

from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER


async def test_a_view_is_saved_and_opened(app, visit):
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    await visitor.open("/devices?status=offline&ordering=-name")
    await page.get_by_text("Views", exact=True).click()
    await page.get_by_label("Save current view as").fill("Offline, from Z")
    await page.get_by_role("button", name="Save view").click()
    await page.wait_for_load_state()
    await visitor.open("/devices")
    await page.get_by_text("Views", exact=True).click()
    await page.get_by_role("link", name="Offline, from Z").click()
    await expect(page).to_have_url(re.compile(r"/devices\?status=offline&ordering=-name$"))
    await page.get_by_text("Views", exact=True).click()
    page.once("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Delete the view").click()
    await expect(page.get_by_text("Deleted the view Offline, from Z.")).to_be_visible()
    assert not visitor.problems
