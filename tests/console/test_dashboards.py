"""The pages of dashboards; what their scripts do is tested in a real browser."""

import html
import json
import re

import pytest

from tests.factories.dashboards import a_dashboard, a_definition, a_panel
from tests.fixtures.client import enroll


@pytest.fixture
async def made(admin):
    """One for everyone and a private one, of the administrator with a token."""
    shared = (
        await admin.post("/api/v1/dashboards", json=a_dashboard("Shared <b>", visibility="everyone"))
    ).json()
    private = (await admin.post("/api/v1/dashboards", json=a_dashboard("Private"))).json()
    return shared, private


def definition_of(page: str) -> dict:
    return json.loads(html.unescape(re.search(r'data-dashboard="([^"]*)"', page)[1]))


class TestList:
    async def test_an_empty_one_says_what_to_do(self, browser, viewer_browser):
        page = await browser.page("/dashboards")
        assert "No saved dashboards yet" in page
        assert 'data-open-dialog="#new-dashboard"' in page
        assert page.count('class="fk-card board-card"') == 9
        assert 'href="/dashboards/built-in-network-device"' in page
        page = await viewer_browser.page("/dashboards")
        assert "#new-dashboard" not in page
        assert "#import-dashboard" not in page

    async def test_shared_ones_are_listed_and_private_ones_of_others_not(self, browser, viewer_browser, made):
        for reader in (browser, viewer_browser):
            page = await reader.page("/dashboards")
            assert "Shared &lt;b&gt;" in page
            assert "Private" not in page
        assert 'action="/dashboards/shared-b/delete"' in await browser.page("/dashboards")
        assert "/delete" not in await viewer_browser.page("/dashboards")

    async def test_filter_sort_export(self, browser, admin):
        for name, visibility in (("Alpha", "everyone"), ("Omega", "everyone"), ("Own", "private")):
            await admin.post("/api/v1/dashboards", json=a_dashboard(name, visibility=visibility))
        page = await browser.part("/dashboards?visibility=everyone&ordering=-name")
        assert page.index("Omega") < page.index("Alpha")
        assert "Own<" not in page
        address = html.unescape(re.search(r'href="(/api/v1/dashboards/export[^"]+)"', page)[1])
        file = (await browser.client.get(address)).text
        assert file.index("Omega") < file.index("Alpha")

    async def test_one_is_deleted_by_those_who_may(self, browser, viewer_browser, made):
        assert (await viewer_browser.send("/dashboards/shared-b/delete")).status_code == 403
        assert (await browser.send("/dashboards/shared-b/delete")).headers["HX-Redirect"] == "/dashboards"
        await browser.page("/dashboards/shared-b", 404)


class TestPage:
    async def test_the_script_gets_the_definition_as_inert_text(self, browser, admin):
        hostile = "</script><script>alert(1)</script>\"'"
        wanted = a_dashboard(hostile, definition=a_definition(a_panel(title=hostile)), visibility="everyone")
        slug = (await admin.post("/api/v1/dashboards", json=wanted)).json()["slug"]
        page = await browser.page(f"/dashboards/{slug}")
        assert "<script>alert" not in page
        shown = definition_of(page)
        assert (shown["name"], shown["definition"]["rows"][0]["panels"][0]["title"]) == (hostile, hostile)

    async def test_actions_are_those_that_the_reader_may_do(self, browser, viewer_browser, made):
        page = await browser.page("/dashboards/shared-b")
        assert all(mark in page for mark in ("data-edit>", "data-duplicate", "data-delete-dashboard"))
        page = await viewer_browser.page("/dashboards/shared-b")
        assert not any(mark in page for mark in ("data-edit>", "data-duplicate", "data-delete-dashboard"))
        assert "/api/v1/dashboards/shared-b/export" in page
        page = await browser.page("/dashboards/built-in-fleet")
        assert "Duplicate to edit" in page
        assert "data-edit>" not in page

    async def test_one_that_is_not_visible_is_not_there(self, browser, made):
        for key in ("private", made[1]["id"], "nothing", "%00"):
            await browser.page(f"/dashboards/{key}", 404)


class TestWays:
    async def test_a_device_leads_to_the_dashboard_of_its_type(self, app, admin, browser):
        device = await enroll(app, admin, "boat")
        await admin.patch(f"/api/v1/devices/{device.id}", json={"device_type": "vehicle"})
        way = f"/dashboards/default/vehicle?var-device={device.id}"
        assert f'href="{way}"' in await browser.page(f"/devices/{device.id}")
        answer = await browser.client.get(way)
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/dashboards/built-in-vehicle?var-device={device.id}",
        )
        own = a_dashboard("Boats", visibility="everyone", default_for="vehicle")
        assert (await admin.post("/api/v1/dashboards", json=own)).status_code == 201
        assert (await browser.client.get(way)).headers["location"].startswith("/dashboards/boats?var-device=")
        answer = await browser.client.get("/dashboards/default/submarine")
        assert answer.headers["location"] == "/dashboards/built-in-other"
        await browser.page("/dashboards/default/%00", 404)
        await device.client.aclose()

    async def test_the_overview_leads_to_the_fleets(self, browser):
        assert 'href="/dashboards/default/fleet"' in await browser.page("/")

    async def test_explore_saves_for_those_who_may_write(self, browser, viewer_browser):
        assert "data-save-panel" in await browser.page("/explore")
        assert "data-save-panel" not in await viewer_browser.page("/explore")
