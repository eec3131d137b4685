"""What a newcomer tries first: typing a range, jumping to an address, and reading a page that has no data."""

import time

import pytest
from playwright.async_api import expect

from tests.e2e.browsers import NEEDS_BROWSER
from tests.factories.devices import enter
from tests.fixtures.client import PASSWORD, enroll

pytestmark = NEEDS_BROWSER


@pytest.fixture
async def visitor(visit, admin_token):
    assert admin_token
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    yield visitor
    assert visitor.problems == []


async def test_ranges_are_typed_and_kept_in_links(visitor, device):
    await device.send((time.time(), {"cpu_usage_percent": 5.0}))
    page = visitor.page

    async def loaded() -> bool:
        await visitor.open(f"/devices/{device.id}")
        return await page.locator("[data-range-toolbar]").count() > 0

    while not await loaded():
        pass
    opener, field = page.locator("summary[aria-label='Custom time range']"), page.locator("#range-typed")
    await opener.click()
    await field.fill("yesterday-ish")
    await field.press("Enter")
    await expect(page.locator("[data-typed-words]")).to_contain_text("Type 3h, now-3h, or now-2d to now-1d")
    await field.fill("now-3h")
    await field.press("Enter")
    await expect(page.locator("[data-range-text]")).to_have_text("Last 3h")
    assert page.url.endswith("?range=3h")
    link = page.locator("a[data-keeps-range]").first
    assert "range=3h" in await link.get_attribute("href")
    await opener.click()
    await field.fill("now-2d to now-1d")
    await field.press("Enter")
    await expect(page.locator("[data-live-text]")).to_have_text("Paused")
    assert "from=" in await link.get_attribute("href")


async def test_the_palette_finds_pages_and_addresses(visitor, app, admin, connection):
    device = await enroll(app, admin, "edge-01")
    connection.execute(
        "UPDATE devices SET interfaces = %s::jsonb WHERE id = %s",
        [
            '[{"name": "eth0", "mac_address": "02:00:5e:10:00:aa", "ip_addresses": ["198.51.100.7"]}]',
            device.id,
        ],
    )
    page = visitor.page
    await visitor.open("/")
    for typed, shown in (
        ("sso", "Identity providers"),
        ("198.51.100.7", "edge-01"),
        ("0200.5e10.00aa", "edge-01"),
    ):
        await page.keyboard.press("Control+k")
        await page.keyboard.type(typed)
        await expect(page.locator(".palette-option").first).to_contain_text(shown)
        await page.keyboard.press("Escape")
    # Whose name it is comes before those that have it in theirs.
    other = await enroll(app, admin, "a-edge-01")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("edge-01")
    await expect(page.locator(".palette-title")).to_have_text(["edge-01", "a-edge-01"])
    await other.client.aclose()
    await device.client.aclose()


async def test_the_palette_finds_what_is_on_a_device(visitor, admin):
    device = await enter(admin, "db-17")
    body = {"object": f"devices:{device}", "body": "Battery swollen, see ticket INC4711"}
    assert (await admin.post("/api/v1/notes", json=body)).status_code == 201
    await visitor.open("/settings")
    page = visitor.page
    await page.keyboard.press("Control+k")
    await page.keyboard.type("inc47")
    first = page.locator(".palette-option").first
    await expect(first).to_contain_text("Note by admin")
    await expect(first.locator("mark")).to_have_text("INC47")
    await page.locator("#palette input").fill("")
    await page.keyboard.type("db-17")
    # Enter before the answer is there waits for it.
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/devices/{device}")


async def test_counters_are_rates_unless_asked_otherwise(visitor):
    await visitor.open("/explore?metric=network_receive_bytes_total")
    await expect(visitor.page.locator("#ask-agg")).to_have_value("rate")
    await visitor.open("/explore?metric=network_receive_bytes_total&agg=avg")
    await expect(visitor.page.locator("#ask-agg")).to_have_value("avg")
    await visitor.open("/explore?metric=cpu_usage_percent")
    await expect(visitor.page.locator("#ask-agg")).to_have_value("avg")


async def test_a_new_enrollment_token_is_in_the_table_at_once(visitor):
    page = visitor.page
    await visitor.open("/agents")
    await page.fill("#new-token-name", "lab machines")
    await page.get_by_role("button", name="Create token").click()
    await expect(page.locator("#enrolment")).to_contain_text("lab machines created")
    await expect(page.locator("#enrollment-tokens tbody tr")).to_have_count(1)
    await expect(page.locator("#enrollment-tokens")).to_contain_text("lab machines")


async def test_what_a_button_did_is_said_where_one_looks(visitor, device):
    page = visitor.page
    page.on("dialog", lambda dialog: dialog.accept())
    await visitor.open("/jobs")
    await page.locator("form[action='/jobs/telemetry.measure_space/run'] button").click()
    await expect(page.locator("#toasts")).to_contain_text("Queued “Measure storage”")
    await expect(page.locator("form[action$='/cancel']")).to_have_count(1)
    await visitor.open("/agents")
    await page.get_by_role("button", name="Revoke").click()
    await expect(page.locator("#toasts")).to_contain_text("Key revoked")
    await expect(page.locator("#agents")).to_contain_text("Revoked")
    await expect(page.get_by_role("button", name="Revoke")).to_have_count(0)


async def test_the_page_of_a_device_charts_what_integrations_send(visitor, admin, device):
    now = int(time.time())
    lines = "\n".join(
        f"greenhouse,host=gh1,zone={zone} temperature={20 + age} {now - age}"
        for zone in "ab"
        for age in range(0, 60, 10)
    )
    assert (await admin.post("/influx/write?precision=s", content=lines)).status_code == 204
    (found,) = (await admin.get("/api/v1/devices?name=gh1")).json()["results"]
    await visitor.open(f"/devices/{found['id']}")
    panel = visitor.page.locator("#panel-other-greenhouse_temperature")
    await panel.scroll_into_view_if_needed()
    await expect(panel.locator("canvas")).to_be_visible()
    await expect(panel).to_contain_text("gh1 · a")
    await expect(panel).to_contain_text("gh1 · b")
    await device.send((time.time(), {"cpu_usage_percent": 5.0}))
    await visitor.open(f"/devices/{device.id}")
    await expect(visitor.page.locator("#panel-cpu")).to_be_visible()
    await expect(visitor.page.get_by_text("Other metrics")).to_have_count(2)
    await expect(visitor.page.locator("#other")).to_be_hidden()
