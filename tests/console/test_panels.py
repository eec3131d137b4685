"""The pages of users, roles, groups, departments, tokens, sessions and of one's own account."""

import html
import re
from uuid import uuid4

import pytest
from sqlalchemy import select

from fleetkeeper.console.contexts.shell import ACCOUNT
from fleetkeeper.console.memberships import EVERYWHERE
from fleetkeeper.console.navigation import places
from fleetkeeper.console.sessions import browser_name
from fleetkeeper.identity.models import ApiToken
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.identity.users.service import create_user
from fleetkeeper.kit.clock import utc_now
from tests.console.conftest import Browser
from tests.factories.identity import give, make_department, make_group, make_role, make_user
from tests.fixtures.client import PASSWORD, TEST_CONTEXT

REASON = "left the company"


@pytest.fixture
def database(app):
    return app.state.database


async def browser_with(app, *permissions: Permission, department=None) -> Browser:
    """A browser of somebody with exactly these permissions."""
    async with app.state.database.session(TEST_CONTEXT) as session:
        user = await create_user(session, f"user-{uuid4()}", PASSWORD)
        await give(session, user, await make_role(session, *permissions), department)
        credentials = {"username": user.username, "password": PASSWORD}
    client = app.client()
    answer = await client.post("/sign-in", data=credentials)
    assert answer.status_code == 303, answer.text
    page = await client.get("/account")
    return Browser(client, re.search(r'name="csrf-token"\s+content="([^"]+)"', page.text)[1])


def entries_of(page: str) -> set[str]:
    """The addresses in the sidebar."""
    sidebar = page[page.index('<aside class="sidebar">') : page.index("</aside>")]
    return set(re.findall(r'class="nav-item[^"]*"\s+href="([^"]+)"', sidebar))


# What needs no permission, beside the reader's own account.
EVERYBODYS = {place.href for place in places() if place.permission is None and place.group != ACCOUNT}


class TestNavigation:
    @pytest.mark.parametrize(
        ("href", "permission"),
        [(place.href, place.permission) for place in places() if place.permission],
        ids=str,
    )
    async def test_who_has_the_permission_gets_the_page_and_sees_no_other(self, shared, href, permission):
        browser = await browser_with(shared.app, permission)
        page = await browser.page(href)
        expected = {place.href for place in places() if place.permission == permission} | EVERYBODYS
        opened = {href, *(place.parent for place in places() if place.href == href)}
        hidden = {place.href for place in places() if place.parent in expected - opened}
        assert entries_of(page) == expected - hidden

    async def test_without_any_permission_there_is_the_account_alone(self, shared):
        browser = await browser_with(shared.app)
        page = await browser.page("/account")
        assert entries_of(page) == {href for href in EVERYBODYS if href.count("/") == 1}
        for place in places():
            await browser.page(place.href, status=403 if place.permission else 200)

    async def test_small_screens_show_one_entry_for_each_group(self, browser):
        page = await browser.page("/roles")
        bottom = page[page.index('class="bottom-nav"') :]
        items = re.findall(r'href="([^"]+)"\s*(aria-current="page")?', bottom[: bottom.index("</nav>")])
        assert ("/users", 'aria-current="page"') in items
        assert not {"/roles", "/tokens"} & {href for href, _ in items}
        assert 'class="sub-nav"' in page
        # No more fit beside each other on a phone.
        in_sight, _, more = bottom[: bottom.index("</nav>")].partition("<details")
        assert in_sight.count('class="nav-item"') == 4
        assert "/users" in more
        assert 'aria-current="true"' in more


class TestUsers:
    async def test_from_adding_to_deleting(self, browser):
        answer = await browser.send(
            "/users",
            username="otto",
            name="Otto",
            email="",
            password=PASSWORD,
            role="viewer",
            department_id="",
        )
        assert answer.status_code == 204, answer.text
        address = answer.headers["hx-redirect"]
        page = await browser.page(f"{address}?tab=access")
        assert "viewer everywhere" in page
        assert "devices:read" in page
        assert (await browser.send(f"{address}/disable")).status_code == 422
        answer = await browser.send(f"{address}/disable", change_reason=REASON)
        assert answer.status_code == 204, answer.text
        assert "Disabled" in await browser.page(address)
        assert (await browser.send(f"{address}/enable")).status_code == 204
        assert (
            await browser.send(f"{address}/password", password="another long password")
        ).status_code == 204
        assert (
            await browser.send(address, username="otto", name="O.", email="o@example.org")
        ).status_code == 204
        assert "o@example.org" in await browser.page(address)
        history = await browser.page(f"{address}?tab=history")
        assert "<del>Otto</del>" in history
        assert "<ins>O.</ins>" in history
        answer = await browser.send(f"{address}/delete", change_reason=REASON)
        assert answer.headers["hx-redirect"] == "/users"
        await browser.page(address, status=404)

    async def test_a_refused_form_comes_back_and_nothing_was_done(self, app, browser):
        """The account must not stay when the role could not be given."""
        role = {"role": "viewer", "department_id": "0198f6a0-0000-7000-8000-000000000001"}
        answer = await browser.send(
            "/users", username="otto", name="<b>O</b>", email="", password=PASSWORD, **role
        )
        assert answer.status_code == 422
        assert 'value="otto"' in answer.text
        assert "<b>O</b>" not in answer.text
        assert PASSWORD not in answer.text
        assert (await browser.send("/users", username="otto", password="short")).status_code == 422
        page = await browser.page("/users?q=otto")
        assert "No users match these filters" in page

    async def test_giving_and_taking_a_role(self, app, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
            otto = await make_user(session, "otto")
        answer = await browser.send(
            f"/users/{otto.id}/memberships", role="operator", department_id=str(north.id)
        )
        assert answer.status_code == 204, answer.text
        assert "operator in North" in await browser.page(f"/users/{otto.id}?tab=access")
        page = await browser.page(f"/users/{otto.id}")
        remove = re.search(r'action="(/users/[^"]+/remove)"', page)[1]
        assert (await browser.send(remove)).status_code == 204
        assert "A user without a role cannot open any page" in await browser.page(f"/users/{otto.id}")

    async def test_a_manager_may_look_at_their_people_and_is_offered_what_they_may_give(self, app, database):
        async with database.session(TEST_CONTEXT) as session:
            north, south = await make_department(session, "North"), await make_department(session, "South")
            mine, other = await make_user(session, "mine"), await make_user(session, "other")
            await give(session, mine, Role.VIEWER, north)
            await give(session, other, Role.VIEWER, south)
            nora = await create_with_password(session, "nora")
            await give(session, nora, Role.MANAGER, north)
        browser = await sign_in_as(app, "nora")
        page = await browser.page("/users")
        assert "mine" in page
        assert str(other.id) not in page
        await browser.page(f"/users/{other.id}", status=404)
        page = await browser.page(f"/users/{mine.id}")
        form = page[page.index('id="give-role"') : page.index("</details>", page.index('id="give-role"'))]
        assert 'value="operator"' in form
        assert 'value="admin"' not in form
        assert EVERYWHERE not in form
        assert "South" not in form


async def create_with_password(session, name: str):
    from fleetkeeper.identity.users.service import create_user

    return await create_user(session, name, PASSWORD)


async def sign_in_as(app, name: str) -> Browser:
    client = app.client()
    await client.post("/sign-in", data={"username": name, "password": PASSWORD})
    page = await client.get("/account")
    return Browser(client, re.search(r'name="csrf-token"\s+content="([^"]+)"', page.text)[1])


class TestRoles:
    async def test_from_making_to_deleting(self, browser):
        ticks = ["devices:read", "audit:read"]
        headers = {"X-CSRF-Token": browser.csrf_token, "HX-Request": "true"}
        answer = await browser.client.post(
            "/roles", data={"name": "auditor", "permissions": ticks}, headers=headers
        )
        assert answer.status_code == 204, answer.text
        address = answer.headers["hx-redirect"]
        page = await browser.page(f"{address}?tab=settings")
        checked = re.findall(r'value="([a-z]+:[a-z]+)"\s+checked', page)
        assert sorted(checked) == sorted(ticks)
        answer = await browser.client.post(
            address,
            data={"name": "auditor", "permissions": ["audit:read"], "requires_second_factor": "true"},
            headers=headers,
        )
        assert answer.status_code == 204
        assert "Second factor" in await browser.page(address)
        assert (await browser.send(f"{address}/delete")).headers["hx-redirect"] == "/roles"

    async def test_a_built_in_role_offers_the_second_factor_alone(self, browser):
        page = await browser.page("/roles")
        address = re.search(r'href="(/roles/[^"]+)" data-row-link><b>viewer', page)[1]
        page = await browser.page(f"{address}?tab=settings")
        assert 'name="requires_second_factor"' in page
        assert 'name="permissions"' not in page
        assert (await browser.send(address, requires_second_factor="true")).status_code == 204

    async def test_the_matrix_has_each_permission(self, browser):
        page = await browser.page("/roles/matrix")
        assert len(re.findall(r'<th scope="row">', page)) == len(Permission)

    async def test_a_refused_role_keeps_its_ticks(self, browser):
        answer = await browser.client.post(
            "/roles",
            data={"name": "viewer", "permissions": ["devices:read"]},
            headers={"X-CSRF-Token": browser.csrf_token, "HX-Request": "true"},
        )
        assert answer.status_code == 409
        assert re.search(r'value="devices:read"\s+checked', answer.text)


class TestGroups:
    async def test_from_making_to_deleting(self, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            otto = await make_user(session, "otto")
        answer = await browser.send("/groups", name="Night shift", description="")
        address = answer.headers["hx-redirect"]
        assert (await browser.send(f"{address}/members", user="nobody")).status_code == 422
        assert (await browser.send(f"{address}/members", user="otto")).status_code == 204
        assert (
            await browser.send(f"{address}/memberships", role="viewer", department_id="")
        ).status_code == 204
        page = await browser.page(address)
        assert "otto" in page
        assert "by the group Night shift" in await browser.page(f"/users/{otto.id}?tab=access")
        for remove in re.findall(r'action="(/groups/[^"]+/remove)"', page):
            assert (await browser.send(remove)).status_code == 204
        assert (await browser.send(f"{address}/delete")).headers["hx-redirect"] == "/groups"

    async def test_a_group_of_a_provider(self, browser):
        assert "provider_id" not in await browser.page("/groups")
        fields = {"name": "The company", "slug": "x", "issuer": "https://login.example", "client_id": "fleet"}
        rest = {"scopes": "openid", "groups_claim": "groups", "recheck_seconds": "60", "enabled": "true"}
        made = await browser.send("/settings/providers/new?preset=generic", **fields, **rest)
        provider_id = made.headers["hx-redirect"].rpartition("/")[2]
        page = await browser.page("/groups")
        assert f'value="{provider_id}"' in page
        answer = await browser.send("/groups", name="helpdesk", description="", provider_id=provider_id)
        page = await browser.page(answer.headers["hx-redirect"])
        assert "The identity provider decides" in page
        refused = await browser.send("/groups", name="helpdesk", description="", provider_id=provider_id)
        assert refused.status_code == 409
        wrong = await browser.send("/groups", name="other", description="", provider_id="x")
        assert wrong.status_code == 422

    async def test_a_provider_s_group_is_left_to_it(self, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            group = await make_group(session, await make_user(session), source="scim", external_id="x")
        page = await browser.page(f"/groups/{group.id}")
        assert "add-member" not in page
        assert "The identity provider decides" in page


class TestDepartments:
    async def test_from_making_to_deleting(self, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            await make_user(session, "otto")
        assert (await browser.send("/departments", name="North", parent_id="")).status_code == 204
        page = await browser.page("/departments")
        north = re.search(r'href="(/departments/[^"]+)" data-row-link><b>North', page)[1]
        key = north.rsplit("/", 1)[1]
        assert (await browser.send("/departments", name="Harbour", parent_id=key)).status_code == 204
        answer = await browser.send("/departments", name="Harbour", parent_id=key)
        assert answer.status_code == 409
        assert "same place" in answer.text
        change = {"name": "North", "parent_id": "", "description": "All of it", "manager": "otto"}
        assert (await browser.send(north, **change)).status_code == 204
        page = await browser.page(north)
        assert "All of it" in page
        assert "otto" in page
        answer = await browser.send(f"{north}/delete")
        assert answer.status_code == 409
        assert "1 department" in answer.text
        answer = await browser.send(f"{north}/members", username="otto", role="viewer")
        assert answer.status_code == 204, answer.text
        remove = re.search(r'action="(/departments/[^"]+/remove)"', await browser.page(north))[1]
        assert (await browser.send(remove)).status_code == 204

    async def test_moving_below_itself_names_the_field(self, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            north = await make_department(session, "North")
            harbour = await make_department(session, "Harbour", north)
        answer = await browser.send(
            f"/departments/{north.id}", name="North", parent_id=str(harbour.id), manager=""
        )
        assert answer.status_code == 422
        assert "change-parent_id-error" in answer.text or "parent_id:" in answer.text


class TestTokensAndSessions:
    async def test_an_administrator_revokes_somebody_s_token(self, app, database, browser):
        async with database.session(TEST_CONTEXT) as session:
            await make_user(session, "otto")
            secret = await create_token(session, "otto", "script <1>", now=utc_now())
        page = await browser.page("/tokens?q=script")
        assert "script &lt;1&gt;" in page
        assert secret not in page
        revoke = re.search(r'action="(/tokens/[^"]+/revoke)"', page)[1]
        assert (await browser.send(revoke)).status_code == 204
        async with app.client(secret) as client:
            assert (await client.get("/api/v1/me")).status_code == 401

    async def test_an_administrator_ends_somebody_s_session(self, app, browser, viewer_browser):
        page = await browser.page("/sessions?q=victor")
        end = re.search(r'action="(/sessions/[^"]+/end)"', page)[1]
        assert (await browser.send(end)).status_code == 204
        assert (await viewer_browser.client.get("/account")).status_code == 303

    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
            ("curl/8", "curl/8"),
            ("", "Unknown"),
        ],
    )
    def test_browsers_have_short_names(self, agent, name):
        assert browser_name(agent) == name


class TestAccount:
    async def test_profile_time_zone_and_theme(self, viewer_browser):
        wrong = await viewer_browser.send("/account", name="V", email="", time_zone="Moon/Base", theme="dark")
        assert wrong.status_code == 422
        assert "profile-time_zone-error" in wrong.text
        answer = await viewer_browser.send(
            "/account", name="Victor", email="", time_zone="Asia/Tokyo", theme="dark"
        )
        assert answer.status_code == 204, answer.text
        page = await viewer_browser.page("/account")
        assert 'data-time-zone="Asia/Tokyo"' in page
        assert 'data-theme-choice="dark"' in page
        assert re.search(r'value="Asia/Tokyo"\s+selected', page)

    async def test_what_is_left_empty_in_the_profile_is_taken_away(self, viewer_browser):
        full = {"name": "Victor", "email": "v@example.com", "time_zone": "Asia/Tokyo", "theme": "light"}
        for sent in (full, full | {"name": "", "email": "", "time_zone": ""}):
            assert (await viewer_browser.send("/account", **sent)).status_code == 204
        page = await viewer_browser.page("/account")
        assert "v@example.com" not in page
        assert 'data-time-zone="Asia/Tokyo"' not in page
        assert 'data-theme-choice="light"' in page

    async def test_a_password_is_changed_and_what_is_wrong_stands_at_its_field(self, app, viewer_browser):
        address = "/account/security/password"
        wrong = await viewer_browser.send(address, current_password="no", new_password="another long one")
        assert wrong.status_code == 422
        assert 'id="password-current_password-error"' in wrong.text
        assert "another long one" not in wrong.text
        short = await viewer_browser.send(address, current_password=PASSWORD, new_password="x")
        assert 'id="password-new_password-error"' in short.text
        answer = await viewer_browser.send(
            address, current_password=PASSWORD, new_password="another long one", revoke_tokens="true"
        )
        assert "Your password is changed." in answer.text
        credentials = {"username": "victor", "password": "another long one"}
        assert (await app.client().post("/sign-in", data=credentials)).status_code == 303

    async def test_a_token_is_shown_once_and_then_rotated_and_revoked(self, app, viewer_browser):
        answer = await viewer_browser.send("/account/tokens", name="backup", days="30", preset="read")
        assert answer.status_code == 200, answer.text
        secret = re.search(r"fkt_[\w-]+", answer.text)[0]
        page = await viewer_browser.page("/account")
        assert secret not in page
        assert "backup" in page
        rotate = re.search(r'action="(/account/tokens/[^"]+/rotate)"', page)[1]
        newer = re.search(r"fkt_[\w-]+", (await viewer_browser.send(rotate)).text)[0]
        for one in (secret, newer):
            async with app.client(one) as client:
                assert (await client.get("/api/v1/me")).json()["username"] == "victor"
        revoke = re.search(r'action="(/account/tokens/[^"]+/revoke)"', page)[1]
        assert (await viewer_browser.send(revoke)).status_code == 204
        async with app.client(newer) as client:
            assert (await client.get("/api/v1/me")).status_code == 401

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"days": "0"}, "days"),
            ({"allowed_networks": "moon"}, "allowed_networks"),
            ({"name": ""}, "name"),
            # Nobody gets an all-powerful token by leaving something out.
            ({"preset": ""}, "preset"),
            ({"preset": "everything"}, "preset"),
            ({"preset": "send_telemetry"}, "preset"),
            ({"preset": "custom"}, "permissions"),
        ],
    )
    async def test_a_refused_token_names_the_field(self, viewer_browser, change, field):
        entered = {"name": "x", "days": "1", "preset": "read"} | change
        answer = await viewer_browser.send("/account/tokens", **entered)
        assert answer.status_code == 422
        assert f"new-token-{field}-error" in html.unescape(answer.text)

    async def test_a_token_has_what_was_chosen(self, browser, database):
        for preset, ticks in (("administer", {}), ("custom", {"permissions": "devices:read"}), ("read", {})):
            answer = await browser.send("/account/tokens", name=preset, days="", preset=preset, **ticks)
            assert answer.status_code == 200, answer.text
        async with database.session(TEST_CONTEXT) as session:
            rows = await session.execute(select(ApiToken.name, ApiToken.permissions))
            found = dict(rows.all())
        assert found["administer"] is None
        assert found["custom"] == ["devices:read"]
        assert "devices:read" in found["read"]
        assert not [one for one in found["read"] if not one.endswith(":read")]

    async def test_a_preset_beyond_one_s_own_rights_is_not_offered(self, browser, viewer_browser):
        assert 'value="send_telemetry"' in await browser.page("/account")
        assert 'value="send_telemetry"' not in await viewer_browser.page("/account")

    async def test_ending_other_sessions_keeps_this_one(self, app, viewer_browser):
        other = await sign_in_as(app, "victor")
        assert "Current session" in await viewer_browser.page("/account")
        assert (await viewer_browser.send("/account/sessions/end-others")).status_code == 204
        assert (await other.client.get("/account")).status_code == 303
        await viewer_browser.page("/account")

    async def test_nobody_ends_another_s_session_or_token_here(self, app, database, browser, viewer_browser):
        async with database.session(TEST_CONTEXT) as session:
            await create_token(session, "maria", "hers", now=utc_now())
        page = await browser.page("/account")
        token = re.search(r"/account(/tokens/[^/]+)/rotate", page)[1]
        for act in ("rotate", "revoke"):
            assert (await viewer_browser.send(f"/account{token}/{act}")).status_code == 404
