"""The page of proposals, and what the page of a part's stock shows of demand."""

import re

import pytest

from fleetkeeper.replenishment.service import PROPOSE
from tests.factories.stock import make_location, make_part, move_before, post, stock_of
from tests.fixtures.jobs import run_job


@pytest.fixture
async def proposed(app, settings, admin, connection):
    part, depot = await make_part(admin), await make_location(admin)
    supplier = (await post(admin, "suppliers", name="Nordic & <Sons>"))["id"]
    await post(admin, "part-suppliers", part_id=part, supplier_id=supplier, supplier_cost="40")
    move_before(connection, "receipt", part, depot, 14, 10)
    for weeks_ago in (9, 7, 5, 3, 1):
        move_before(connection, "issue", part, depot, -2, weeks_ago)
    await run_job(app, settings, PROPOSE)
    (one,) = (await admin.get("/api/v1/order-proposals")).json()["results"]
    return one["id"], part, depot


async def test_chosen_ones_are_drafted_and_dismissed(browser, viewer_browser, admin, proposed):
    key, _, _ = proposed
    listed = await browser.page("/order-proposals")
    for words in (
        "RAM-16",
        "Nordic &amp; &lt;Sons&gt;",
        "0.95 a week",
        "Make draft orders",
        "Propose orders now",
    ):
        assert words in listed, words
    seen = await viewer_browser.page("/order-proposals")
    assert "RAM-16" in seen
    assert "Propose orders now" not in seen
    preview = await browser.send("/order-proposals/bulk-order", ids=key)
    assert "Will be drafted" in preview.text
    refused = await browser.send(f"/order-proposals/{key}/status/dismissed")
    assert (refused.status_code, "Say why" in refused.text) == (422, True)
    page = await browser.page(f"/order-proposals/{key}")
    assert "It stays away" in page
    made = await browser.send(f"/order-proposals/{key}/order")
    assert re.fullmatch(r"/orders/[0-9a-f-]{36}", made.headers["HX-Redirect"])
    again = await browser.send(f"/order-proposals/{key}/order")
    assert (again.status_code, "It is ordered already" in again.text) == (409, True)
    assert "No open proposals" in await browser.page("/order-proposals")
    assert "PO-" in await browser.page(f"/order-proposals/{key}")


async def test_the_page_of_stock_shows_demand_and_takes_the_suggestion(browser, admin, proposed):
    _, part, depot = proposed
    stock = await stock_of(admin, part, depot)
    path = f"/inventory/{stock['id']}"
    page = await browser.page(path)
    for words in (
        "Weekly demand",
        "0.95 a week",
        "drawn-fill series-2",
        "Take the suggested reorder point: 5",
    ):
        assert words in page, words
    taken = await browser.send(f"{path}/take-suggestion")
    assert taken.headers["HX-Redirect"] == path
    page = await browser.page(path)
    assert "was set by hand and counts" in page
    assert "Take the suggested reorder point" not in page


async def test_somebody_asks_for_a_run(browser):
    assert (await browser.send("/order-proposals/runs")).headers["HX-Redirect"] == "/order-proposals"
    assert "Stock is being looked through" in await browser.page("/order-proposals")
