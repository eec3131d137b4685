"""A webhook is created and tested in a browser, and what is addressed to a person is at the bell."""

import pytest
from playwright.async_api import expect

from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.notifications import receiving, worker_of
from tests.fixtures.client import PASSWORD, make_user

pytestmark = NEEDS_BROWSER


async def test_a_webhook_is_created_and_tested(app, settings, visit):
    settings.outgoing.allowed_networks.append("127.0.0.0/8")
    await make_user(app.state.database, "maria", Role.ADMIN)
    visitor = await visit()
    await visitor.sign_in("maria", PASSWORD)
    page = visitor.page
    async with receiving() as receiver:
        await visitor.open("/notifications")
        await page.click("#new-webhook summary")
        await page.get_by_label("Name").locator("visible=true").fill("Operations")
        await page.get_by_label("URL").locator("visible=true").fill(receiver.url)
        await page.click("#new-webhook button[type=submit]")
        await expect(page.get_by_text("whsec_")).to_be_visible()
        await page.click("#test button[type=submit]")
        await expect(page.get_by_text("The receiver answered 200.")).to_be_visible()
        assert len(receiver.requests) == 1
    assert not visitor.problems


@pytest.mark.parametrize("size", ["desktop", "phone"])
async def test_the_bell_leads_to_what_is_unread(app, visit, size):
    await make_user(app.state.database, "victor", Role.VIEWER)
    visitor = await visit(size)
    await visitor.sign_in("victor", PASSWORD)
    page, worker = visitor.page, worker_of(app)
    me = await page.evaluate("fetch('/api/v1/me').then(answer => answer.json())")
    await worker.emit(what="<b>it</b>", to_users=[me["user_id"]])
    await worker.dispatch()
    await visitor.open("/")
    await expect(page.locator(".bell-count")).to_contain_text("1")
    await page.click(".bell")
    await expect(page.get_by_text("The thing: <b>it</b>")).to_be_visible()
    assert await visitor.is_within_its_width()
    await page.get_by_role("button", name="Mark as read").click()
    await expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)
    await expect(page.locator(".bell-count")).to_have_count(0)
    assert not visitor.problems
