"""Explore in a real browser: completion, graph, table, PromQL's errors, the address, the file."""

import csv
import math
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.async_api import Page, expect

from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.fixtures.began import began
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

pytestmark = NEEDS_BROWSER


def start() -> int:
    """When what is shown begins: 70 minutes before the test."""
    return began() // 60 * 60 - 4200


def shown() -> dict[str, int]:
    return {"from": start(), "to": start() + 600}


@pytest.fixture
async def fleet(app: RunningApp, admin) -> AsyncIterator[list[EnrolledDevice]]:
    """Two devices with ten minutes of readings, one of which has a name that is no markup."""
    devices = [await enroll(app, admin, name) for name in ("web-01", "<b>db</b>")]
    for place, device in enumerate(devices):
        answer = await device.send(*((start() + age, readings(age, place)) for age in range(0, 600, 10)))
        assert answer.json()["accepted"] == 60
    yield devices
    for device in devices:
        await device.client.aclose()


def readings(age: int, place: int) -> dict[str, float]:
    wave = 40 + 20 * math.sin(age / 90) + 15 * place
    cores = {f'cpu_core_usage_percent{{core="{core}"}}': wave + core for core in range(2)}
    return cores | {"cpu_usage_percent": wave, "network_receive_bytes_total": 2048.0 * age * (place + 1)}


@pytest.fixture
async def visitor(
    visit: Callable[..., Awaitable[Visitor]], admin_token: str, fleet: list[EnrolledDevice]
) -> AsyncIterator[Visitor]:
    """An administrator on a large screen."""
    assert admin_token
    assert fleet
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    yield visitor
    assert visitor.problems == []


def address(**state: object) -> str:
    return f"/explore?{urlencode(shown() | state, doseq=True)}"


def lines(page: Page):
    return page.locator("[data-legend] [data-line]")


def options(page: Page):
    return page.locator(".picker-option:visible")


async def saved_rows(page: Page) -> list[dict[str, str]]:
    async with page.expect_download() as found:
        await page.click("[data-csv]")
    return rows_of(await (await found.value).path())


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


async def test_a_metric_picked_by_completion_becomes_lines(visitor):
    page = visitor.page
    await visitor.open(address(step=60))
    await expect(page.locator("[data-empty-title]")).to_have_text("Pick a metric")
    await page.get_by_role("combobox", name="Metrics").press_sequentially("cpu usage")
    option = options(page).first
    await expect(option).to_contain_text("cpu_usage_percent")
    await expect(option).to_contain_text("percent")
    await page.keyboard.press("Enter")
    await expect(page.locator("[data-chart] canvas")).to_be_visible()
    await expect(lines(page)).to_have_count(2)
    await expect(page.locator("[data-explain-line]")).to_contain_text("2 series, 10 steps of 1 min")
    await expect(page.locator("[data-legend]")).to_contain_text("<b>db</b>")
    assert "metric=cpu_usage_percent" in page.url
    rows = await saved_rows(page)
    assert len(rows) == 20
    assert {row["device_name"] for row in rows} == {"web-01", "<b>db</b>"}
    assert rows[0]["time"].endswith(":00.000Z")
    await page.click("[data-view=table]")
    await expect(page.locator("[data-table] tbody tr")).to_have_count(2)


async def test_groups_aggregates_and_comparison(visitor):
    page = visitor.page
    await visitor.open(address(metric="cpu_core_usage_percent", by="", step=60, agg="max"))
    await expect(lines(page)).to_have_count(1)
    by = page.get_by_role("combobox", name="Group by")
    await by.fill("core")
    await expect(options(page)).to_have_text(["Label core"])
    await by.press("Enter")
    await expect(lines(page)).to_have_count(2)
    await page.select_option("#ask-compare", "1h")
    await expect(page.locator("[data-status]")).to_have_text("2 series")
    assert "by=label%3Acore" in page.url
    assert "compare=1h" in page.url


async def test_each_device_counts_once_across_devices(visitor):
    page = visitor.page
    await visitor.open(address(metric="cpu_core_usage_percent", by="device", step=60, agg="max"))
    await expect(lines(page)).to_have_count(2)
    await page.get_by_label("Across devices").select_option("Count of devices")
    await expect(page.locator("[data-status]")).to_have_text("1 series")
    assert "across=count" in page.url
    rows = await saved_rows(page)
    assert {(row["across"], row["value"]) for row in rows} == {("count", "2")}
    await page.get_by_label("Across devices").select_option("Highest device")
    await expect(page).to_have_url(re.compile("across=max"))
    by = page.get_by_role("combobox", name="Group by")
    await by.fill("device")
    await expect(options(page).first).to_have_text(re.compile("^Device"))
    await expect(options(page).first).to_have_attribute("aria-selected", "true")
    await by.press("Enter")
    await expect(page.locator("#ask-across")).to_have_attribute("aria-invalid", "true")
    await expect(page.locator("[data-panel=metrics] [data-errors]")).to_contain_text("leave `by=device` out")
    visitor.problems.clear()


async def test_compared_values_are_lines_of_their_own(visitor, fleet):
    await fleet[0].send(*((start() - 3600 + age, readings(age, 0)) for age in range(0, 600, 10)))
    page = visitor.page
    await visitor.open(address(metric="cpu_usage_percent", device=fleet[0].id, step=60, compare="1h"))
    await expect(lines(page)).to_have_count(2)
    await expect(page.locator(".legend-swatch.is-dashed")).to_have_count(1)
    await expect(lines(page).nth(1)).to_contain_text("an hour ago")
    rows = await saved_rows(page)
    assert [row["compared"] for row in rows] == [""] * 10 + ["1h"] * 10


async def test_the_same_address_opens_the_same_view(visitor, fleet):
    page = visitor.page
    await visitor.open(address(metric="network_receive_bytes_total", agg="rate", step=60))
    await expect(lines(page)).to_have_count(2)
    await page.click("[data-view=table]")
    first = page.locator("[data-table] tbody tr").first
    await expect(first).to_contain_text("<b>db</b>")
    await page.get_by_role("button", name="Group").click()
    await page.get_by_role("button", name="Group").click()
    await expect(first).to_contain_text("web-01")
    shown = await page.locator("[data-table] tbody").inner_text()
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(other.locator("[data-table] tbody tr")).to_have_count(2)
    assert await other.locator("[data-table] tbody").inner_text() == shown
    await expect(other.locator("#ask-agg")).to_have_value("rate")
    for _ in range(3):
        await page.go_back()
    await expect(page.locator("[data-chart] canvas")).to_be_visible()


async def test_errors_name_the_field(visitor):
    page = visitor.page
    await visitor.open(address(metric="cpu_usage_percent", agg="p101"))
    await expect(page.locator("#ask-metrics [data-errors]")).to_contain_text("Aggregate: one of avg")
    await expect(page.locator("#ask-agg")).to_have_attribute("aria-invalid", "true")
    await page.select_option("#ask-agg", "p95")
    await expect(page.locator("#ask-metrics [data-errors]")).to_be_hidden()
    await expect(lines(page)).to_have_count(2)
    visitor.problems.clear()


async def test_promql_completes_and_draws(visitor):
    page = visitor.page
    await visitor.open(address())
    await page.get_by_role("tab", name="PromQL").click()
    box = page.locator("#ask-query")
    await box.press_sequentially("sum by (inst")
    await expect(options(page)).to_have_text(["instancelabel"])
    await page.keyboard.press("Enter")
    await box.press_sequentially(") (cpu_core_usage_percent{co")
    await expect(options(page)).to_have_text(["corelabel"])
    await page.keyboard.press("Enter")
    await expect(options(page)).to_have_text(["0", "1"])
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await box.press_sequentially("})")
    assert await box.input_value() == 'sum by (instance) (cpu_core_usage_percent{core="1"})'
    await page.keyboard.press("Enter")
    await expect(lines(page)).to_have_count(2)
    assert "mode=promql" in page.url
    await page.select_option("[data-field=kind]", "instant")
    await expect(page.locator("[data-table] tbody tr")).to_have_count(2)
    await expect(page.locator("[data-table] th")).to_have_text(["Series", "Value"])


async def test_promql_shows_the_place_of_an_error(visitor):
    page = visitor.page
    await visitor.open(address(mode="promql", query="sum(cpu_usage_percent) + rate(cpu_usage_percent)"))
    error = page.locator("#promql-error")
    await expect(error).to_contain_text("expected type range vector")
    await expect(error).to_contain_text("characters 26 to 29")
    await expect(page.locator("[data-wrong]")).to_have_text("rate")
    await page.fill("#ask-query", "sum(cpu_usage_percent)")
    await expect(page.locator("[data-wrong]")).to_have_count(0)
    await page.click("#ask-promql button[type=submit]")
    await expect(lines(page)).to_have_count(1)
    visitor.problems.clear()


async def test_dragging_zooms_and_a_click_hides_a_line(visitor):
    page = visitor.page
    await visitor.open(address(metric="cpu_usage_percent", step=10))
    await expect(lines(page)).to_have_count(2)
    # The number of unread notifications has come: htmx has marked the page as one that it may bring back.
    await page.wait_for_function("history.state?.htmx")
    await lines(page).first.click()
    await expect(lines(page).first).to_have_attribute("aria-pressed", "false")
    box = await page.locator("[data-chart] .u-over").bounding_box()
    before = page.url
    await page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 50, steps=4)
    await page.mouse.up()
    await page.wait_for_url(lambda url: url != before)
    await expect(page.locator("[data-explain-line]")).to_contain_text("18 steps")
    brought_back: list[str] = []
    page.on(
        "request",
        lambda asked: (
            brought_back.append(asked.url) if "hx-history-restore-request" in asked.headers else None
        ),
    )
    await page.go_back()
    await expect(page.locator("[data-explain-line]")).to_contain_text("60 steps")
    assert not brought_back


async def test_keys_alone_are_enough(visitor):
    page = visitor.page
    await visitor.open(address())
    await page.focus("#tab-metrics")
    await page.keyboard.press("ArrowRight")
    await expect(page.locator("#ask-promql")).to_be_visible()
    await expect(page.locator("#tab-promql")).to_be_focused()
    await page.keyboard.press("ArrowLeft")
    await page.get_by_role("combobox", name="Devices", exact=True).press_sequentially("db")
    await expect(options(page)).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.get_by_role("combobox", name="Metrics").press_sequentially("receive_bytes")
    await expect(options(page).first).to_contain_text("network_receive_bytes_total")
    await page.keyboard.press("Enter")
    await expect(lines(page)).to_have_text(["<b>db</b>4.00 KiB/s"])
    await page.keyboard.type("cpu_usage")
    await expect(options(page).first).to_contain_text("cpu_usage_percent")
    await page.keyboard.press("Enter")
    await expect(lines(page)).to_have_count(2)
    await page.keyboard.press("Backspace")
    await expect(lines(page)).to_have_count(1)
    await page.keyboard.press("Backspace")
    await expect(page.locator("[data-empty-title]")).to_have_text("Pick a metric")


async def test_the_page_asks_again_while_it_follows_the_present(visitor, fleet):
    page = visitor.page
    await page.clock.install()
    await visitor.open("/explore?metric=cpu_usage_percent&range=5m&refresh=10")
    await expect(page.locator("[data-empty-title]")).to_have_text("No values in this range")
    await fleet[0].send((time.time(), {"cpu_usage_percent": 12.0}))
    await page.clock.fast_forward(11_000)
    await expect(lines(page)).to_have_text(["web-0112 %"])


async def test_it_fits_a_phone(visit, admin_token, fleet):
    assert admin_token
    assert fleet
    visitor = await visit("phone", "dark")
    await visitor.sign_in("admin", PASSWORD)
    for mode in (
        {"metric": ["cpu_usage_percent", "network_receive_bytes_total"]},
        {"mode": "promql", "query": "cpu_usage_percent"},
    ):
        await visitor.open(address(**mode))
        await expect(lines(visitor.page).first).to_be_visible()
        assert await visitor.is_within_its_width()
    assert visitor.problems == []


async def test_metrics_of_integrations_are_offered(visitor, admin):
    line = f"greenhouse,host=gh1,zone=a temperature=21.5 {start() + 60}"
    assert (await admin.post("/influx/write?precision=s", content=line)).status_code == 204
    page = visitor.page
    await visitor.open(address(step=60))
    await page.get_by_role("combobox", name="Metrics").press_sequentially("temp")
    await expect(options(page).filter(has_text="greenhouse_temperature")).to_have_count(1)
    await page.get_by_role("combobox", name="Metrics").fill("green")
    await expect(options(page).first).to_contain_text("greenhouse_temperature")


async def test_two_devices_of_one_name_are_told_apart(visitor, app, admin):
    twin = await enroll(app, admin, "web-01")
    await twin.send(*((start() + age, readings(age, 3)) for age in range(0, 600, 10)))
    end = f"(…{twin.id[-6:]})"
    for state in (
        {"metric": "cpu_usage_percent", "by": "device"},
        {"mode": "promql", "query": "cpu_usage_percent"},
    ):
        await visitor.open(address(step=60, **state))
        await expect(lines(visitor.page)).to_have_count(3)
        await expect(lines(visitor.page).filter(has_text="web-01").filter(has_text="(…")).to_have_count(2)
        await expect(lines(visitor.page).filter(has_text=end)).to_have_count(1)
    await twin.client.aclose()
