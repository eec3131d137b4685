"""API tokens: what limits them, that none exceeds whoever makes it, rotation and revocation."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import delete, select

from fleetkeeper.errors import ForbiddenError, InvalidInputError, NotFoundError
from fleetkeeper.identity.models import ApiToken, Membership
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.service import actor_of_token, actor_of_user, actor_of_user_id
from fleetkeeper.identity.tokens import service
from fleetkeeper.identity.tokens.presets import Preset
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenUpdate
from tests.factories.identity import give, make_actor, make_role, make_token, make_tree, make_user

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "192.0.2.7"


@pytest.fixture
async def otto(session):
    user = await make_user(session)
    await give(session, user, Role.OPERATOR)
    return user


async def use(session, secret, now=NOW, address=ADDRESS):
    return await actor_of_token(session, secret, now, address)


async def make(session, actor, **limits):
    return await service.create_own_token(session, actor, TokenCreate(name="x", **limits), NOW)


class TestLimits:
    async def test_permissions(self, session, otto):
        made = await make(session, await actor_of_user(session, otto), permissions=["devices:read"])
        actor = await use(session, made.token)
        assert actor.permissions == {Permission.DEVICES_READ}
        assert actor.kind == "token"

    @pytest.mark.parametrize(
        ("preset", "expected"),
        [
            (
                Preset.READ,
                {
                    "alerts:read",
                    "departments:read",
                    "devices:read",
                    "enrollment:read",
                    "fields:read",
                    "orders:read",
                    "requests:read",
                    "stock:read",
                    "tags:read",
                    "telemetry:read",
                },
            ),
            (Preset.ADMINISTER, None),
        ],
    )
    async def test_a_preset_is_at_most_what_its_user_has(self, session, otto, preset, expected):
        made = await make(session, await actor_of_user(session, otto), preset=preset)
        assert made.permissions == (expected and sorted(expected))

    async def test_a_preset_that_would_not_work_is_refused(self, session, otto):
        with pytest.raises(InvalidInputError) as refusal:
            await make(session, await actor_of_user(session, otto), preset=Preset.SEND_TELEMETRY)
        assert [(one.field, one.message) for one in refusal.value.fields] == [
            ("preset", "You do not have telemetry:write yourself")
        ]

    def test_a_preset_and_a_list_are_not_given_together(self):
        with pytest.raises(ValidationError, match="either a preset or a list"):
            TokenCreate(name="x", preset=Preset.READ, permissions=["devices:read"])

    async def test_departments_with_those_below(self, session, otto):
        north, harbour, south = await make_tree(session)
        made = await make(session, await actor_of_user(session, otto), departments=[north.id])
        actor = await use(session, made.token)
        assert actor.may_in(Permission.DEVICES_READ, harbour.id)
        assert not actor.may_in(Permission.DEVICES_READ, south.id)
        assert not actor.may_everywhere(Permission.DEVICES_READ)

    @pytest.mark.parametrize(
        ("address", "works"),
        [("192.0.2.7", True), ("198.51.100.1", False), ("2001:db8::1", True), ("::1", False), ("", False)],
    )
    async def test_networks(self, session, otto, address, works):
        actor = await actor_of_user(session, otto)
        made = await make(session, actor, allowed_networks=["192.0.2.0/24", "2001:db8::/32"])
        assert made.allowed_networks == ["192.0.2.0/24", "2001:db8::/32"]
        assert bool(await use(session, made.token, address=address)) is works

    async def test_expiry(self, session, otto):
        expiry = NOW + timedelta(days=1)
        made = await make(session, await actor_of_user(session, otto), expires_at=expiry)
        assert await use(session, made.token, expiry - timedelta(seconds=1))
        assert await use(session, made.token, expiry) is None

    async def test_what_the_user_loses_the_token_loses(self, session, otto):
        made = await make(session, await actor_of_user(session, otto), permissions=["devices:write"])
        await session.execute(delete(Membership).where(Membership.user_id == otto.id))
        assert (await use(session, made.token)).permissions == frozenset()

    @pytest.mark.parametrize(
        ("limits", "field"),
        [
            ({"permissions": ["users:write"]}, "permissions"),
            ({"departments": [str(uuid4())]}, "departments"),
            ({"expires_at": NOW - timedelta(seconds=1)}, "expires_at"),
            ({"expires_at": NOW + timedelta(days=4000)}, "expires_at"),
        ],
    )
    async def test_that_would_not_work_are_told(self, session, otto, limits, field):
        with pytest.raises(InvalidInputError) as refusal:
            await make(session, await actor_of_user(session, otto), **limits)
        assert refusal.value.fields[0].field == field

    async def test_department_elsewhere(self, session):
        north, _, south = await make_tree(session)
        actor = await make_actor(session, Role.OPERATOR, north)
        assert await make(session, actor, departments=[north.id])
        with pytest.raises(InvalidInputError):
            await make(session, actor, departments=[south.id])


class TestTokensOfTokens:
    """A token makes none that may do more than itself."""

    @pytest.fixture
    async def limited(self, session, otto):
        north, harbour, _ = await make_tree(session)
        made = await make(
            session,
            await actor_of_user(session, otto),
            permissions=["devices:read", "telemetry:read"],
            departments=[north.id],
            allowed_networks=["192.0.2.0/24"],
            expires_at=NOW + timedelta(days=10),
        )
        return await use(session, made.token), harbour

    async def test_without_limits_of_its_own_it_has_those_of_its_maker(self, session, limited):
        actor, _ = limited
        made = await make(session, actor)
        assert made.permissions == ["devices:read", "telemetry:read"]
        assert made.allowed_networks == ["192.0.2.0/24"]
        assert made.expires_at == NOW + timedelta(days=10)
        again = await use(session, made.token)
        assert dict(again.grants) == dict(actor.grants)

    async def test_narrower_is_good(self, session, limited):
        actor, harbour = limited
        made = await make(
            session,
            actor,
            permissions=["devices:read"],
            departments=[harbour.id],
            allowed_networks=["192.0.2.8/30"],
            expires_at=NOW + timedelta(days=1),
        )
        assert made.departments == [harbour.id]

    @pytest.mark.parametrize(
        ("limits", "field"),
        [
            ({"permissions": ["devices:write"]}, "permissions"),
            ({"allowed_networks": ["192.0.0.0/16"]}, "allowed_networks"),
            ({"allowed_networks": ["::/0"]}, "allowed_networks"),
            ({"expires_at": NOW + timedelta(days=11)}, "expires_at"),
        ],
    )
    async def test_wider_is_not(self, session, limited, limits, field):
        with pytest.raises(InvalidInputError) as refusal:
            await make(session, limited[0], **limits)
        assert refusal.value.fields[0].field == field

    async def test_nor_does_it_widen_itself(self, session, limited):
        actor, _ = limited
        changed = await service.update_token(
            session, actor, actor.token_id, TokenUpdate(permissions=None, expires_at=None), NOW
        )
        assert changed.permissions == ["devices:read", "telemetry:read"]
        assert changed.expires_at == NOW + timedelta(days=10)

    async def test_nor_touches_its_user_s_other_tokens(self, session, otto, limited):
        actor, _ = limited
        await make_token(session, otto)
        other = await session.scalar(select(ApiToken).where(ApiToken.name == "test"))
        for act in (
            service.rotate_token(session, actor, other.id, timedelta(0), NOW),
            service.update_token(session, actor, other.id, TokenUpdate(name="mine"), NOW),
            service.revoke_token(session, actor, other.id),
        ):
            with pytest.raises(ForbiddenError):
                await act

    async def test_it_may_rotate_itself(self, session, limited):
        actor, _ = limited
        rotated = await service.rotate_token(session, actor, actor.token_id, timedelta(hours=1), NOW)
        assert (await use(session, rotated.token)).token_id == actor.token_id


class TestRotation:
    async def test_old_secret_works_for_the_overlap(self, session, otto):
        actor = await actor_of_user(session, otto)
        made = await make(session, actor)
        rotated = await service.rotate_token(session, actor, made.id, timedelta(hours=1), NOW)
        assert rotated.token != made.token
        for secret in (made.token, rotated.token):
            assert (await use(session, secret, NOW + timedelta(minutes=59))).token_id == made.id
        assert await use(session, made.token, NOW + timedelta(hours=1)) is None
        assert await use(session, rotated.token, NOW + timedelta(hours=1))

    async def test_without_overlap_the_old_secret_ends_at_once(self, session, otto):
        actor = await actor_of_user(session, otto)
        made = await make(session, actor)
        await service.rotate_token(session, actor, made.id, timedelta(0), NOW)
        assert await use(session, made.token) is None

    async def test_twice_leaves_the_last_two(self, session, otto):
        actor = await actor_of_user(session, otto)
        made = await make(session, actor)
        second = await service.rotate_token(session, actor, made.id, timedelta(hours=1), NOW)
        await service.rotate_token(session, actor, made.id, timedelta(hours=1), NOW)
        assert await use(session, made.token) is None
        assert await use(session, second.token)


class TestOthers:
    async def test_are_not_there(self, session, otto):
        made = await make(session, await actor_of_user(session, otto))
        stranger = await make_actor(session, Role.OPERATOR)
        assert (await service.list_tokens(session, stranger, [])).count == 0
        for act in (
            service.get_token(session, stranger, made.id),
            service.revoke_token(session, stranger, made.id),
            service.rotate_token(session, stranger, made.id, timedelta(0), NOW),
        ):
            with pytest.raises(NotFoundError):
                await act

    async def test_an_administrator_revokes_them_and_cannot_become_their_user(self, session, otto):
        made = await make(session, await actor_of_user(session, otto))
        admin = await make_actor(session, Role.ADMIN)
        assert (await service.get_token(session, admin, made.id)).username == otto.username
        with pytest.raises(ForbiddenError):
            await service.rotate_token(session, admin, made.id, timedelta(0), NOW)
        await service.revoke_token(session, admin, made.id)
        assert await use(session, made.token) is None

    async def test_who_may_only_look_revokes_nothing(self, session, otto):
        made = await make(session, await actor_of_user(session, otto))
        looker = await make_actor(session, await make_role(session, Permission.TOKENS_READ))
        assert await service.get_token(session, looker, made.id)
        with pytest.raises(ForbiddenError):
            await service.revoke_token(session, looker, made.id)


async def test_no_token_before_the_second_factor(session, otto):
    from dataclasses import replace

    waiting = replace(await actor_of_user_id(session, otto.id), grants={}, must_enrol_second_factor=True)
    with pytest.raises(ForbiddenError, match="second factor"):
        await make(session, waiting)


@pytest.mark.parametrize(
    ("user", "name", "field"),
    [("nobody", "x", "user"), ("", " ", "name"), ("", "x" * 101, "name"), ("", "a\x00", "name")],
)
async def test_token_that_cannot_be_made(session, otto, user, name, field):
    with pytest.raises(InvalidInputError) as refusal:
        await service.create_token(session, user or otto.username, name, now=NOW)
    assert refusal.value.fields[0].field == field


async def test_secrets_have_256_bits_and_differ_and_are_not_stored(session, otto):
    secrets = {await make_token(session, otto, allowed_networks=[ip_network("::/0")]) for _ in range(20)}
    assert len(secrets) == 20
    assert all(len(secret.removeprefix("fkt_")) == 43 for secret in secrets)
    stored = b"".join(await session.scalars(select(ApiToken.secret_hash)))
    assert not any(secret.encode() in stored for secret in secrets)
