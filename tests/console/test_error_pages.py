"""Errors as pages."""

import pytest

from tests.fixtures.client import PASSWORD

NAVIGATION = '<nav aria-label="Main">'


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nowhere", 404),
        ("/devices/0198c0de-7c00-7a00-8000-000000000000", 404),
        ("/devices/not-an-id", 422),
        ("/users/not-an-id", 422),
        ("/audit/x", 422),
        ("/settings/retention/policies/x", 422),
        ("/dashboards/none", 404),
    ],
)
async def test_keep_the_navigation_and_speak_plainly(browser, address, status):
    page = await browser.page(address, status)
    assert NAVIGATION in page
    for words in ("Input should", "valid UUID", "path.", "_id:", "`"):
        assert words not in page.partition("<main")[2].partition("</main>")[0], words


async def test_name_the_field_and_the_cure(browser):
    page = await browser.page("/devices/not-an-id", 422)
    assert "Device ID: Must be an ID such as" in page
    assert 'href="/devices"\n             data-go-key="d"\n             aria-current="page"' in page


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
