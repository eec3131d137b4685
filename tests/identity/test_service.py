"""Sessions, and what their users may do, without HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from fleetkeeper.identity import queries, service
from fleetkeeper.identity.actor import EVERYWHERE, Scope
from fleetkeeper.identity.models import (
    BrowserSession,
    Department,
    Group,
    GroupMember,
    Membership,
    User,
)
from fleetkeeper.identity.models import Role as RoleRow
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Permission, Role
from fleetkeeper.identity.users.service import create_user

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
IDLE = timedelta(hours=12)
LIFETIME = timedelta(hours=168)
BROWSER = service.Browser("192.0.2.7", "x" * 1000)


@pytest.fixture
async def maria(session) -> User:
    return await create_user(session, "maria", None, Role.ADMIN)


async def open_session(session, user, now=NOW, **more) -> str:
    wanted = {"method": "password", "has_second_factor": False} | more
    opened = await service.open_session(session, user, BROWSER, now=now, lifetime=LIFETIME, **wanted)
    return opened.secret


async def actor_of(session, secret, now=NOW):
    found = await service.actor_of_session(session, secret, now, IDLE)
    return found and found[0]


class TestSessions:
    async def test_only_the_hash_is_stored(self, session, maria):
        secret = await open_session(session, maria)
        stored = await session.scalar(select(BrowserSession).where(BrowserSession.user_id == maria.id))
        assert secret.encode() not in stored.secret_hash
        assert stored.expires_at == NOW + LIFETIME
        assert len(stored.user_agent) == 300
        assert maria.last_login == NOW

    async def test_secrets_have_256_bits_and_differ(self, session, maria):
        secrets = {await open_session(session, maria) for _ in range(20)}
        assert len(secrets) == 20
        assert all(len(secret.removeprefix("fks_")) == 43 for secret in secrets)

    async def test_ends_when_idle(self, session, maria):
        secret = await open_session(session, maria)
        assert await actor_of(session, secret, NOW + IDLE - timedelta(seconds=1))
        assert await actor_of(session, secret, NOW + 2 * IDLE - timedelta(seconds=2))
        assert await actor_of(session, secret, NOW + 3 * IDLE) is None

    async def test_ends_after_its_lifetime_however_busy(self, session, maria):
        secret = await open_session(session, maria)
        moment = NOW
        while moment < NOW + LIFETIME:
            assert await actor_of(session, secret, moment)
            moment += timedelta(hours=6)
        assert await actor_of(session, secret, NOW + LIFETIME) is None

    async def test_use_is_written_at_most_once_a_minute(self, session, maria):
        secret = await open_session(session, maria)
        await actor_of(session, secret, NOW + timedelta(seconds=59))
        assert await session.scalar(select(BrowserSession.last_used_at)) == NOW
        await actor_of(session, secret, NOW + timedelta(seconds=61))
        assert await session.scalar(select(BrowserSession.last_used_at)) == NOW + timedelta(seconds=61)

    async def test_ends_at_once_when_its_user_is_disabled(self, session, maria):
        secret = await open_session(session, maria)
        maria.enabled = False
        await session.flush()
        assert await actor_of(session, secret) is None

    async def test_sign_out_ends_this_one_only(self, session, maria):
        first, second = await open_session(session, maria), await open_session(session, maria)
        await service.sign_out(session, await actor_of(session, first))
        assert await actor_of(session, first) is None
        assert await actor_of(session, second)

    async def test_all_but_one_of_a_user_end(self, session, maria):
        otto = await create_user(session, "otto", None, Role.VIEWER)
        kept, other, third = [await open_session(session, user) for user in (maria, maria, otto)]
        assert (
            await service.end_sessions(session, maria.id, but=(await actor_of(session, kept)).session_id) == 1
        )
        assert await actor_of(session, kept)
        assert await actor_of(session, other) is None
        assert await actor_of(session, third)
        assert await service.end_sessions(session, maria.id) == 1

    async def test_ended_sessions_are_removed(self, session, maria):
        secret = await open_session(session, maria)
        await open_session(session, maria, NOW - LIFETIME)
        await open_session(session, maria, NOW - IDLE)
        assert await queries.delete_ended_sessions(session, NOW, IDLE) == 2
        assert await actor_of(session, secret)

    @pytest.mark.parametrize("secret", ["", "x", "fks_", "fks_" + "x" * 10_000, "\x00"])
    async def test_unknown_secret(self, session, maria, secret):
        assert await actor_of(session, secret) is None


class TestActor:
    async def test_has_the_role_s_permissions_everywhere(self, session, maria):
        actor = await actor_of(session, await open_session(session, maria))
        assert actor.permissions == frozenset(Permission)
        assert all(scope == EVERYWHERE for scope in actor.grants.values())
        assert (actor.kind, actor.name, actor.roles) == ("user", "maria", ("admin",))
        assert actor.csrf_token
        assert actor.session_id

    async def test_change_counts_at_the_next_request(self, session, maria):
        secret = await open_session(session, maria)
        for membership in await session.scalars(select(Membership).where(Membership.user_id == maria.id)):
            await session.delete(membership)
        await session.flush()
        assert not (await actor_of(session, secret)).permissions

    async def test_role_of_a_group_in_a_department_holds_below_it(self, session):
        top, below, other = (Department(name=name) for name in ("top", "below", "other"))
        session.add_all([top, other])
        await session.flush()
        below.parent_id = top.id
        user, group = await create_user(session, "otto", None), Group(name="readers")
        session.add_all([below, group])
        await session.flush()
        role = await session.scalar(select(RoleRow.id).where(RoleRow.name == "viewer"))
        session.add_all(
            [
                GroupMember(group_id=group.id, user_id=user.id),
                Membership(group_id=group.id, role_id=role, department_id=top.id),
            ]
        )
        await session.flush()
        actor = await service.actor_of_user(session, user)
        assert actor.permissions == ROLE_PERMISSIONS[Role.VIEWER]
        assert actor.scope(Permission.DEVICES_READ) == Scope(departments=frozenset({top.id, below.id}))

    async def test_role_that_asks_for_a_second_factor_gives_nothing_before(self, session, maria):
        role = await session.scalar(select(RoleRow).where(RoleRow.name == "admin"))
        role.requires_second_factor = True
        await session.flush()
        without = await actor_of(session, await open_session(session, maria))
        assert without.must_enrol_second_factor
        assert not without.permissions
        with_one = await actor_of(session, await open_session(session, maria, has_second_factor=True))
        assert not with_one.must_enrol_second_factor
        assert with_one.permissions == frozenset(Permission)
