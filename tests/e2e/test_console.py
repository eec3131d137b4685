"""The console in a real browser: no error in its log, live charts, and the ways through the product."""

import asyncio
import math
import os
import shutil
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import uvicorn
from playwright.async_api import Page, async_playwright, expect

from fleetkeeper.console.rendering import DIST
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

CHROMIUM = os.environ.get("FLEETKEEPER_TEST_BROWSER") or shutil.which("chromium")
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; FLEETKEEPER_TEST_BROWSER names one"),
    pytest.mark.skipif(not DIST.exists(), reason="the assets are not bundled"),
]
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass
class Visitor:
    """A page of a signed-in browser, and what went wrong in it."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(self.address + path)

    async def is_within_its_width(self) -> bool:
        return await self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture
async def address(app: RunningApp) -> AsyncIterator[str]:
    """The application behind a real socket on loopback."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(app.asgi, lifespan="off", log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        yield f"http://localhost:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture(params=["desktop", "phone"])
async def visitor(address: str, admin_token: str, request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    """An administrator, on a large and on a small screen."""
    assert admin_token
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = await browser.new_page(viewport=SIZES[request.param], color_scheme="dark")
        visitor = Visitor(page, address)
        page.on("pageerror", lambda error: visitor.problems.append(str(error)))
        page.on("console", lambda line: visitor.problems.append(line.text) if line.type == "error" else None)
        await visitor.open("/sign-in")
        await page.fill("#username", "admin")
        await page.fill("#password", PASSWORD)
        await page.click("button[type=submit]")
        await page.wait_for_url(address + "/")
        yield visitor
        await browser.close()
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
    for path in ("/", "/devices", f"/devices/{measured.id}", "/agents", "/settings"):
        await visitor.open(path)
        await expect(visitor.page.locator("h1").first).to_be_attached()
        assert await visitor.is_within_its_width(), path


async def test_charts_show_the_past_and_follow_the_present(visitor, measured):
    page = visitor.page
    await visitor.open(f"/devices/{measured.id}?range=5m")
    await expect(page.locator("#panel-cpu canvas")).to_be_visible()
    await page.locator("#panel-cores").scroll_into_view_if_needed()
    await expect(page.locator("#panel-cores canvas")).to_be_visible()
    await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
    await measured.send((time.time(), readings(time.time()) | {"cpu_usage_percent": 87.0}))
    await expect(page.locator("[data-figure='cpu_usage_percent'] b")).to_have_text("87 %")


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
    assert page.url.endswith("/devices?q=web")
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
    await page.fill("#name", "lab")
    await page.click("#enrolment button[type=submit]")
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
