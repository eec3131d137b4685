"""Editing a dashboard in a real browser: panels dragged, sized, moved by keys, copied; a preview beside their form."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.browsers import NEEDS_BROWSER, Visitor
from tests.factories.dashboards import a_dashboard, a_definition, a_panel
from tests.fixtures.began import began
from tests.fixtures.client import PASSWORD, EnrolledDevice, RunningApp, enroll

pytestmark = NEEDS_BROWSER

FIELDS = ("x", "y", "width", "height")


def start() -> int:
    """When what is shown begins: 70 minutes before the test."""
    return began() // 60 * 60 - 4200


def shown() -> str:
    return f"from={start()}&to={start() + 600}"


@pytest.fixture
async def device(app: RunningApp, admin) -> AsyncIterator[EnrolledDevice]:
    """A device with ten minutes of readings."""
    device = await enroll(app, admin, "web-01")
    values = {"cpu_usage_percent": 40.0, "memory_usage_percent": 60.0}
    await device.send(*((start() + age, values) for age in range(0, 600, 10)))
    yield device
    await device.client.aclose()


@pytest.fixture
async def visitor(
    visit: Callable[..., Awaitable[Visitor]], admin_token: str, device: EnrolledDevice
) -> AsyncIterator[Visitor]:
    """An administrator on a large screen. A breach of the content security policy is an error in the browser's log."""
    assert admin_token
    assert device
    visitor = await visit()
    await visitor.sign_in("admin", PASSWORD)
    yield visitor
    assert visitor.problems == []


@pytest.fixture
async def board(admin) -> str:
    """A dashboard of two rows: three panels and one."""
    rows = [
        {"title": "First", "panels": [a_panel(title=name) for name in ("CPU", "Memory", "Disks")]},
        {"title": "Second", "panels": [a_panel(title="Network")]},
    ]
    await admin.post("/api/v1/dashboards", json=a_dashboard("Board", definition=a_definition(rows=rows)))
    return f"/dashboards/board?{shown()}"


def panel(page: Page, title: str) -> Locator:
    return page.get_by_role("article", name=title, exact=True)


def handle(page: Page, title: str) -> Locator:
    return page.get_by_role("button", name=f"Move or resize {title}")


async def box(locator: Locator) -> dict[str, float]:
    found = await locator.bounding_box()
    assert found
    return dict(found)


async def drag(page: Page, what: Locator, across: float, down: float) -> None:
    """Take something in its middle and put it elsewhere, by pixels."""
    await what.scroll_into_view_if_needed()
    here = await box(what)
    x, y = here["x"] + here["width"] / 2, here["y"] + here["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + across / 2, y + down / 2, steps=8)
    await page.mouse.move(x + across, y + down, steps=8)
    await page.mouse.up()


async def save(page: Page) -> None:
    await page.click("[data-save]")
    await expect(page.locator("[data-view-actions]")).to_be_visible()


async def stored(admin) -> list[dict[str, tuple[int, ...]]]:
    """The places of the panels as they are stored, row by row."""
    found: dict[str, Any] = (await admin.get("/api/v1/dashboards/board")).json()
    return [
        {one["title"]: tuple(one[name] for name in FIELDS) for one in row["panels"]}
        for row in found["definition"]["rows"]
    ]


async def test_panels_are_dragged_and_sized_and_stay_there(visitor, admin, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    await expect(page.locator(".grid-stack-item")).to_have_count(4)
    across = (await box(panel(page, "Disks")))["width"] + 12
    await drag(page, panel(page, "Disks").locator("h3"), across, 10)
    edge = page.locator(".grid-stack-item", has=panel(page, "CPU")).locator(".ui-resizable-se")
    # A quarter of the row is half a panel; a line of the grid is 40 pixels.
    await drag(page, edge, -across / 2, 80)
    await save(page)
    first, second = await stored(admin)
    assert first == {"CPU": (0, 0, 3, 10), "Memory": (6, 0, 6, 8), "Disks": (6, 8, 6, 8)}
    assert second == {"Network": (None, None, 6, None)}
    seen = {name: await box(panel(page, name)) for name in first}
    await page.reload()
    await expect(panel(page, "CPU").locator("canvas")).to_be_visible()
    assert {name: await box(panel(page, name)) for name in first} == seen
    assert seen["CPU"]["height"] == 10 * 40 - 12
    assert seen["Disks"]["y"] > seen["Memory"]["y"]


async def test_a_panel_is_dragged_into_another_row(visitor, admin, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    await page.set_viewport_size({"width": 1440, "height": 1500})
    await expect(panel(page, "Network").locator("canvas")).to_be_visible()
    here, there = await box(panel(page, "Disks")), await box(panel(page, "Network"))
    down = there["y"] - here["y"] + 40
    await drag(page, panel(page, "Disks").locator("h3"), there["width"] + 12, down)
    await expect(page.get_by_role("button", name="Remove the row with its 2 panels")).to_have_count(2)
    await expect(panel(page, "Disks").locator("canvas")).to_be_visible()
    await save(page)
    first, second = await stored(admin)
    assert sorted(first) == ["CPU", "Memory"]
    assert second["Disks"][:2] == (6, 0)


async def test_keys_move_and_size_panels(visitor, admin, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    await handle(page, "CPU").press("ArrowRight")
    await expect(handle(page, "CPU")).to_be_focused()
    for key in ("Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp"):
        await page.keyboard.press(key)
    await expect(page.get_by_text("Column 7, line 1, 4 columns wide, 7 lines high")).to_be_attached()
    await handle(page, "Disks").press("ArrowDown")
    await page.get_by_role("button", name="Duplicate Network").press("Enter")
    await page.locator("[data-add-row]").scroll_into_view_if_needed()
    await expect(page.locator("[data-save]")).to_be_in_viewport(ratio=1)
    await expect(panel(page, "Network")).to_have_count(2)
    await page.get_by_role("button", name="Remove Network").first.press("Enter")
    await page.keyboard.press("Control+s")
    await expect(page.locator("[data-view-actions]")).to_be_visible()
    first, second = await stored(admin)
    assert first == {"Memory": (0, 0, 6, 8), "CPU": (6, 0, 4, 7)}
    assert second["Disks"][:2] == (0, 0)
    assert second["Network"][1] > 0


async def test_discarding_puts_panels_back(visitor, admin, board):
    page = visitor.page
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "editor" in request.url else None)
    await visitor.open(board)
    await expect(panel(page, "CPU").locator("canvas")).to_be_visible()
    before = await box(panel(page, "CPU"))
    # The grid's script and styles are for those who edit.
    assert not loaded
    await page.click("[data-edit]")
    await handle(page, "CPU").press("ArrowRight")
    page.once("dialog", lambda dialog: dialog.accept())
    await page.click("[data-discard]")
    await expect(page.locator("[data-view-actions]")).to_be_visible()
    assert await box(panel(page, "CPU")) == before
    assert "edit=" not in page.url
    assert len(loaded) == 2
    assert (await admin.get("/api/v1/dashboards/board")).json()["version"] == 1


async def test_a_duplicate_is_stored_when_it_is_saved(visitor, admin, board):
    page = visitor.page
    await visitor.open(board)
    await page.click("[data-duplicate]")
    await expect(page.locator("h1")).to_have_text("Board (copy)")
    await expect(page.get_by_text("Copy, not saved yet")).to_be_visible()
    assert (await admin.get("/api/v1/dashboards")).json()["count"] == 1
    await page.click("[data-discard]")
    await expect(page.locator("h1")).to_have_text("Board")
    assert (await admin.get("/api/v1/dashboards")).json()["count"] == 1
    await page.click("[data-duplicate]")
    await page.get_by_label("Title of row 1").fill("Mine")
    await page.click("[data-save]")
    await page.wait_for_url("**/dashboards/board-copy")
    await expect(page.locator(".board-heading").first).to_have_text("Mine")
    assert (await admin.get("/api/v1/dashboards")).json()["count"] == 2
    assert (await admin.get("/api/v1/dashboards/board")).json()["version"] == 1


async def test_a_copy_of_a_built_in_dashboard_is_not_built_in(visitor):
    page = visitor.page
    await visitor.open(f"/dashboards/built-in-other?{shown()}")
    built_in = page.get_by_text("Built in", exact=True)
    await expect(built_in).to_be_visible()
    await page.click("[data-duplicate]")
    await expect(page.get_by_text("Copy, not saved yet")).to_be_visible()
    await expect(built_in).to_be_hidden()
    await page.click("[data-discard]")
    await expect(built_in).to_be_visible()


async def test_the_preview_follows_the_form(visitor, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    await page.get_by_role("button", name="Edit CPU").click()
    form = page.get_by_role("dialog", name="Panel")
    preview = form.get_by_role("group", name="Preview")
    await expect(preview.locator("[data-line]")).to_have_text(["web-0140 %"])
    asked: list[str] = []
    page.on(
        "request", lambda request: asked.append(request.url) if "dashboards/query" in request.url else None
    )
    await form.get_by_label("Title", exact=True).fill("Load of the web")
    await expect(preview.get_by_role("heading", name="Load of the web")).to_be_visible()
    await form.get_by_role("button", name="Add threshold").click()
    await form.get_by_label("Value of threshold 1").fill("30")
    await form.get_by_label("Tone of threshold 1").select_option("critical")
    assert not asked
    # What changes the question is asked; what is wrong with it stands where the picture was.
    await form.get_by_label("Language of query 1").select_option("promql")
    await form.get_by_label("Query", exact=True).fill("max(memory_usage_percent")
    await expect(preview.locator(".panel-message")).to_contain_text("queries[0].query")
    await expect(form.get_by_label("Query", exact=True)).to_have_attribute("aria-invalid", "true")
    await form.get_by_label("Query", exact=True).fill("max(memory_usage_percent)")
    await form.get_by_label("Shown as").select_option("stat")
    await expect(preview.locator(".stat-value.is-critical")).to_have_text("60")
    visitor.problems.clear()


async def test_the_form_shows_its_preview_and_its_buttons_at_any_place(visitor, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    for width, is_beside in ((1440, True), (1000, False), (390, False)):
        await page.set_viewport_size({"width": width, "height": 844})
        await page.get_by_role("button", name="Edit CPU").click()
        form = page.get_by_role("dialog", name="Panel")
        preview, apply = form.get_by_role("group", name="Preview"), form.get_by_role("button", name="Apply")
        await expect(preview.locator("canvas")).to_be_visible()
        await form.locator("summary", has_text="Display").click()
        await form.get_by_label("No-data hint").scroll_into_view_if_needed()
        for part in (preview, apply):
            await expect(part).to_be_in_viewport(ratio=1)
        fields = await box(form.locator(".board-fields"))
        shown_at = await box(preview)
        assert (shown_at["x"] >= fields["x"] + fields["width"]) is is_beside, width
        assert await visitor.is_within_its_width()
        await form.get_by_role("button", name="Cancel").click()


async def test_a_threshold_without_a_number_is_told_at_its_row(visitor, board):
    page = visitor.page
    await visitor.open(f"{board}&edit=1")
    await page.get_by_role("button", name="Edit CPU").click()
    form = page.get_by_role("dialog", name="Panel")
    await form.get_by_role("button", name="Add threshold").click()
    await form.get_by_role("button", name="Apply").click()
    await expect(form.get_by_label("Value of threshold 1")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_role("alert")).to_contain_text("thresholds[0].value")
    await form.get_by_role("button", name="Remove threshold 1").click()
    await form.get_by_role("button", name="Apply").click()
    await expect(form).to_have_count(0)
    visitor.problems.clear()


async def test_a_phone_has_one_column_and_nothing_to_drag(visit, admin_token, admin, device, board):
    assert admin_token
    assert device
    visitor = await visit("phone", "dark")
    await visitor.sign_in("admin", PASSWORD)
    page = visitor.page
    await visitor.open(board)
    await expect(panel(page, "CPU").locator("canvas")).to_be_visible()
    lefts = {(await box(panel(page, name)))["x"] for name in ("CPU", "Memory", "Disks", "Network")}
    assert len(lefts) == 1
    await page.click("[data-edit]")
    await expect(page.get_by_role("button", name="Edit CPU")).to_be_visible()
    await expect(page.locator(".grid-stack-item")).to_have_count(0)
    assert await visitor.is_within_its_width()
    await page.get_by_role("button", name="Move CPU down").click()
    assert (await box(panel(page, "Memory")))["y"] < (await box(panel(page, "CPU")))["y"]
    await save(page)
    first, _ = await stored(admin)
    assert first["Memory"][:2] == (0, 0)
    assert visitor.problems == []
