"""Three people in three browsers: one asks for a deletion, two approve it, and the worker carries it out."""

import re

from playwright.async_api import expect
from sqlalchemy import func, select

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.devices.models import Device
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.queries import find_user
from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.factories.approvals import level, make_approval_rule
from tests.fixtures.client import PASSWORD, TEST_CONTEXT, make_user

pytestmark = NEEDS_BROWSER


async def test_two_people_approve_what_a_third_asks_for(app, device, visit):
    database = app.state.database
    people = {"rita": Role.ADMIN, "ann": Role.VIEWER, "bob": Role.VIEWER}
    for name, role in people.items():
        await make_user(database, name, role)
    async with database.session(TEST_CONTEXT) as session:
        ann, bob = [await find_user(session, name) for name in ("ann", "bob")]
        await make_approval_rule(session, level(ann), level(bob), kind="devices.delete")
    browsers: dict[str, Visitor] = {}
    for name, size in (("rita", "desktop"), ("ann", "desktop"), ("bob", "phone")):
        browsers[name] = await visit(size)
        await browsers[name].sign_in(name, PASSWORD)

    rita = browsers["rita"].page
    await browsers["rita"].open(f"/devices/{device.id}?tab=settings")
    form = rita.locator(f"form[action='/devices/{device.id}/delete']")
    await rita.locator(f"details:has(form[action='/devices/{device.id}/delete']) > summary").last.click()
    await form.locator("[name=change_reason]").fill("It was sold")
    await form.locator("button[type=submit]").click()
    await rita.wait_for_url(re.compile("/approvals/"))
    await expect(rita.get_by_text("It was sold").first).to_be_visible()
    await expect(rita.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    address = "/approvals/" + rita.url.rpartition("/")[2]

    # Bob's level comes after Ann's.
    await browsers["bob"].open(address)
    await expect(browsers["bob"].page.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
    for name in ("ann", "bob"):
        page = browsers[name].page
        await browsers[name].open("/approvals?box=waiting_for")
        await page.get_by_role("link", name="Delete devices").first.click()
        await page.locator("#approve [name=comment]").fill(f"Fine with {name}")
        assert await browsers[name].is_within_its_width()
        await page.locator("#approve button[type=submit]").click()
        await expect(page.get_by_text(f"{name} approved: Fine with {name}").first).to_be_visible()

    assert await apply_request(database, address.rpartition("/")[2]) == "applied"
    await browsers["rita"].open(address)
    await expect(rita.get_by_text("Applied").first).to_be_visible()
    async with database.session(TEST_CONTEXT) as session:
        assert await session.scalar(select(func.count()).select_from(Device)) == 0
    assert not [problem for one in browsers.values() for problem in one.problems]
