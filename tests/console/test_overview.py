"""The first page."""

import time

from tests.console.waiting import eventually


async def test_an_empty_fleet_shows_the_way_to_enrolment(browser):
    page = await browser.page("/")
    assert "No devices yet" in page
    assert 'href="/agents#new-token"' in page


async def test_counts_and_busiest_devices(browser, device):
    await device.send((time.time(), {"cpu_usage_percent": 91.5, "memory_usage_percent": 40.0}))

    async def page_with_device() -> str:
        page = await browser.page("/")
        return page if "92 %" in page else ""

    page = await eventually(page_with_device)
    assert f'href="/devices/{device.id}"' in page
    assert "is-critical" in page


async def test_htmx_gets_the_part_that_changes(browser, device):
    part = await browser.part("/")
    assert "<html" not in part
    assert "Offline" in part
