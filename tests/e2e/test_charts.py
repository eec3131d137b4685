"""The charts' engine in a real browser: tooltip, nearest line, ended series, thresholds, annotations, many lines."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.factories.dashboards import a_dashboard, a_definition, a_panel, fleet_query
from tests.fixtures.began import began
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

pytestmark = NEEDS_BROWSER

CORES = 13
# How the console writes that there is no value.
NONE = "\N{EN DASH}"
# The second of them ends in the middle of what is shown.
LEVELS = {"high": 80.0, "ended": 50.0, "low": 20.0}
HAS_COLOR = """
(canvas, [variable, along]) => {
  const probe = document.createElement("canvas").getContext("2d");
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(variable).trim();
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const counts = new Array(along === "row" ? height : width).fill(0);
  for (let at = 0; at < data.length; at += 4) {
    if (Math.abs(data[at] - red) + Math.abs(data[at + 1] - green) + Math.abs(data[at + 2] - blue) > 12) continue;
    counts[along === "row" ? Math.floor(at / 4 / width) : (at / 4) % width] += 1;
  }
  return Math.max(...counts);
}
"""


def start() -> int:
    """When what is shown begins: 70 minutes before the test."""
    return began() // 60 * 60 - 4200


def shown() -> str:
    return f"from={start()}&to={start() + 600}"


def readings(age: int, name: str) -> dict[str, float]:
    cores = {f'cpu_core_usage_percent{{core="{core}"}}': 5.0 + core * 7 for core in range(CORES)}
    return cores | {
        "cpu_usage_percent": LEVELS[name],
        "cpu_user_percent": LEVELS[name] / 2,
        "cpu_system_percent": 4.0,
    }


@pytest.fixture
async def fleet(app: RunningApp, admin) -> AsyncIterator[list[EnrolledDevice]]:
    """Three devices with constant readings; one of them fell silent after five minutes."""
    devices = []
    for name in LEVELS:
        device = await enroll(app, admin, name)
        ages = range(0, 300 if name == "ended" else 600, 10)
        await device.send(*((start() + age, readings(age, name)) for age in ages))
        devices.append(device)
    yield devices
    for device in devices:
        await device.client.aclose()


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


def explore(**more: str) -> str:
    extra = "".join(f"&{name}={value}" for name, value in more.items())
    return f"/explore?metric=cpu_usage_percent&step=10&{shown()}{extra}"


async def point(page: Page, plot: Locator, across: float, down: float) -> None:
    """Put the pointer at a share of the plot."""
    await plot.scroll_into_view_if_needed()
    box = await plot.bounding_box()
    assert box
    await page.mouse.move(box["x"] + box["width"] * across, box["y"] + box["height"] * down, steps=3)


async def longest(canvas: Locator, variable: str, along: str) -> int:
    """The most pixels of a color in one row or column of the canvas."""
    return await canvas.evaluate(HAS_COLOR, [variable, along])


def tooltip(page: Page) -> Locator:
    return page.locator(".chart-tooltip")


async def test_the_tooltip_lists_values_largest_first_and_marks_the_nearest_line(visitor):
    page = visitor.page
    await visitor.open(explore())
    await expect(page.locator("[data-legend] [data-line]")).to_have_count(3)
    plot, canvas = page.locator("[data-chart] .u-over"), page.locator("[data-chart] canvas")
    rows = tooltip(page).locator("p")
    near = page.locator("[data-legend] .is-near")
    # The scale ends at 8 % above the largest value.
    await point(page, plot, 0.25, 1 - 20 / 86.4 - 0.05)
    await expect(rows).to_have_text(["high80 %", "ended50 %", "low20 %"])
    await expect(tooltip(page).locator(".is-near")).to_have_text("low20 %")
    await expect(near).to_have_text("low20 %")
    drawn = await canvas.evaluate("canvas => canvas.toDataURL()")
    await point(page, plot, 0.25, 1 - 80 / 86.4 + 0.05)
    await expect(near).to_have_text("high80 %")
    assert await canvas.evaluate("canvas => canvas.toDataURL()") != drawn
    await page.mouse.move(5, 5)
    await expect(tooltip(page)).to_be_hidden()
    await expect(near).to_have_count(0)


async def test_a_series_that_has_ended_has_no_value(visitor):
    page = visitor.page
    await visitor.open(explore())
    ended = page.locator("[data-legend] [data-line]", has_text="ended")
    await expect(ended).to_have_text("ended" + NONE)
    await point(page, page.locator("[data-chart] .u-over"), 0.75, 0.4)
    await expect(tooltip(page).locator("p")).to_have_text(["high80 %", "low20 %", "ended" + NONE])
    await point(page, page.locator("[data-chart] .u-over"), 0.25, 0.4)
    await expect(ended).to_have_text("ended50 %")


async def test_a_hidden_line_is_not_in_the_tooltip(visitor):
    page = visitor.page
    await visitor.open(explore())
    await page.locator("[data-legend] [data-line]", has_text="high").focus()
    await page.keyboard.press("Enter")
    await point(page, page.locator("[data-chart] .u-over"), 0.25, 0.4)
    await expect(tooltip(page).locator("p")).to_have_text(["ended50 %", "low20 %"])


async def test_more_lines_than_colors_differ_by_dashes(visitor, fleet):
    page = visitor.page
    await visitor.open(
        f"/explore?metric=cpu_core_usage_percent&by=label:core&device={fleet[0].id}&step=10&{shown()}"
    )
    swatches = page.locator("[data-legend] .legend-swatch")
    await expect(swatches).to_have_count(CORES)
    looks = await swatches.evaluate_all(
        "all => all.map(one => getComputedStyle(one).stroke + ' ' + one.firstChild.getAttribute('stroke-dasharray'))"
    )
    assert len(set(looks)) == CORES


async def test_thresholds_are_lines_of_their_tone(visitor, admin):
    levels = [{"value": 60, "level": "warning"}, {"value": 70, "level": "critical"}]
    panel = a_panel(fleet_query(), title="Limits", thresholds=levels)
    await admin.post("/api/v1/dashboards", json=a_dashboard("Limits", definition=a_definition(panel)))
    page = visitor.page
    await visitor.open(f"/dashboards/limits?{shown()}")
    canvas = page.get_by_role("article", name="Limits").locator("canvas")
    await expect(canvas).to_be_visible()
    # Dashes of four pixels with gaps of three.
    for variable in ("--fk-warn-mark", "--fk-bad-mark"):
        assert await longest(canvas, variable, "row") > 100, variable


async def test_annotations_are_drawn_and_told(visitor):
    page = visitor.page
    await visitor.open(explore())
    canvas = page.locator("[data-chart] canvas")
    await expect(canvas).to_be_visible()
    assert await longest(canvas, "--fk-bad-mark", "column") < 20
    marks = [
        {"from": start() + 150, "title": "Disk full", "tone": "critical"},
        {"from": start() + 400, "to": start() + 500, "title": "Maintenance"},
    ]
    await page.evaluate(
        "marks => document.dispatchEvent(new CustomEvent('annotations', { detail: { source: 'test', marks } }))",
        marks,
    )
    await page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
    assert await longest(canvas, "--fk-bad-mark", "column") > 100
    plot = page.locator("[data-chart] .u-over")
    await point(page, plot, 0.25, 0.4)
    await expect(tooltip(page).locator(".chart-tooltip-mark")).to_have_text(["Disk full"])
    await point(page, plot, 0.75, 0.4)
    await expect(tooltip(page).locator(".chart-tooltip-mark")).to_have_text(["Maintenance"])
    await point(page, plot, 0.5, 0.4)
    await expect(tooltip(page).locator(".chart-tooltip-mark")).to_have_count(0)


async def test_charts_of_a_device_share_the_crosshair(visitor, fleet):
    page = visitor.page
    await visitor.open(f"/devices/{fleet[0].id}?{shown()}")
    await expect(page.locator("#panel-cpu canvas")).to_be_visible()
    await page.locator("#panel-cores").scroll_into_view_if_needed()
    await expect(page.locator("#panel-cores canvas")).to_be_visible()
    await point(page, page.locator("#panel-cpu .u-over"), 0.5, 0.5)
    await expect(tooltip(page).locator("p")).to_have_text(["User40 %", "System4.0 %"])
    await expect(page.locator("#panel-cores .cursor-time")).to_be_visible()
    here, there = (page.locator(f"#panel-{name} .cursor-time") for name in ("cpu", "cores"))
    assert await here.inner_text() == await there.inner_text()


async def test_a_live_sample_joins_the_chart_that_is_there(visitor, fleet):
    page = visitor.page
    now = time.time()
    await fleet[0].send(*((now - age, readings(age, "high")) for age in range(60, 0, -5)))
    await visitor.open(f"/devices/{fleet[0].id}?range=5m")
    canvas = page.locator("#panel-cpu canvas")
    await expect(page.locator("#panel-cpu .legend-item").first).to_have_text("User40 %")
    await expect(page.locator("[data-live]")).to_have_attribute("data-state", "open")
    await canvas.evaluate("canvas => { canvas.dataset.same = 'yes'; }")
    await fleet[0].send((time.time(), readings(0, "high") | {"cpu_user_percent": 71.0}))
    await expect(page.locator("#panel-cpu .legend-item").first).to_have_text("User71 %")
    await expect(canvas).to_have_attribute("data-same", "yes")
