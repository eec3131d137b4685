"""Each list is filtered, sorted and exported by its address."""

import html
import re

import pytest


def names_in(page: str) -> list[str]:
    """The first cell of each row, as text."""
    body = re.search(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", body[1], re.DOTALL) if body else []
    cells = [re.search(r"<td[^>]*is-name[^>]*>(.*?)</td>", row, re.DOTALL)[1] for row in rows]
    bold = [re.search(r"<b>(.*?)</b>", cell, re.DOTALL) for cell in cells]
    return [html.unescape(found[1]) for found in bold if found]


async def exported(browser, page: str) -> str:
    """The file that the list offers first."""
    address = html.unescape(re.search(r'href="([^"]+/[a-z-]*export\?[^"]+)" download', page)[1])
    answer = await browser.client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


@pytest.fixture
async def roles(admin):
    for name in ("Auditor", "Zookeeper"):
        await admin.post("/api/v1/roles", json={"name": name, "permissions": ["devices:read"]})


@pytest.fixture
async def departments(admin):
    company = (await admin.post("/api/v1/departments", json={"name": "Company"})).json()["id"]
    for name in ("North", "South"):
        await admin.post("/api/v1/departments", json={"name": name, "parent_id": company})


@pytest.fixture
async def providers(admin):
    for slug, name in (("acme", "Acme"), ("beta", "Beta")):
        wanted = {"slug": slug, "name": name, "issuer": f"https://{slug}.example.org", "client_id": "x"}
        answer = await admin.post("/api/v1/identity-providers", json=wanted)
        assert answer.status_code == 201, answer.text


class TestRoles:
    async def test_filter_sort_export(self, browser, roles):
        assert names_in(await browser.part("/roles?is_builtin=false")) == ["Auditor", "Zookeeper"]
        page = await browser.part("/roles?is_builtin=false&ordering=-name")
        assert names_in(page) == ["Zookeeper", "Auditor"]
        assert re.findall("^(?:Auditor|Zookeeper),", await exported(browser, page), re.MULTILINE) == [
            "Zookeeper,",
            "Auditor,",
        ]

    async def test_permissions_by_role_have_a_page(self, browser, roles):
        assert 'href="/roles/matrix"' in await browser.page("/roles")
        page = await browser.page("/roles/matrix")
        assert "Zookeeper" in page
        assert "devices:read" in page


class TestDepartments:
    async def test_are_a_tree_until_they_are_searched_or_sorted(self, browser, departments):
        page = await browser.part("/departments")
        assert names_in(page) == ["Company", "North", "South"]
        assert page.count('class="indent"') == 2
        page = await browser.part("/departments?q=o&ordering=-path")
        assert names_in(page) == ["South", "North", "Company"]
        assert 'class="indent"' not in page
        assert "Company/South" in page
        assert "South" in await exported(browser, page)


class TestProviders:
    async def test_filter_sort_export(self, browser, providers):
        page = await browser.part("/settings/providers?enabled=true&ordering=-name")
        assert names_in(page) == ["Beta", "Acme"]
        assert names_in(await browser.part("/settings/providers?q=acm")) == ["Acme"]
        assert "https://acme.example.org" in await exported(browser, page)

    async def test_an_empty_list_says_what_to_do(self, browser):
        page = await browser.page("/settings/providers")
        assert "No identity providers yet" in page
        assert 'href="/settings/providers/new?preset=entra"' in page


class TestSessions:
    async def test_a_file_has_what_is_seen_and_no_secret_and_is_logged(self, browser, viewer_browser, admin):
        page = await browser.part("/sessions?ordering=-username&has_second_factor=false")
        text = await exported(browser, page)
        assert text.splitlines()[0] == "user_agent,username,method,created_at,last_used_at"
        assert "password" in text
        whole = await admin.get("/api/v1/sessions/export?format=json")
        assert len(whole.json()) == 2
        for secret in (*browser.client.cookies.values(), browser.csrf_token):
            assert secret not in whole.text
        assert not {name for name in whole.json()[0] if "secret" in name or "hash" in name or "token" in name}
        [last, *_] = (await admin.get("/api/v1/audit?action=sessions.export")).json()["results"]
        assert last["details"]["format"] == "json"
        assert (await viewer_browser.client.get("/api/v1/sessions/export")).status_code == 403


async def test_a_default_view_is_left_again(browser):
    await browser.send("/views", path="/devices", query="status=offline", name="Offline", is_default="true")
    opened = await browser.client.get("/devices")
    assert opened.headers["location"] == "/devices?status=offline"
    page = await browser.page("/devices?status=offline")
    menu = await browser.part("/views?path=/devices") if "/devices?view=all" not in page else page
    assert 'href="/devices?view=all"' in menu
    await browser.page("/devices?view=all")


async def test_who_may_not_enroll_is_not_asked_to(browser, viewer_browser):
    for path in ("/devices", "/agents"):
        assert "Create an enrollment token" in await browser.page(path)
        assert "Create an enrollment token" not in await viewer_browser.page(path)
