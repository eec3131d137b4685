"""People at browsers who protect their accounts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pyotp
import pytest
from sqlalchemy import select, text

from fleetkeeper.audit.models import AuditEntry
from fleetkeeper.database.context import product_context
from fleetkeeper.identity.permissions import Role
from fleetkeeper.identity.sign_in import totp
from fleetkeeper.kit.clock import utc_now
from tests.fixtures.clean_database import CleanDatabase, Recording
from tests.fixtures.client import PASSWORD, Recorder, RunningApp, make_user
from tests.identity.sign_in.authenticator import Authenticator


@dataclass
class Person:
    """A user with a password, at a browser."""

    app: RunningApp
    name: str
    client: httpx.AsyncClient
    # When the authenticator app is looked at, on this side and on the product's.
    moment: datetime
    totp: pyotp.TOTP | None = None
    # A code is good once, so each next one is of the step after it, which a clock may be ahead.
    steps: int = -1

    async def enter(self, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return await self.client.post("/sign-in", data={"username": self.name, "password": password} | fields)

    async def sign_in(self) -> None:
        answer = await self.enter()
        assert answer.headers["location"] == "/", answer.text

    async def csrf(self) -> dict[str, str]:
        page = await self.client.get("/account/security")
        return {"X-CSRF-Token": re.search(r'name="csrf-token"\s+content="([^"]+)"', page.text)[1]}

    async def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.client.request(method, f"/api/v1{path}", json=body, headers=await self.csrf())

    def next_code(self) -> str:
        assert self.totp is not None
        self.steps += 1
        assert self.steps <= 1, "the app has no more codes that are good now"
        return self.totp.at(self.moment + timedelta(seconds=30 * self.steps))

    async def add_totp(self) -> list[str]:
        begun = (await self.call("POST", "/account/totp")).json()
        self.totp = pyotp.TOTP(begun["secret"])
        self.steps = -2
        answer = await self.call("POST", "/account/totp/confirm", {"code": self.next_code()})
        assert answer.status_code == 200, answer.text
        codes: list[str] = answer.json()["recovery_codes"]
        return codes

    async def add_passkey(self, name: str = "laptop") -> Authenticator:
        options = (await self.call("POST", "/account/passkeys/options")).json()["public_key"]
        authenticator = Authenticator()
        body = {"name": name, "credential": authenticator.create(options)}
        answer = await self.call("POST", "/account/passkeys", body)
        assert answer.status_code == 201, answer.text
        return authenticator

    async def use_passkey(self, authenticator: Authenticator) -> httpx.Response:
        options = (await self.client.post("/api/v1/sign-in/passkey/options")).json()["public_key"]
        body = {"credential": authenticator.get(options)}
        return await self.client.post("/api/v1/sign-in/passkey", json=body)

    async def is_signed_in(self) -> bool:
        return (await self.client.get("/api/v1/me")).status_code == 200

    def elsewhere(self) -> "Person":
        """The same person at a browser that has never been here."""
        return Person(self.app, self.name, self.app.client(), self.moment, self.totp, self.steps)

    async def age_session(self, minutes: int) -> None:
        """Let the sign-in, and the last confirmation, be so long ago."""
        async with self.app.state.database.session(product_context("job", "test")) as session:
            await session.execute(
                text(
                    "UPDATE sessions SET created_at = created_at - make_interval(mins => :minutes),"
                    " confirmed_at = confirmed_at - make_interval(mins => :minutes)"
                ),
                {"minutes": minutes},
            )


@pytest.fixture
def moment(monkeypatch) -> datetime:
    """The clock of time-based codes, which stands: a step's end would make the code of the one before too old."""
    now = utc_now()
    matching_step = totp.matching_step

    def matching_step_now(secret: str, code: str, _now: datetime, last_step: int | None) -> int | None:
        return matching_step(secret, code, now, last_step)

    monkeypatch.setattr(totp, "matching_step", matching_step_now)
    return now


@pytest.fixture
def make_person(app: RunningApp, moment: datetime) -> Callable[..., Any]:
    async def make(name: str = "maria", role: Role = Role.VIEWER) -> Person:
        await make_user(app.state.database, name, role)
        return Person(app, name, app.client(), moment)

    return make


@pytest.fixture(scope="session")
async def recorded_maria(recorder: Recorder) -> Recording[str]:
    return await recorder.record(lambda app: make_user(app.state.database, "maria", Role.VIEWER))


@pytest.fixture
async def maria(
    app: RunningApp, moment: datetime, clean_database: CleanDatabase, recorded_maria: Recording[str]
) -> Person:
    """A viewer who has not signed in yet."""
    await clean_database.write(recorded_maria)
    return Person(app, "maria", app.client(), moment)


@pytest.fixture
def events(app: RunningApp) -> Callable[..., Any]:
    """The audit log's entries of one kind, oldest first."""

    async def read(action: str) -> list[AuditEntry]:
        async with app.state.database.session(product_context("job", "test")) as session:
            found = await session.scalars(
                select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
            )
            return list(found)

    return read
