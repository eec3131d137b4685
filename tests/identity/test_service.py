"""Accounts, sign-in, sessions and tokens, without HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from fleetkeeper.errors import ConflictError, InvalidInputError, UnauthenticatedError
from fleetkeeper.identity import passwords, queries, service
from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.identity.permissions import Permission, Role

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
IDLE = timedelta(hours=12)
LIFETIME = timedelta(hours=168)
PASSWORD = "a long enough password"


@pytest.fixture
async def maria(session) -> User:
    return await service.create_user(session, "maria", PASSWORD, Role.ADMIN)


async def sign_in(session, username="maria", password=PASSWORD, now=NOW) -> service.SignIn:
    return await service.sign_in(
        session, username, password, now=now, lifetime=LIFETIME, address="192.0.2.7", user_agent="x" * 1000
    )


class TestAccounts:
    async def test_password_is_stored_as_argon2id(self, maria):
        assert maria.password_hash.startswith("$argon2id$")
        assert PASSWORD not in maria.password_hash

    @pytest.mark.parametrize("password", ["", "short", "x" * 7, "x" * 257])
    async def test_password_has_a_length(self, session, password):
        with pytest.raises(InvalidInputError) as refusal:
            await service.create_user(session, "otto", password, Role.VIEWER)
        assert refusal.value.fields[0].field == "password"

    @pytest.mark.parametrize("username", ["", "  ", "x" * 101, "a\x00b", "\ud800"])
    async def test_user_name_that_cannot_be_one(self, session, username):
        with pytest.raises(InvalidInputError) as refusal:
            await service.create_user(session, username, PASSWORD, Role.VIEWER)
        assert refusal.value.fields[0].field == "username"

    async def test_names_differ_by_more_than_case(self, session, maria):
        with pytest.raises(ConflictError):
            await service.create_user(session, "MARIA", PASSWORD, Role.VIEWER)


class TestSignIn:
    async def test_opens_a_session_of_which_only_the_hash_is_stored(self, session, maria):
        found = await sign_in(session, "Maria")
        stored = await session.scalar(select(BrowserSession).where(BrowserSession.user_id == maria.id))
        assert found.secret.encode() not in stored.secret_hash
        assert stored.expires_at == NOW + LIFETIME
        assert len(stored.user_agent) == 300
        assert maria.last_login == NOW

    @pytest.mark.parametrize(
        ("username", "password"),
        [
            ("maria", "wrong"),
            ("maria", ""),
            ("nobody", PASSWORD),
            ("", ""),
            ("maria\x00", PASSWORD),
            ("\ud800", PASSWORD),
        ],
    )
    async def test_refusals_do_not_tell_which_was_wrong(self, session, maria, username, password):
        with pytest.raises(UnauthenticatedError, match=r"The user name or the password is wrong\."):
            await sign_in(session, username, password)

    @pytest.mark.parametrize("username", ["maria", "nobody", "disabled", "external", "maria\x00"])
    async def test_each_refusal_costs_one_verification(self, session, maria, monkeypatch, username):
        """Else the time of the answer would tell which accounts there are."""
        await service.create_user(session, "disabled", PASSWORD, Role.VIEWER)
        await session.execute(update(User).where(User.username == "disabled").values(enabled=False))
        session.add(User(username="external", name="", role="viewer", password_hash=None))
        await session.flush()
        passwords._hash_of_nobody()
        verified = []
        verify = passwords._hasher.verify

        class CountingHasher:
            @staticmethod
            def verify(stored, password):
                verified.append(stored)
                return verify(stored, password)

        monkeypatch.setattr(passwords, "_hasher", CountingHasher)
        with pytest.raises(UnauthenticatedError):
            await sign_in(session, username, PASSWORD if username != "maria" else "wrong")
        (stored,) = verified
        # The dummy costs what a real one costs.
        assert stored.split("$")[1:4] == maria.password_hash.split("$")[1:4]

    async def test_disabled_user_is_refused(self, session, maria):
        maria.enabled = False
        await session.flush()
        with pytest.raises(UnauthenticatedError):
            await sign_in(session)


class TestSessions:
    async def actor(self, session, secret, now):
        return await service.actor_of_session(session, secret, now, IDLE)

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


class TestTokens:
    async def test_token_acts_as_its_user(self, session, maria):
        secret = await service.create_token(session, "maria", "script", now=NOW)
        actor = await service.actor_of_token(session, secret, NOW + timedelta(days=10_000))
        assert (actor.username, actor.role, actor.csrf_token) == ("maria", "admin", None)
        stored = await session.scalar(select(ApiToken))
        assert secret.encode() not in stored.secret_hash
        assert stored.last_used_at == NOW + timedelta(days=10_000)

    async def test_expired_token(self, session, maria):
        expiry = NOW + timedelta(days=1)
        secret = await service.create_token(session, "maria", "script", now=NOW, expires_at=expiry)
        assert await service.actor_of_token(session, secret, expiry - timedelta(seconds=1))
        assert await service.actor_of_token(session, secret, expiry) is None

    async def test_token_of_a_disabled_user(self, session, maria):
        secret = await service.create_token(session, "maria", "script", now=NOW)
        maria.enabled = False
        await session.flush()
        assert await service.actor_of_token(session, secret, NOW) is None

    @pytest.mark.parametrize(
        ("user", "name", "field"),
        [
            ("nobody", "x", "user"),
            ("maria", " ", "name"),
            ("maria", "x" * 101, "name"),
            ("maria", "a\x00", "name"),
        ],
    )
    async def test_token_that_cannot_be_made(self, session, maria, user, name, field):
        with pytest.raises(InvalidInputError) as refusal:
            await service.create_token(session, user, name, now=NOW)
        assert refusal.value.fields[0].field == field

    async def test_secrets_have_256_bits_and_differ(self, session, maria):
        secrets = {await service.create_token(session, "maria", "x", now=NOW) for _ in range(20)}
        assert len(secrets) == 20
        assert all(len(secret.removeprefix("fkt_")) == 43 for secret in secrets)
