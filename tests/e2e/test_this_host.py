"""The main job, end to end: `fleetkeeper up`, and this machine's own processor moves on a page."""

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.e2e.browsers import ARGUMENTS, CHROMIUM, NEEDS_BROWSER, SIZES
from tests.fixtures.product import PASSWORD, Product, wait_for

pytestmark = NEEDS_BROWSER

# Points that the chart's line has, by the color of its pixels: columns of the canvas with a strongly coloured one.
COLOURED_COLUMNS = """
canvas => {
  const { width, height } = canvas;
  const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let columns = 0;
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const [r, g, b, a] = pixels.slice((y * width + x) * 4, (y * width + x) * 4 + 4);
      if (a > 60 && Math.max(r, g, b) - Math.min(r, g, b) > 60) { columns++; break; }
    }
  }
  return columns;
}
"""


@pytest.fixture
def measuring(make_product: Callable[..., Product]) -> Product:
    """An installation that measures this host every second."""
    product = make_product()
    product.with_agent = True
    product.start()
    with product.client(product.api_token()) as client:
        answer = client.patch("/api/v1/config/sampling", json={"interval_seconds": 1})
        assert answer.status_code == 200
    return product


def only_device(client: httpx.Client) -> dict | None:
    """The one device, once it has reported."""
    results = client.get("/api/v1/devices").json()["results"]
    assert len(results) <= 1
    return results[0] if results and results[0]["cpu_percent"] is not None else None


def open_device(page: Page, product: Product, device: str) -> None:
    page.goto(f"{product.url}/sign-in")
    page.fill("#username", "admin")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{product.url}/")
    page.goto(f"{product.url}/devices/{device}?range=5m")


def test_this_hosts_processor_moves_on_its_page(measuring, tmp_path):
    with measuring.client(measuring.api_token()) as client:
        device = wait_for("report of this host", lambda: only_device(client))
        wait_for("inventory of this host", lambda: only_device(client)["os_name"])
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(viewport=SIZES["desktop"])
        open_device(page, measuring, device["id"])
        canvas = page.locator("#panel-cpu canvas").first
        expect(canvas).to_be_visible()
        expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
        first = wait_for("line on the chart", lambda: canvas.evaluate(COLOURED_COLUMNS), 60)
        # The line grows while one looks: live frames arrive.
        wait_for("growth of the line", lambda: canvas.evaluate(COLOURED_COLUMNS) > first + 5, 60)
        picture = tmp_path / "device.png"
        page.screenshot(path=picture)
        assert picture.stat().st_size > 20_000
        browser.close()


def test_this_host_is_enrolled_once(measuring):
    with measuring.client(measuring.api_token()) as client:
        first = wait_for("report of this host", lambda: only_device(client))
    assert measuring.stop() == 0
    measuring.start()
    with measuring.client(measuring.api_token()) as client:
        again = wait_for("report of this host", lambda: only_device(client))
        assert again["id"] == first["id"]
        assert client.get("/api/v1/enrollment-tokens").json()["count"] == 1
