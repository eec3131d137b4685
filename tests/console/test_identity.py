"""Signing in and out."""

import pytest

from fleetkeeper.console.pages.identity import safe_path
from fleetkeeper.identity.permissions import Role
from tests.fixtures.client import PASSWORD, make_user


class TestSafePath:
    @pytest.mark.parametrize(
        "path", ["/", "/devices", "/devices?q=a%20b&status=online", "/devices/x?range=1h"]
    )
    def test_keeps_a_path_of_the_console(self, path):
        assert safe_path(path) == path

    @pytest.mark.parametrize(
        "path",
        [
            "",
            "devices",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example",
            "/sign-in?next=/",
            "/a\r\nb",
            "/\t/evil",
            "javascript:alert(1)",
        ],
    )
    def test_sends_everything_else_to_the_overview(self, path):
        assert safe_path(path) == "/"


class TestSignIn:
    async def test_a_page_leads_to_the_form_and_back(self, app):
        await make_user(app.state.database, "maria", Role.ADMIN)
        async with app.client() as client:
            answer = await client.get("/devices?q=web")
            assert answer.status_code == 303
            assert answer.headers["location"] == "/sign-in?next=%2Fdevices%3Fq%3Dweb"
            form = await client.get(answer.headers["location"])
            assert 'value="/devices?q=web"' in form.text
            fields = {"username": "maria", "password": PASSWORD, "next": "/devices?q=web"}
            answer = await client.post("/sign-in", data=fields)
            assert answer.status_code == 303
            assert answer.headers["location"] == "/devices?q=web"
            cookie = answer.headers["set-cookie"].lower()
            assert "httponly" in cookie
            assert "samesite=lax" in cookie
            assert (await client.get("/")).status_code == 200

    async def test_htmx_is_told_to_go_to_the_form(self, anonymous):
        answer = await anonymous.get("/devices", headers={"HX-Request": "true", "HX-Request-Type": "partial"})
        assert answer.status_code == 401
        assert answer.headers["hx-redirect"] == "/sign-in"

    async def test_a_wrong_password_is_refused_and_the_name_kept(self, app):
        await make_user(app.state.database, "maria", Role.ADMIN)
        async with app.client() as client:
            answer = await client.post("/sign-in", data={"username": "maria", "password": "wrong"})
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
            assert 'value="maria"' in answer.text
            assert "The username or password is wrong." in answer.text

    async def test_what_was_entered_comes_back_as_text(self, anonymous):
        answer = await anonymous.post("/sign-in", data={"username": '"><script>x', "password": "y"})
        assert "<script>x" not in answer.text

    @pytest.mark.parametrize(
        "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}]
    )
    async def test_a_form_of_another_site_is_refused(self, anonymous, headers):
        fields = {"username": "maria", "password": PASSWORD}
        assert (await anonymous.post("/sign-in", data=fields, headers=headers)).status_code == 403

    async def test_whoever_is_signed_in_is_sent_on(self, browser):
        answer = await browser.client.get("/sign-in?next=/settings")
        assert answer.headers["location"] == "/settings"


class TestSignOut:
    async def test_ends_the_session(self, browser):
        assert (await browser.send("/sign-out")).status_code == 303
        assert (await browser.client.get("/")).status_code == 303

    async def test_needs_the_token(self, browser):
        assert (await browser.client.post("/sign-out")).status_code == 403
        await browser.page("/")
