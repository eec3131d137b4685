"""A provider that the product knows, and browsers that go there."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from fleetkeeper.database.context import product_context
from tests.fixtures.client import RunningApp
from tests.identity.oidc.fake_provider import CLIENT_ID, CLIENT_SECRET, FakeProvider, fake_provider

TEST = product_context("job", "test")


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with fake_provider() as provider:
        yield provider


@pytest.fixture
def add_provider(app: RunningApp, admin: httpx.AsyncClient, provider: FakeProvider) -> Callable[..., Any]:
    """Makes the provider known to the product."""

    async def add(**changes: Any) -> str:
        body = {
            "slug": "fake",
            "name": "Fake & Sons",
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "recheck_seconds": 0,
        }
        answer = await admin.post("/api/v1/identity-providers", json=body | changes)
        assert answer.status_code == 201, answer.text
        made: str = answer.json()["id"]
        return made

    return add


@dataclass
class Traveller:
    """A browser that signs in through the provider."""

    app: RunningApp
    provider: FakeProvider
    client: httpx.AsyncClient
    state: str = ""
    departed: httpx.Response | None = field(default=None)

    async def depart(self, query: str = "") -> None:
        self.departed = await self.client.get(f"/sign-in/oidc/fake{query}")
        assert self.departed.status_code == 303, self.departed.text
        self.state = self.provider.arrive(self.departed.headers["location"])

    async def come_back(self, **changes: str) -> httpx.Response:
        parameters = {"code": "good", "state": self.state} | changes
        return await self.client.get(
            "/sign-in/oidc/fake/callback", params={k: v for k, v in parameters.items() if v}
        )

    async def sign_in(self) -> httpx.Response:
        await self.depart()
        return await self.come_back()

    async def me(self) -> dict[str, Any] | None:
        answer = await self.client.get("/api/v1/me")
        return answer.json() if answer.status_code == 200 else None


@pytest.fixture
def travel(app: RunningApp, provider: FakeProvider) -> Callable[[], Traveller]:
    return lambda: Traveller(app, provider, app.client())


@pytest.fixture
def run_sql(app: RunningApp) -> Callable[..., Any]:
    async def run(statement: str, **values: Any) -> list[Any]:
        async with app.state.database.session(TEST) as session:
            found = await session.execute(text(statement), values)
            return list(found.all()) if found.returns_rows else []

    return run
