"""Who passes which door: anonymous callers, viewers, administrators, browsers with and without a CSRF token."""

import re

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Permission, Role
from fleetkeeper.telemetry.senders.write_api import PATHS as SENDER_PATHS
from tests.architecture.test_routes import callables_of, is_guarded
from tests.fixtures.client import PASSWORD

SOMEONE = "0198f6a0-0000-7000-8000-000000000001"


def guarded_routes(app) -> list[tuple[str, str, Permission | None]]:
    """Method, path (with some key in it) and permission of every guarded route; None where a sign-in is enough."""
    found = []
    for route in iter_route_contexts(app.asgi.app.app.routes):
        if not is_guarded(route):
            continue
        permissions = {getattr(call, "permission", None) for call in callables_of(route.dependant)} - {None}
        path = re.sub(r"{[^}]+}", SOMEONE, str(route.path))
        found += [(method, path, next(iter(permissions), None)) for method in route.methods or ()]
    assert len(found) > 25
    return found


def is_for_senders(path: str) -> bool:
    """Devices may write by these too."""
    return path in SENDER_PATHS or path.startswith("/influx/")


def is_for_programs(path: str) -> bool:
    return path.startswith(
        ("/api/", "/metrics", "/prometheus/", "/alertmanager/", "/scim/", "/netbox/")
    ) or is_for_senders(path)


class TestDoors:
    async def test_nobody_passes_without_a_credential(self, shared):
        for method, path, _ in guarded_routes(shared.app):
            answer = await shared.anonymous.request(method, path)
            if path.startswith("/netbox/"):
                # As NetBox has it.
                assert answer.status_code == 403, path
            elif is_for_programs(path):
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"].split(",")[0] == "Bearer"
            else:
                assert answer.status_code == 303, path
                assert answer.headers["location"].startswith("/sign-in")

    @pytest.mark.parametrize(
        "header",
        [
            "Bearer",
            "Bearer ",
            "Bearer fkt_wrong",
            "Bearer x",
            "Basic YTpi",
            "fkt_x",
            "Bearer fkt_\x00",
            "Bearer fkt_" + "é" * 9,
        ],
    )
    async def test_wrong_credential_is_none(self, shared, header):
        answer = await shared.anonymous.get("/api/v1/me", headers={"Authorization": header.encode("latin-1")})
        assert answer.status_code == 401
        assert answer.json()["title"] == "Sign-in needed"

    async def test_viewer_reads_devices_and_telemetry_and_nothing_else(self, shared):
        may = ROLE_PERMISSIONS[Role.VIEWER]
        reading = {Permission.DEPARTMENTS_READ, Permission.DEVICES_READ, Permission.FIELDS_READ}
        reading |= {Permission.ORDERS_READ, Permission.REQUESTS_READ, Permission.STOCK_READ}
        assert may == reading | {Permission.ALERTS_READ, Permission.TAGS_READ, Permission.TELEMETRY_READ}
        for method, path, permission in guarded_routes(shared.app):
            if permission is None:
                continue
            # A stream that opened would not end.
            query = "?device=none" if path.endswith("/stream") else ""
            answer = await shared.viewer.request(method, path + query)
            assert answer.status_code < 500, (method, path)
            assert (answer.status_code == 403) is (permission not in may), (method, path, answer.text)

    async def test_device_key_opens_no_door_of_people(self, shared):
        for method, path, permission in guarded_routes(shared.app):
            if permission is not None and is_for_programs(path) and not is_for_senders(path):
                answer = await shared.device.client.request(method, path)
                assert answer.status_code == (403 if path.startswith("/netbox/") else 401), path

    async def test_api_token_opens_no_door_of_devices(self, shared):
        answer = await shared.admin.get("/api/v1/agent/config")
        assert answer.status_code == 401

    async def test_who_am_i(self, shared):
        answer = (await shared.viewer.get("/api/v1/me")).json()
        assert (answer["username"], answer["roles"]) == ("viewer", ["viewer"])
        assert answer["permissions"] == [
            "alerts:read",
            "departments:read",
            "devices:read",
            "fields:read",
            "orders:read",
            "requests:read",
            "stock:read",
            "tags:read",
            "telemetry:read",
        ]


class TestBrowsers:
    """A cookie comes along by itself, so what changes something needs the page's token too."""

    DEVICE = "/api/v1/enrollment-tokens"
    BODY = {"name": "by a browser"}  # noqa: RUF012 - never changed

    @pytest.fixture
    async def browser(self, shared) -> httpx.AsyncClient:
        client = shared.app.client()
        answer = await client.post("/sign-in", data={"username": "admin", "password": PASSWORD})
        assert answer.status_code == 303
        return client

    @staticmethod
    async def token_of(browser: httpx.AsyncClient) -> str:
        return re.search(r'name="csrf-token"\s+content="([^"]+)"', (await browser.get("/devices")).text)[1]

    async def test_cookie_is_out_of_reach_of_scripts(self, shared):
        answer = await shared.app.client().post("/sign-in", data={"username": "admin", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie

    async def test_reading_needs_no_token(self, browser):
        assert (await browser.get("/api/v1/me")).status_code == 200

    async def test_header_with_the_token(self, browser):
        headers = {"X-CSRF-Token": await self.token_of(browser)}
        assert (await browser.post(self.DEVICE, json=self.BODY, headers=headers)).status_code == 201

    async def test_form_field_with_the_token(self, browser):
        form = {"csrf_token": await self.token_of(browser)}
        assert (await browser.post("/sign-out", data=form)).status_code == 303
        assert (await browser.get("/api/v1/me")).status_code == 401

    @pytest.mark.parametrize(
        "headers", [{}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": b"\xe4"}]
    )
    async def test_header_without_the_token(self, browser, headers):
        answer = await browser.post(self.DEVICE, json=self.BODY, headers=headers)
        assert answer.status_code == 403
        assert "X-CSRF-Token" in answer.json()["detail"]

    @pytest.mark.parametrize(
        "form", [{}, {"csrf_token": ""}, {"csrf_token": "wrong"}, {"csrf_token": "é\x00"}]
    )
    async def test_form_without_the_token(self, browser, form):
        assert (await browser.post("/sign-out", data=form)).status_code == 403
        assert (await browser.get("/api/v1/me")).status_code == 200

    async def test_form_field_as_a_file(self, browser):
        token = await self.token_of(browser)
        answer = await browser.post("/sign-out", files={"csrf_token": ("name", token)})
        assert answer.status_code == 403

    async def test_token_of_another_session(self, shared, browser):
        other = shared.app.client()
        await other.post("/sign-in", data={"username": "admin", "password": PASSWORD})
        headers = {"X-CSRF-Token": await self.token_of(other)}
        assert (await browser.post(self.DEVICE, json=self.BODY, headers=headers)).status_code == 403

    async def test_api_token_needs_no_csrf_token(self, shared):
        assert (await shared.admin.post(self.DEVICE, json=self.BODY)).status_code == 201

    async def test_wrong_bearer_is_not_saved_by_a_cookie(self, browser):
        answer = await browser.get("/api/v1/me", headers={"Authorization": "Bearer fkt_wrong"})
        assert answer.status_code == 401

    @pytest.mark.parametrize("username", ["a\x00b", "x" * 10_000, "é", "' OR 1=1 --"])
    async def test_hostile_user_name_is_refused_like_any_other(self, shared, username):
        answer = await shared.app.client().post("/sign-in", data={"username": username, "password": "p"})
        assert answer.status_code in {401, 429}
