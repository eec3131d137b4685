"""The console in a real browser: no error in its log, live charts, and the ways through the product."""

import math
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

pytestmark = NEEDS_BROWSER


@pytest.fixture(params=["desktop", "phone"])
async def visitor(
    visit: Callable[..., Awaitable[Visitor]], admin_token: str, request: pytest.FixtureRequest
) -> AsyncIterator[Visitor]:
    """An administrator, on a large and on a small screen."""
    assert admin_token
    visitor = await visit(request.param, "dark")
    await visitor.sign_in("admin", PASSWORD)
    yield visitor
    assert visitor.problems == []


@pytest.fixture
async def measured(app: RunningApp, admin) -> AsyncIterator[EnrolledDevice]:
    """A device with ten minutes of readings."""
    device = await enroll(app, admin, "web-01")
    now = time.time()
    await device.send(*((now - age, readings(now - age)) for age in range(600, 0, -5)))
    yield device
    await device.client.aclose()


def readings(ts: float) -> dict[str, float]:
    wave = 20 + 10 * math.sin(ts / 60)
    cores = {f'cpu_core_usage_percent{{core="{core}"}}': wave + core for core in range(4)}
    return cores | {
        "cpu_usage_percent": wave + 5,
        "cpu_user_percent": wave,
        "cpu_system_percent": 5.0,
        "memory_usage_percent": 40.0,
        "network_receive_bytes_total": ts * 1024,
        'disk_partition_usage_percent{mountpoint="/"}': 55.0,
    }


async def test_every_page_fits_its_screen(visitor, measured):
    tabs = [
        f"/devices/{measured.id}?tab={name}"
        for name in ("overview", "system", "processes", "history", "files")
    ]
    for path in (
        "/",
        "/devices",
        *tabs,
        "/explore",
        "/agents",
        "/settings",
        "/audit?by=all",
        "/senders/refused",
    ):
        await visitor.open(path)
        await expect(visitor.page.locator("h1").first).to_be_attached()
        assert await visitor.is_within_its_width(), path
        # It is fixed to the screen, so the page's width does not know of it.
        fits = "document.querySelector('.bottom-nav').scrollWidth <= window.innerWidth"
        assert await visitor.page.evaluate(fits), path


async def test_a_rotated_token_shows_its_new_secret(visitor, admin):
    page = visitor.page
    await admin.post("/api/v1/tokens", json={"name": "backup", "preset": "read"})
    await visitor.open("/account")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.click("#tokens button:has-text('Rotate')")
    await expect(page.locator("#secret")).to_contain_text("fkt_")


async def test_many_devices_are_chosen_filtered_and_changed(visitor, measured, admin):
    page = visitor.page
    await visitor.open("/devices")
    await page.click("summary:has-text('Add filter')")
    await page.select_option("#devices-field", "device_type")
    await expect(page.locator("#devices-operator")).to_have_attribute("data-field", "device_type")
    await page.select_option("#devices-operator", "in")
    await expect(page.locator(".filter-ticks")).to_contain_text("VM")
    await page.select_option("#devices-field", "last_seen")
    await expect(page.locator("#devices-value")).to_have_attribute("type", "date")
    await page.select_option("#devices-field", "name")
    await expect(page.locator("#devices-operator")).to_have_attribute("data-field", "name")
    await page.select_option("#devices-operator", "contains")
    await expect(page.locator("#devices-operator option[selected]")).to_have_attribute("value", "contains")
    await page.fill("#devices-value", "web")
    await page.click(".list-filter button")
    await expect(page.locator(".list-tools .tag")).to_contain_text("Name contains web")
    await page.click("summary:has-text('Columns')")
    await page.check(".list-columns [value=location]")
    await page.click(".list-columns button[type=submit]")
    await page.check("[data-select]")
    await expect(page.locator("[data-selection]")).to_contain_text("1 selected")
    await page.click("button:has-text('Edit selected')")
    await page.fill("[name=location]", "Hall 7")
    await page.click("button:has-text('Preview')")
    await expect(page.locator("#results")).to_contain_text("location: (empty) → Hall 7")
    await page.fill("[name=change_reason]", "Moved")
    await page.click("#apply button[type=submit]")
    await expect(page.locator("#summary")).to_contain_text("Done")
    assert (await admin.get(f"/api/v1/devices/{measured.id}")).json()["location"] == "Hall 7"


async def test_charts_show_the_past_and_follow_the_present(visitor, measured):
    page = visitor.page
    await visitor.open(f"/devices/{measured.id}?range=5m")
    await expect(page.locator("#panel-cpu canvas")).to_be_visible()
    await page.locator("#panel-cores").scroll_into_view_if_needed()
    await expect(page.locator("#panel-cores canvas")).to_be_visible()
    await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
    await measured.send((time.time(), readings(time.time()) | {"cpu_usage_percent": 87.0}))
    await expect(page.locator("[data-figure='cpu_usage_percent'] b")).to_have_text("87 %")


async def test_a_frame_ahead_of_the_clock_does_not_freeze_charts(visitor, measured):
    page = visitor.page
    await visitor.open(f"/devices/{measured.id}?range=5m")
    legend = page.locator("#panel-cpu .legend-item").first
    await expect(legend).to_be_visible()
    await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
    await measured.send((time.time() + 280, readings(time.time()) | {"cpu_user_percent": 71.0}))
    await expect(page.locator("#panel-cpu")).to_contain_text("71 %")
    await measured.send((time.time(), readings(time.time()) | {"cpu_user_percent": 33.0}))
    await expect(page.locator("#panel-cpu")).to_contain_text("33 %")


async def test_a_live_view_comes_back_after_a_refusal(visit, admin_token, measured):
    """As while the server starts again: the browser's own reconnecting ends at the first answer that is no stream."""
    assert admin_token
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    refused = []

    async def refuse(route) -> None:
        refused.append(route)
        await (route.fulfill(status=503) if len(refused) == 1 else route.continue_())

    await visitor.page.route("**/api/v1/telemetry/stream*", refuse)
    await visitor.open(f"/devices/{measured.id}?range=5m")
    await expect(visitor.page.locator("[data-live]")).to_have_attribute("data-state", "waiting")
    await expect(visitor.page.locator("[data-live]")).to_have_attribute("data-state", "open")
    assert len(refused) == 2


async def test_dragging_on_a_chart_zooms_and_back_undoes_it(visitor, measured):
    page = visitor.page
    await visitor.open(f"/devices/{measured.id}?range=15m")
    plot = page.locator("#panel-cpu .u-over")
    await plot.scroll_into_view_if_needed()
    box = await plot.bounding_box()
    await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 50, steps=4)
    await page.mouse.up()
    await expect(page.locator("[data-live-text]")).to_have_text("Paused")
    assert "from=" in page.url
    await page.go_back()
    await expect(page.locator("[data-live-text]")).to_have_text("Live")


async def test_the_list_filters_while_one_types(visitor, measured, app, admin):
    other = await enroll(app, admin, "db-01")
    page = visitor.page
    await visitor.open("/devices")
    await expect(page.locator("[data-row-link]")).to_have_count(2)
    await page.keyboard.press("/")
    await page.keyboard.type("web")
    await expect(page.locator("[data-row-link]")).to_have_count(1)
    await expect(page).to_have_url(re.compile(r"/devices\?q=web$"))
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/devices/{measured.id}")
    await other.client.aclose()


async def test_the_palette_jumps_to_a_device(visitor, measured):
    page = visitor.page
    await visitor.open("/settings")
    await page.keyboard.press("Control+k")
    await page.keyboard.type("web")
    await expect(page.locator(".palette-option").first).to_contain_text("web-01")
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/devices/{measured.id}")


async def test_a_machine_arrives_while_one_looks(visitor, app):
    page = visitor.page
    await visitor.open("/agents")
    await page.fill("#new-token-name", "lab")
    await page.click("#new-token button[type=submit]")
    token = (await page.inner_text("#command-1")).split()[-1]
    async with app.client() as machine:
        await machine.post("/api/v1/enroll", json={"token": token, "hostname": "new-01", "identities": {}})
    await expect(page.locator("#arrivals")).to_contain_text("new-01 has joined")


async def test_the_theme_is_kept_without_a_flash(visitor):
    page = visitor.page
    await visitor.open("/")
    for choice, shown in (("light", "light"), ("dark", "dark"), ("auto", "dark"), ("light", "light")):
        await page.click("[data-theme-button]")
        await expect(page.locator("html")).to_have_attribute("data-theme-choice", choice)
        await expect(page.locator("html")).to_have_attribute("data-bs-theme", shown)
    await visitor.open("/devices")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


async def test_columns_are_put_into_order_by_keys_and_by_dragging(visitor, measured):
    page = visitor.page
    await visitor.open("/devices")
    await page.click("summary:has-text('Columns')")
    menu = await page.locator(".list-columns").bounding_box()
    assert menu["x"] >= 0
    assert menu["x"] + menu["width"] <= page.viewport_size["width"]
    name = page.get_by_role("button", name=re.compile("^Move Name"))
    await name.focus()
    await page.keyboard.press("ArrowDown")
    await expect(page.locator("[data-reorder-status]")).to_have_text(re.compile("Name: 2 of"))
    await expect(name).to_be_focused()
    handle = page.get_by_role("button", name=re.compile("^Move CPU"))
    await handle.scroll_into_view_if_needed()
    share = await handle.bounding_box()
    first = await page.locator(".list-columns li").first.bounding_box()
    await page.mouse.move(share["x"] + 8, share["y"] + 8)
    await page.mouse.down()
    await page.mouse.move(first["x"] + 20, first["y"] + 2, steps=5)
    await page.mouse.up()
    await page.click(".list-columns button[type=submit]")
    await expect(page.locator(".list-table thead th:not(.col-select)")).to_contain_text(
        ["CPU", "Status", "Name"]
    )
    assert visitor.problems == []
