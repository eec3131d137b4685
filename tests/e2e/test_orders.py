"""In a browser: an order is approved by two people, received in part, and its part is fitted by phone."""

from playwright.async_api import expect
from sqlalchemy import select

from fleetkeeper.approvals.jobs import apply_request
from fleetkeeper.identity.models import Role as RoleRow
from fleetkeeper.identity.permissions import Role
from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.approvals import level, make_approval_rule
from tests.factories.devices import enter
from tests.factories.stock import make_location, make_part, post
from tests.fixtures.client import PASSWORD, TEST_CONTEXT, make_user

pytestmark = NEEDS_BROWSER


async def test_from_the_order_to_the_device(app, admin, visit):
    await make_part(admin, "RAM-16", component_kind="memory")
    await make_location(admin, "Berlin depot")
    await enter(admin, "web-01")
    await post(admin, "suppliers", name="Nordic Parts")
    for name, role in (("maria", Role.ADMIN), ("ann", Role.MANAGER), ("ben", Role.ANALYST)):
        await make_user(app.state.database, name, role)
    async with app.state.database.session(TEST_CONTEXT) as session:
        roles = {one.name: one for one in await session.scalars(select(RoleRow))}
        levels = level(roles["manager"]), level(roles["analyst"])
        await make_approval_rule(session, *levels, name="Orders", kind="orders.approve", threshold=100)
    maria = await visit()
    await maria.sign_in("maria", PASSWORD)
    page = maria.page
    await maria.open("/orders")
    await page.get_by_text("Create order").first.click()
    await page.locator("[name=supplier_id]").select_option(label="Nordic Parts")
    await page.locator("[name=deliver_to_id]").select_option(label="Berlin depot")
    await page.get_by_role("button", name="Create order").click()
    await expect(page.locator("#lines")).to_contain_text("No lines yet")
    await page.locator("[name=part]").fill("RAM-16")
    await page.locator("[name=quantity_ordered]").fill("4")
    await page.locator("[name=unit_price]").fill("42.50")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("#lines")).to_contain_text("170.00 EUR")
    order = page.url
    await page.get_by_text("Submit for approval").first.click()
    await page.locator("form[action$='/status/pending-approval'] [name=change_reason]").fill(
        "Short of memory"
    )
    await page.get_by_role("button", name="Submit for approval").click()
    await page.wait_for_url("**/approvals/**")
    request = page.url.rpartition("/")[2]
    for name in ("ann", "ben"):
        approver = await visit()
        await approver.sign_in(name, PASSWORD)
        await approver.open(f"/approvals/{request}")
        await expect(approver.page.locator("body")).to_contain_text("170.00 EUR")
        await approver.page.locator("#approve [name=comment]").fill(f"Fine with {name}")
        await approver.page.locator("#approve button[type=submit]").click()
        await expect(approver.page.get_by_text(f"{name} approved: Fine with {name}").first).to_be_visible()
    assert await apply_request(app.state.database, request) == "applied"
    await page.goto(order)
    await page.get_by_text("Mark as ordered").first.click()
    await page.locator("form[action$='/status/ordered'] [name=change_reason]").fill("By mail")
    await page.get_by_role("button", name="Mark as ordered").click()
    await page.locator("[name=quantity]").fill("3")
    await page.locator("[name=damaged]").fill("1")
    await page.get_by_role("button", name="Receive", exact=True).click()
    await expect(page.locator("#lines")).to_contain_text("1 damaged")
    await expect(page.locator("#story")).to_contain_text("Received in part")

    phone = await visit("phone", "dark")
    await phone.sign_in("maria", PASSWORD)
    page = phone.page
    await phone.open("/work-orders")
    await page.get_by_text("Create work order").first.click()
    await page.locator("#new-work-order-title").fill("Add memory")
    await page.locator("[name=device]").fill("web-01")
    await page.locator("[name=part]").fill("RAM-16")
    await page.locator("[name=location_id]").select_option(label="Berlin depot")
    await page.get_by_role("button", name="Create work order").click()
    await page.locator("[name=code]").fill("RAM-17")
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.get_by_text("Nothing has the code RAM-17")).to_be_visible()
    await page.locator("[name=code]").fill("RAM-16")
    await page.get_by_role("button", name="Done", exact=True).click()
    await expect(page.locator(".facts").first).to_contain_text("Done")
    assert await phone.is_within_its_width()
    await page.get_by_role("link", name="web-01").click()
    await page.goto(page.url.split("?")[0] + "?tab=hardware")
    await expect(page.get_by_text("Part RAM-16").first).to_be_visible()
    assert [one for one in phone.problems if "422" not in one] == []
