"""Dashboards in a real browser: made out of Explore, changed, chosen, shared by address, written as JSON."""

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import expect

from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.factories.dashboards import a_dashboard
from tests.fixtures.began import began
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

pytestmark = NEEDS_BROWSER


def start() -> int:
    """When what is shown begins: 70 minutes before the test."""
    return began() // 60 * 60 - 4200


def shown() -> str:
    return f"from={start()}&to={start() + 600}"


@pytest.fixture
async def fleet(app: RunningApp, admin) -> AsyncIterator[list[EnrolledDevice]]:
    """Two devices with ten minutes of readings."""
    devices = [await enroll(app, admin, name) for name in ("web-01", "<b>db</b>")]
    for place, device in enumerate(devices):
        frames = [(start() + age, readings(age, place)) for age in range(0, 600, 10)]
        assert (await device.send(*frames)).json()["accepted"] == 60
    yield devices
    for device in devices:
        await device.client.aclose()


def readings(age: int, place: int) -> dict[str, float]:
    wave = 40 + 20 * math.sin(age / 90) + 15 * place
    return {"cpu_usage_percent": wave, "memory_usage_percent": 50.0 + place}


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


def panel(page, title: str):
    return page.get_by_role("article", name=title, exact=True)


def lines(page, title: str):
    return panel(page, title).locator("[data-line]")


async def test_from_explore_to_a_shared_address(visitor, fleet):
    page = visitor.page
    await visitor.open(f"/explore?{shown()}&metric=cpu_usage_percent&step=60")
    await page.click("[data-save-panel]")
    await page.fill("#save-name", "Web & db")
    await page.fill("#save-title", "Processors")
    await page.click("#save-panel button[type=submit]")
    await page.wait_for_url("**/dashboards/web-db?**")
    await expect(panel(page, "Processors").locator("canvas")).to_be_visible()
    await expect(lines(page, "Processors")).to_have_count(2)
    # A variable and a second panel, by forms.
    await page.click("[data-edit]")
    await page.click("[data-settings]")
    await page.get_by_role("button", name="Add variable").click()
    await page.get_by_label("Name in queries").fill("machine")
    await page.get_by_label("Title", exact=True).fill("Machine")
    await page.get_by_role("button", name="Apply").click()
    await page.get_by_role("button", name="Edit Processors").click()
    await page.get_by_role("combobox", name="Devices", exact=True).press_sequentially("$mach")
    await expect(page.locator(".picker-option:visible")).to_have_count(1)
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Apply").click()
    await page.click("[data-add-panel]")
    form = page.locator("dialog.board-dialog")
    await form.get_by_label("Title", exact=True).fill("Memory now")
    await form.get_by_label("Shown as").select_option("stat")
    await form.get_by_label("Language of query 1").select_option("promql")
    await form.get_by_label("Query", exact=True).fill("max(memory_usage_percent)")
    # Until the query is there, the preview shows that of a new panel: a figure for each device.
    await expect(form.locator("[data-form-preview] .stat")).to_have_count(1)
    await expect(form.locator("[data-form-preview] .stat")).to_contain_text("51")
    await form.get_by_role("button", name="Apply").click()
    await page.click("[data-save]")
    await expect(page.locator("[data-view-actions]")).to_be_visible()
    await expect(lines(page, "Memory now")).to_contain_text("51")
    # What is chosen stands in the address, and whoever has it sees the same.
    machine = page.locator("[data-picker=machine]").get_by_role("combobox")
    await machine.press_sequentially("web")
    await expect(page.locator(".picker-option:visible")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(lines(page, "Processors")).to_have_count(1)
    assert f"var-machine={fleet[0].id}" in page.url
    other = await page.context.new_page()
    await other.goto(page.url)
    await expect(lines(other, "Processors")).to_have_count(1)
    await expect(lines(other, "Processors")).to_contain_text("web-01")
    await expect(other.locator("[data-picker=machine] .chip")).to_contain_text("web-01")
    await page.go_back()
    await expect(lines(page, "Processors")).to_have_count(2)
    await page.reload()
    await expect(lines(page, "Processors")).to_have_count(2)
    assert (
        await panel(page, "Processors")
        .get_by_role("link", name="Open Processors in Explore")
        .get_attribute("href")
        == f"/explore?metric=cpu_usage_percent&agg=avg&by=device&top=20&step=60&{shown()}"
    )


async def test_json_shows_faults_at_their_place(visitor, admin):
    await admin.post("/api/v1/dashboards", json=a_dashboard("Written"))
    page = visitor.page
    await visitor.open(f"/dashboards/written?{shown()}&edit=1")
    await page.click("#tab-json")
    text = page.locator("#board-json-text")
    right = await text.input_value()
    wrong = right.replace('"agg": "avg"', '"agg": "middle"')
    await text.fill(wrong)
    fault = page.locator("[data-json-errors] button")
    await expect(fault).to_contain_text("rows[0].panels[0].queries[0].agg")
    line = wrong[: wrong.index('"middle"')].count("\n") + 1
    await expect(fault).to_contain_text(f"Line {line},")
    await fault.click()
    chosen = await text.evaluate("node => node.value.slice(node.selectionStart, node.selectionEnd)")
    assert chosen == '"middle"'
    await text.fill("{")
    await expect(fault).to_contain_text("Line 1")
    changed = json.loads(right)
    changed["rows"][0]["panels"][0]["title"] = "By hand"
    await text.fill(json.dumps(changed, indent=2))
    await expect(page.locator("[data-json-status]")).to_have_text("Right")
    await page.click("[data-save]")
    await expect(lines(page, "By hand")).to_have_count(2)
    visitor.problems.clear()


async def test_a_change_in_between_is_noticed(visitor, admin):
    made = (await admin.post("/api/v1/dashboards", json=a_dashboard("Both"))).json()
    page = visitor.page
    await visitor.open(f"/dashboards/both?{shown()}&edit=1")
    await page.get_by_label("Title of row 1").fill("Mine")
    await admin.put(f"/api/v1/dashboards/{made['id']}", json=a_dashboard("Theirs"))
    await page.click("[data-save]")
    dialog = page.get_by_role("dialog", name="Changed in the meantime")
    await expect(dialog).to_contain_text("admin saved this dashboard in the meantime")
    await dialog.get_by_role("button", name="Save mine as a copy").click()
    await page.wait_for_url("**/dashboards/both-mine")
    await expect(page.locator(".board-heading")).to_have_text("Mine")
    assert (await admin.get("/api/v1/dashboards/both")).json()["name"] == "Theirs"
    visitor.problems.clear()


async def test_one_that_is_gone_meanwhile_is_told(visitor, admin):
    made = (await admin.post("/api/v1/dashboards", json=a_dashboard("Gone"))).json()
    page = visitor.page
    await visitor.open(f"/dashboards/gone?{shown()}&edit=1")
    await page.get_by_label("Title of row 1").fill("Mine")
    await admin.put(f"/api/v1/dashboards/{made['id']}", json=a_dashboard("Theirs"))
    await page.click("[data-save]")
    dialog = page.get_by_role("dialog", name="Changed in the meantime")
    await expect(dialog).to_be_visible()
    await admin.delete(f"/api/v1/dashboards/{made['id']}")
    await dialog.get_by_role("button", name="Replace theirs with mine").click()
    await expect(page.locator("#toasts")).to_contain_text("There is no such dashboard.")
    await expect(page.get_by_label("Title of row 1")).to_have_value("Mine")
    visitor.problems.clear()


async def test_saving_twice_at_once_is_one_change(visitor, admin):
    await admin.post("/api/v1/dashboards", json=a_dashboard("Hasty"))
    page = visitor.page
    await visitor.open(f"/dashboards/hasty?{shown()}&edit=1")
    await page.get_by_label("Title of row 1").fill("Mine")
    await page.eval_on_selector("[data-save]", "button => { button.click(); button.click(); }")
    await expect(page.locator("[data-view-actions]")).to_be_visible()
    await expect(page.get_by_role("dialog", name="Changed in the meantime")).to_have_count(0)
    assert (await admin.get("/api/v1/dashboards/hasty")).json()["version"] == 2


async def test_made_imported_and_deleted_from_the_list(visitor, admin):
    page = visitor.page
    await visitor.open("/dashboards")
    await page.click("[data-open-dialog='#import-dashboard']")
    document = (await admin.get("/api/v1/dashboards/built-in-server/export")).text
    file = {"name": "servers.json", "mimeType": "application/json", "buffer": document.encode()}
    await page.set_input_files("#import-file", file)
    await expect(page.locator("#import-text")).to_have_value(document)
    await page.click("#import-dashboard button[type=submit]")
    await page.wait_for_url("**/dashboards/servers")
    await expect(page.locator("h1")).to_have_text("Servers")
    await visitor.open("/dashboards")
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), asyncio.ensure_future(dialog.accept())))
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("heading", name="No saved dashboards yet")).to_be_visible()
    assert "Links to it stop working" in asked[0]


async def test_the_built_in_ones_show_data_and_fit_a_phone(visit, admin_token, fleet):
    assert admin_token
    visitor = await visit("phone", "dark")
    await visitor.sign_in("admin", PASSWORD)
    for slug in ("built-in-fleet", "built-in-server"):
        await visitor.open(f"/dashboards/{slug}?{shown()}")
        await expect(panel(visitor.page, "CPU").locator("[data-line]")).to_have_count(1)
        assert await visitor.is_within_its_width()
    silent = panel(visitor.page, "Temperature")
    await silent.scroll_into_view_if_needed()
    await expect(silent).to_contain_text("where the machine has sensors")
    await visitor.open("/dashboards")
    assert await visitor.is_within_its_width()
    assert visitor.problems == []


async def test_a_form_that_is_sent_twice_makes_one(visitor, admin):
    page = visitor.page
    await visitor.open("/dashboards")
    await page.click("[data-open-dialog='#new-dashboard']")
    await page.fill("#new-dashboard input[name=name]", "Twice")
    await page.dblclick("#new-dashboard button[type=submit]")
    await page.wait_for_url("**/dashboards/twice?edit=1")
    listed = (await admin.get("/api/v1/dashboards", params={"q": "Twice"})).json()["results"]
    assert [one["slug"] for one in listed] == ["twice"]


async def test_figures_say_whether_they_are_of_now(visitor, app, fleet):
    """The fleet's dashboard and the overview name the same device as the busiest, in the same minute."""
    now = time.time()
    for device, before, newest in zip(fleet, (95.0, 10.0), (5.0, 90.0), strict=True):
        frames = [(now - age, {"cpu_usage_percent": before}) for age in range(400, 3600, 60)]
        await device.send(*frames, (now, {"cpu_usage_percent": newest}))
    await app.state.door.freshness._try_flush()
    page = visitor.page
    await visitor.open("/dashboards/built-in-fleet?range=6h")
    highest, mean = panel(page, "Highest CPU"), panel(page, "Highest mean CPU")
    await highest.scroll_into_view_if_needed()
    await expect(highest.locator(".board-aggregate")).to_have_text("now")
    await expect(mean.locator(".board-aggregate")).to_have_text("mean over 6 h")
    await expect(lines(page, "Highest CPU").first).to_contain_text("<b>db</b>")
    await expect(lines(page, "Highest CPU").first).to_contain_text("90 %")
    await expect(lines(page, "Highest mean CPU").first).to_contain_text("web-01")
    # The overview leaves out who was silent while this browser was slow.
    for device, newest in zip(fleet, (5.0, 90.0), strict=True):
        await device.send((time.time(), {"cpu_usage_percent": newest}))
    await app.state.door.freshness._try_flush()
    await visitor.open("/")
    busiest = page.locator("tr", has=page.locator("[id^=cpu-]")).first
    await expect(busiest).to_contain_text("<b>db</b>")
    await expect(busiest).to_contain_text("90 %")
    await visitor.open(f"/dashboards/built-in-fleet?{shown()}")
    await panel(page, "Highest CPU").scroll_into_view_if_needed()
    await expect(panel(page, "Highest CPU").locator(".board-aggregate")).to_contain_text("at ")
