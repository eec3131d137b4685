"""The page on which people look at telemetry; what its script does is tested in a real browser."""

import html
import json
import re

from fleetkeeper.telemetry.promql.signatures import FUNCTIONS


def choices(page: str, name: str) -> list:
    return json.loads(html.unescape(re.search(rf'data-{name}="([^"]*)"', page)[1]))


async def test_both_ways_to_ask(browser):
    page = await browser.page("/explore")
    assert 'data-panel="metrics"' in page
    assert 'data-panel="promql"' in page
    assert re.search(r'src="/static/dist/explore[^"]*\.js"', page)
    assert choices(page, "functions") == sorted(FUNCTIONS)
    assert ["server", "Servers"] in choices(page, "device-types")


async def test_departments_are_offered_as_they_are_named(browser, app):
    assert (await browser.send("/departments", name='East "<b>"')).status_code == 204
    page = await browser.page("/explore")
    assert choices(page, "departments") == ['East "<b>"']
    assert "<b>&#34;" not in page


async def test_any_state_in_the_address_is_answered(browser):
    page = await browser.page('/explore?metric=<script>alert(1)</script>&mode=nonsense&top=-1&query="><img>')
    assert "alert(1)" not in page
    assert "<img>" not in page


async def test_a_device_leads_to_its_metrics(browser, device):
    assert f'href="/explore?device={device.id}"' in await browser.page(f"/devices/{device.id}")
