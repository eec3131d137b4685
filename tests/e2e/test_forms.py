"""Forms in a browser: what is saved is said, and what is wrong stands at its field."""

import pytest
from playwright.async_api import expect

from tests.e2e.browsers import NEEDS_BROWSER
from tests.fixtures.client import PASSWORD

pytestmark = NEEDS_BROWSER


@pytest.fixture
async def visitor(visit, admin_token):
    """An administrator's browser."""
    assert admin_token
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    return visitor


async def test_settings_are_saved_without_leaving_the_page(visitor):
    page = visitor.page
    await visitor.open("/settings")
    await page.fill("#audit-retention_months", "13")
    await page.fill("#sampling-interval_seconds", "10")
    await page.click("#sampling button[type=submit]")
    await expect(page.locator("#toasts")).to_contain_text("Sampling: saved.")
    await expect(page.locator("#sampling-interval_seconds")).to_have_value("10")
    # What was not sent yet stays as it was entered.
    await expect(page.locator("#audit-retention_months")).to_have_value("13")
    await page.eval_on_selector("#sampling form", "form => form.noValidate = true")
    await page.fill("#sampling-interval_seconds", "0")
    await page.click("#sampling button[type=submit]")
    await expect(page.locator("#sampling-interval_seconds-error")).to_contain_text("Must be at least 1")
    await expect(page.locator("#sampling-interval_seconds")).to_have_value("0")
    # The browser reports the answer 422 by itself.
    assert [one for one in visitor.problems if "422" not in one] == []
