"""A signed-in browser, without the browser."""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select, update

from fleetkeeper.identity.models import Membership, User
from fleetkeeper.identity.permissions import Role
from tests.factories.identity import make_department
from tests.fixtures.clean_database import CleanDatabase, Recording
from tests.fixtures.client import PASSWORD, TEST_CONTEXT, Recorder, RunningApp, make_user

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


@dataclass(frozen=True)
class SignedIn:
    """What a browser keeps of signing in."""

    cookies: dict[str, str]
    csrf_token: str

    @contextlib.asynccontextmanager
    async def browser(self, app: RunningApp) -> AsyncIterator[Browser]:
        async with app.client() as client:
            client.cookies.update(self.cookies)
            yield Browser(client, self.csrf_token)


async def record_browser(recorder: Recorder, username: str, role: Role) -> Recording[SignedIn]:
    async def make(app: RunningApp) -> SignedIn:
        browser = await sign_in(app, username, role)
        await browser.client.aclose()
        return SignedIn(dict(browser.client.cookies), browser.csrf_token)

    return await recorder.record(make)


@pytest.fixture(scope="session")
async def recorded_browser(recorder: Recorder) -> Recording[SignedIn]:
    return await record_browser(recorder, "maria", Role.ADMIN)


@pytest.fixture(scope="session")
async def recorded_viewer_browser(recorder: Recorder) -> Recording[SignedIn]:
    return await record_browser(recorder, "victor", Role.VIEWER)


@pytest.fixture
async def browser(
    app: RunningApp, clean_database: CleanDatabase, recorded_browser: Recording[SignedIn]
) -> AsyncIterator[Browser]:
    """An administrator's browser."""
    async with (await clean_database.write(recorded_browser)).browser(app) as browser:
        yield browser


@pytest.fixture
async def viewer_browser(
    app: RunningApp, clean_database: CleanDatabase, recorded_viewer_browser: Recording[SignedIn]
) -> AsyncIterator[Browser]:
    async with (await clean_database.write(recorded_viewer_browser)).browser(app) as browser:
        yield browser


@pytest.fixture
async def north_browser(app: RunningApp, clean_database: CleanDatabase) -> AsyncIterator[Browser]:
    """The browser of an operator of the department North, to which nothing belongs yet."""
    del clean_database
    browser = await sign_in(app, "nora", Role.OPERATOR)
    async with app.state.database.session(TEST_CONTEXT) as session:
        north = await make_department(session, "North")
        nora = select(User.id).where(User.username == "nora").scalar_subquery()
        own = update(Membership).where(Membership.user_id == nora)
        await session.execute(own.values(department_id=north.id))
    yield browser
    await browser.client.aclose()
