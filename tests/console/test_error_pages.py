"""Errors as pages."""

import pytest

from tests.fixtures.client import PASSWORD

NAVIGATION = '<nav aria-label="Main">'


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nowhere", 404),
        ("/devices/0198c0de-7c00-7a00-8000-000000000000", 404),
        ("/devices/not-an-id", 404),
        ("/users/not-an-id", 404),
        ("/audit/x", 404),
        ("/settings/retention/policies/x", 404),
        ("/dashboards/none", 404),
    ],
)
async def test_keep_the_navigation_and_speak_plainly(browser, address, status):
    page = await browser.page(address, status)
    assert NAVIGATION in page
    for words in ("Input should", "valid UUID", "path.", "_id:", "`"):
        assert words not in page.partition("<main")[2].partition("</main>")[0], words


async def test_say_what_can_be_done_and_where_one_is(browser):
    page = await browser.page("/devices/not-an-id", 404)
    assert "There is no page at this address" in page
    assert "Not Found" not in page
    assert 'href="/devices"\n             data-go-key="d"\n             aria-current="page"' in page


@pytest.mark.parametrize(
    ("address", "page"),
    [("/settings/retention/policies", "/settings/retention"), ("/account/tokens", "/account")],
)
async def test_reloading_the_answer_to_a_form_leads_to_its_page(browser, address, page):
    answer = await browser.client.get(address)
    assert (answer.status_code, answer.headers["location"]) == (303, page)


async def test_what_one_may_not_open_keeps_the_navigation(viewer_browser):
    assert NAVIGATION in await viewer_browser.page("/settings", 403)


async def test_nobody_signed_in_has_a_page_without_navigation(anonymous):
    answer = await anonymous.get("/nowhere")
    assert answer.status_code == 404
    assert NAVIGATION not in answer.text


async def test_a_stale_form_keeps_the_navigation(app, browser):
    del app
    answer = await browser.client.post("/settings/features", data={"csrf_token": "stale", "x": PASSWORD})
    assert answer.status_code == 403
    assert PASSWORD not in answer.text
