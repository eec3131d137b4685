"""A signed-in browser, without the browser."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from fleetkeeper.identity.permissions import Role
from tests.fixtures.client import PASSWORD, RunningApp, make_user

PARTIAL = {"HX-Request": "true", "HX-Request-Type": "partial"}


@dataclass
class Browser:
    """A client with a session cookie and the CSRF token of its pages."""

    client: httpx.AsyncClient
    csrf_token: str

    async def page(self, address: str, status: int = 200) -> str:
        """A whole page."""
        answer = await self.client.get(address)
        assert answer.status_code == status, answer.text
        return answer.text

    async def part(self, address: str, status: int = 200) -> str:
        """What htmx would swap in."""
        answer = await self.client.get(address, headers=PARTIAL)
        assert answer.status_code == status, answer.text
        return answer.text

    async def send(self, address: str, **fields: str) -> httpx.Response:
        """A form, as htmx sends it."""
        headers = PARTIAL | {"X-CSRF-Token": self.csrf_token}
        return await self.client.post(address, data=fields, headers=headers)


async def sign_in(app: RunningApp, username: str, role: Role) -> Browser:
    await make_user(app.state.database, username, role)
    client = app.client()
    answer = await client.post("/sign-in", data={"username": username, "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    page = await client.get("/devices")
    return Browser(client, re.search(r'name="csrf-token"\s+content="([^"]+)"', page.text)[1])


@pytest.fixture
async def browser(app: RunningApp) -> AsyncIterator[Browser]:
    """An administrator's browser."""
    browser = await sign_in(app, "maria", Role.ADMIN)
    yield browser
    await browser.client.aclose()


@pytest.fixture
async def viewer_browser(app: RunningApp) -> AsyncIterator[Browser]:
    browser = await sign_in(app, "victor", Role.VIEWER)
    yield browser
    await browser.client.aclose()
