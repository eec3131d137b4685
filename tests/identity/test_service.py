"""Browser sessions, and what their users may do, without HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from fleetkeeper.identity import queries, service
from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.users.service import create_user

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
IDLE = timedelta(hours=12)
LIFETIME = timedelta(hours=168)
PASSWORD = "a long enough password"


@pytest.fixture
async def maria(session) -> User:
    return await create_user(session, "maria", PASSWORD, Role.ADMIN)


async def sign_in(session, now=NOW) -> service.SignedIn:
    user = await queries.find_user(session, "Maria")
    browser = service.Browser("192.0.2.7", "x" * 1000)
    return await service.open_session(
        session, user, browser, now=now, lifetime=LIFETIME, method="password", has_second_factor=False
    )


class TestSessions:
    async def actor(self, session, secret, now):
        found = await service.actor_of_session(session, secret, now, IDLE)
        return found and found[0]

    async def test_actor_has_the_role_s_permissions(self, session, maria):
        actor = await self.actor(session, (await sign_in(session)).secret, NOW)
        assert actor.permissions == frozenset(Permission)
        assert actor.csrf_token
        assert actor.session_id

    async def test_session_ends_when_idle(self, session, maria):
        secret = (await sign_in(session)).secret
        assert await self.actor(session, secret, NOW + IDLE - timedelta(seconds=1))
        assert await self.actor(session, secret, NOW + 2 * IDLE - timedelta(seconds=2))
        assert await self.actor(session, secret, NOW + 3 * IDLE) is None

    async def test_session_ends_after_its_lifetime_however_busy(self, session, maria):
        secret = (await sign_in(session)).secret
        moment = NOW
        while moment < NOW + LIFETIME:
            assert await self.actor(session, secret, moment)
            moment += timedelta(hours=6)
        assert await self.actor(session, secret, NOW + LIFETIME) is None

    async def test_use_is_written_at_most_once_a_minute(self, session, maria):
        secret = (await sign_in(session)).secret
        await self.actor(session, secret, NOW + timedelta(seconds=59))
        assert await session.scalar(select(BrowserSession.last_used_at)) == NOW
        await self.actor(session, secret, NOW + timedelta(seconds=61))
        assert await session.scalar(select(BrowserSession.last_used_at)) == NOW + timedelta(seconds=61)

    async def test_disabled_user_s_session_ends_at_once(self, session, maria):
        secret = (await sign_in(session)).secret
        maria.enabled = False
        await session.flush()
        assert await self.actor(session, secret, NOW) is None

    async def test_sign_out_ends_this_session_only(self, session, maria):
        first, second = (await sign_in(session)).secret, (await sign_in(session)).secret
        await service.sign_out(session, await self.actor(session, first, NOW))
        assert await self.actor(session, first, NOW) is None
        assert await self.actor(session, second, NOW)

    async def test_ended_sessions_are_removed(self, session, maria):
        secret = (await sign_in(session)).secret
        await sign_in(session, now=NOW - LIFETIME)
        await sign_in(session, now=NOW - IDLE)
        assert await queries.delete_ended_sessions(session, NOW, IDLE) == 2
        assert await self.actor(session, secret, NOW)

    @pytest.mark.parametrize("secret", ["", "x", "fks_", "fks_" + "x" * 10_000, "\x00"])
    async def test_unknown_secret(self, session, maria, secret):
        assert await self.actor(session, secret, NOW) is None
