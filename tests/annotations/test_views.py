"""Saved views: whose they are, what is kept of an address, and the menu of a list."""

import json
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from fleetkeeper.database.context import TransactionContext
from fleetkeeper.identity.permissions import Role
from tests.console.conftest import Browser, sign_in

VIEWS = "/api/v1/saved-views"
VIEW = {"path": "/devices", "name": "Busy", "query": "ordering=-cpu_percent&cursor=abc&q=web+01"}


@pytest.fixture
async def manager(app) -> Browser:
    return await sign_in(app, "mona", Role.MANAGER)


@pytest.fixture
async def viewer(app) -> Browser:
    return await sign_in(app, "vera", Role.VIEWER)


async def names(browser: Browser) -> list[str]:
    return [one["name"] for one in (await browser.client.get(VIEWS)).json()["results"]]


async def call(browser: Browser, method: str, address: str, **body: object) -> tuple[int, dict]:
    answer = await browser.client.request(
        method, address, json=body or None, headers={"X-CSRF-Token": browser.csrf_token}
    )
    return answer.status_code, answer.json() if answer.content else {}


class TestDoors:
    async def test_the_page_that_one_is_on_is_not_kept(self, viewer):
        status, made = await call(viewer, "POST", VIEWS, **VIEW)
        assert (status, made["query"]) == (201, "ordering=-cpu_percent&q=web+01")
        assert (made["owner"], made["is_own"], made["is_shared"]) == ("vera", True, False)

    async def test_a_private_view_is_nobody_else_s(self, viewer, manager):
        _, made = await call(viewer, "POST", VIEWS, **VIEW)
        assert (await names(viewer), await names(manager)) == (["Busy"], [])
        for method, body in (("GET", {}), ("PATCH", {"name": "Mine"}), ("DELETE", {})):
            assert (await call(manager, method, f"{VIEWS}/{made['id']}", **body))[0] == 404

    async def test_a_shared_view_is_seen_by_all_and_changed_by_its_owner(self, viewer, manager):
        _, made = await call(manager, "POST", VIEWS, **VIEW, is_shared=True)
        assert await names(viewer) == ["Busy"]
        for method, body in (("PATCH", {"name": "Mine"}), ("DELETE", {})):
            assert (await call(viewer, method, f"{VIEWS}/{made['id']}", **body))[0] == 403
        assert (await call(manager, "PATCH", f"{VIEWS}/{made['id']}", is_shared=False))[0] == 200
        assert await names(viewer) == []

    async def test_sharing_needs_a_permission(self, viewer):
        assert (await call(viewer, "POST", VIEWS, **VIEW, is_shared=True))[0] == 403
        _, made = await call(viewer, "POST", VIEWS, **VIEW)
        assert (await call(viewer, "PATCH", f"{VIEWS}/{made['id']}", is_shared=True))[0] == 403

    async def test_two_of_a_name(self, viewer):
        await call(viewer, "POST", VIEWS, **VIEW)
        status, problem = await call(viewer, "POST", VIEWS, **VIEW)
        assert (status, problem["errors"][0]["field"]) == (409, "name")

    @pytest.mark.parametrize(
        "path", ["//evil.example", "https://evil.example", "/devices?x", "devices", "/\\x"]
    )
    async def test_a_view_leads_nowhere_else(self, viewer, path):
        status, problem = await call(viewer, "POST", VIEWS, **VIEW | {"path": path})
        assert (status, problem["errors"][0]["field"]) == (422, "path")

    async def test_the_database_shows_and_changes_one_s_own(self, app, viewer, manager):
        await call(viewer, "POST", VIEWS, **VIEW)
        await call(manager, "POST", VIEWS, **VIEW | {"name": "All"}, is_shared=True)
        user = (await viewer.client.get("/api/v1/me")).json()["user_id"]
        context = TransactionContext(audit=json.dumps({"kind": "user", "name": "vera", "user": user}))
        async with app.state.database.session(context) as session:
            seen = (await session.scalars(text("SELECT name FROM saved_views ORDER BY name"))).all()
            changed = await session.execute(text("UPDATE saved_views SET query = 'q=1'"))
        async with app.state.database.session(TransactionContext()) as session:
            strangers = (await session.scalars(text("SELECT name FROM saved_views"))).all()
        assert (seen, changed.rowcount, strangers) == (["All", "Busy"], 1, ["All"])


class TestMenu:
    async def test_saving_leads_to_the_view_and_the_menu_to_all(self, viewer):
        saved = await viewer.send("/views", path="/devices", query="q=web&cursor=x", name="<b>Web</b>")
        assert saved.headers["HX-Redirect"] == "/devices?q=web"
        menu = await viewer.part("/views?" + urlencode({"path": "/devices", "query": "status=offline"}))
        assert 'href="/devices?q=web">&lt;b&gt;Web' in menu
        assert 'name="query" value="status=offline"' in menu
        assert "Share with everyone" not in menu

    async def test_lists_lead_to_their_views(self, viewer):
        page = await viewer.page("/devices?q=web&ordering=-name")
        assert 'hx-get="/views?path=%2Fdevices&amp;query=q%3Dweb%26ordering%3D-name"' in page

    async def test_a_refused_name_says_so(self, manager):
        for _ in range(2):
            answer = await manager.send("/views", path="/devices", query="q=a", name="Web", is_shared="true")
        assert answer.status_code == 409
        assert "You already have a view with this name." in answer.text

    async def test_a_deleted_view_is_gone(self, viewer):
        _, made = await call(viewer, "POST", VIEWS, **VIEW)
        assert (await viewer.send(f"/views/{made['id']}/delete")).status_code == 204
        assert await names(viewer) == []


class TestDefault:
    async def test_a_list_begins_with_it_for_its_owner_alone(self, manager, viewer):
        status, made = await call(manager, "POST", VIEWS, **VIEW | {"is_default": True})
        assert status == 201
        answer = await manager.client.get("/devices")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/devices?{made['query']}")
        assert (await viewer.client.get("/devices")).status_code == 200
        # What is within the list, and what htmx asks for, is what was asked for.
        for address in ("/devices?view=all", "/devices?q=x"):
            assert (await manager.client.get(address)).status_code == 200
        await manager.part("/devices")
        page = await manager.page("/devices?q=nothing")
        assert 'href="/devices?view=all">Clear filters' in page

    async def test_there_is_one_for_each_list(self, manager):
        await call(manager, "POST", VIEWS, **VIEW | {"is_default": True})
        _, other = await call(manager, "POST", VIEWS, **VIEW | {"name": "Other", "is_default": True})
        await call(manager, "POST", VIEWS, **VIEW | {"path": "/agents", "is_default": True})
        found = (await manager.client.get(f"{VIEWS}?path=/devices")).json()["results"]
        assert [one["name"] for one in found if one["is_default"]] == ["Other"]
        answer = await manager.send(f"/views/{other['id']}/default")
        assert "no default view" in answer.headers["HX-Trigger"]
        assert (await manager.client.get("/devices")).status_code == 200
        await manager.send(f"/views/{other['id']}/default")
        assert (await manager.client.get("/devices")).status_code == 303

    async def test_that_of_somebody_else_stays_theirs(self, manager, viewer):
        _, made = await call(manager, "POST", VIEWS, **VIEW | {"is_default": True, "is_shared": True})
        _, seen = await call(viewer, "GET", f"{VIEWS}/{made['id']}")
        assert seen["is_default"] is False
        assert (await viewer.send(f"/views/{made['id']}/default")).status_code == 403
        assert f"/views/{made['id']}/default" not in await viewer.part("/views?path=/devices")
