"""Nothing that a credential makes or changes has more rights, a longer life or wider networks than the credential."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleetkeeper.errors import ForbiddenError, InvalidInputError
from fleetkeeper.fleet.models import EnrollmentToken
from fleetkeeper.fleet.schemas import EnrollmentTokenCreate
from fleetkeeper.fleet.service import create_enrollment_token
from fleetkeeper.identity.groups import service as groups
from fleetkeeper.identity.limits import Limits, lies_in, limits_from
from fleetkeeper.identity.memberships import service as memberships
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.roles import service as roles
from fleetkeeper.identity.roles.schemas import RoleCreate
from fleetkeeper.identity.service import actor_of_token, actor_of_user
from fleetkeeper.identity.tokens import service as tokens
from fleetkeeper.identity.tokens.schemas import TokenCreate, TokenUpdate
from fleetkeeper.identity.users import account
from fleetkeeper.identity.users import service as users
from fleetkeeper.identity.users.schemas import AccountUpdate, UserCreate, UserUpdate
from tests.factories.identity import give, make_group, make_tree, make_user

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ADDRESS = "192.0.2.7"
HERE = ip_network(f"{ADDRESS}/32")
NETWORKS = tuple(
    map(ip_network, ("192.0.2.0/24", "192.0.2.0/28", "192.0.0.0/16", "2001:db8::/32", "0.0.0.0/0", "::/0"))
)
PERMISSIONS = (
    Permission.DEVICES_READ,
    Permission.ENROLLMENT_WRITE,
    Permission.SCIM_WRITE,
    Permission.TELEMETRY_READ,
)
EXAMPLES = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=60)
LIMITS = st.fixed_dictionaries(
    {
        "permissions": st.none() | st.lists(st.sampled_from(PERMISSIONS), unique=True),
        # North, Harbour below it, and South.
        "departments": st.none() | st.lists(st.integers(0, 2), unique=True),
        "allowed_networks": st.none() | st.lists(st.sampled_from(NETWORKS), unique=True),
        "expires_at": st.none() | st.integers(1, 10).map(lambda days: NOW + timedelta(days=days)),
    }
)
BRIEF = {"expires_at": NOW + timedelta(seconds=60)}
LOCAL = {"allowed_networks": [HERE]}
_numbers = count()


@pytest.fixture
async def owner(session):
    """Somebody who may do everything, and three departments."""
    user = await make_user(session)
    await give(session, user, Role.ADMIN)
    return user, [one.id for one in await make_tree(session)]


async def token_of(session, user, *, expires_at=None, **limits):
    """A token of a user, as who it acts from ADDRESS."""
    secret = await tokens.create_token(
        session, user.username, "outer", now=NOW, expires_at=expires_at, limits=Limits(**limits)
    )
    return await actor_of_token(session, secret, NOW, ADDRESS)


def is_within(outer: Limits, inner: Limits, below: set) -> bool:
    """The rule, said in another way than the product says it."""

    def subset(one, other):
        return other is None or (one is not None and set(one) <= set(other))

    networks = outer.allowed_networks
    return (
        subset(inner.permissions, outer.permissions)
        and (outer.departments is None or subset(inner.departments, below))
        and (
            networks is None
            or (
                inner.allowed_networks is not None
                and all(lies_in(one, networks) for one in inner.allowed_networks)
            )
        )
        and (
            outer.expires_at is None
            or (inner.expires_at is not None and inner.expires_at <= outer.expires_at)
        )
    )


class TestEveryCredentialThatATokenMakes:
    @EXAMPLES
    @given(parent=LIMITS, wish=LIMITS)
    async def test_is_refused_or_within(self, session, owner, parent, wish):
        user, tree = owner
        named = parent | {
            "departments": parent["departments"] and [tree[one] for one in parent["departments"]],
            "allowed_networks": parent["allowed_networks"] and [*parent["allowed_networks"], HERE],
        }
        actor = await token_of(session, user, **named)
        if actor is None:
            # No network is nowhere.
            assert parent["allowed_networks"] == []
            return
        below = set(named["departments"] or ())
        below |= {tree[1]} if tree[0] in below else set()
        wanted = wish | {"departments": wish["departments"] and [tree[one] for one in wish["departments"]]}
        sibling = await token_of(session, user)
        for act in (
            self.make(session, actor, wanted),
            self.change(session, actor, actor.token_id, wanted),
            self.change(session, actor, sibling.token_id, wanted),
            self.rotate(session, actor, actor.token_id),
            self.rotate(session, actor, sibling.token_id),
        ):
            try:
                made = await act
            except (ForbiddenError, InvalidInputError):
                continue
            inner = limits_from(made.permissions, made.departments, made.allowed_networks, made.expires_at)
            assert is_within(actor.limits, inner, below), (actor.limits, inner)

    @staticmethod
    async def make(session, actor, wanted):
        body = wanted | {"allowed_networks": _texts(wanted["allowed_networks"])}
        return await tokens.create_own_token(session, actor, TokenCreate(name="x", **body), NOW)

    @staticmethod
    async def change(session, actor, token_id, wanted):
        body = wanted | {"allowed_networks": _texts(wanted["allowed_networks"])}
        return await tokens.update_token(session, actor, token_id, TokenUpdate(**body), NOW)

    @staticmethod
    async def rotate(session, actor, token_id):
        return await tokens.rotate_token(session, actor, token_id, timedelta(days=7), NOW)

    @EXAMPLES
    @given(parent=LIMITS, ttl_days=st.none() | st.integers(1, 10), networks=LIMITS, place=st.integers(0, 3))
    async def test_enrollment_tokens_too(self, session, owner, parent, ttl_days, networks, place):
        user, tree = owner
        parent = parent | {
            "departments": parent["departments"] and [tree[one] for one in parent["departments"]],
            "allowed_networks": parent["allowed_networks"] and [*parent["allowed_networks"], HERE],
        }
        actor = await token_of(session, user, **parent)
        if actor is None:
            return
        department = None if place == 3 else tree[place]
        body = {"name": "x", "department_id": department}
        body["allowed_networks"] = _texts(networks["allowed_networks"])
        if ttl_days is not None:
            body["ttl_seconds"] = ttl_days * 86_400
        try:
            made = await create_enrollment_token(session, actor, EnrollmentTokenCreate(**body), NOW)
        except InvalidInputError:
            return
        assert actor.may_in(Permission.ENROLLMENT_WRITE, department)
        stored = await session.get(EnrollmentToken, made.id)
        inner = limits_from((), (), stored.allowed_networks, stored.expires_at)
        assert is_within(actor.limits, inner, set())


def _texts(networks):
    return None if networks is None else [str(one) for one in networks]


@pytest.mark.parametrize("limits", [BRIEF, LOCAL], ids=["brief", "local"])
class TestTokenThatEndsOrHoldsInSomeNetworks:
    """What has no end and holds everywhere does not come from it, whatever its user may do."""

    async def test_touches_no_other_token(self, session, owner, limits):
        user, _ = owner
        actor, sibling = await token_of(session, user, **limits), await token_of(session, user)
        for act in (
            tokens.rotate_token(session, actor, sibling.token_id, timedelta(0), NOW),
            tokens.update_token(session, actor, sibling.token_id, TokenUpdate(name="mine"), NOW),
            account.update_account(session, actor, AccountUpdate(email="a@example.org")),
        ):
            with pytest.raises(ForbiddenError, match="limited token"):
                await act

    async def test_gives_no_role_and_no_way_to_sign_in(self, session, owner, limits):
        user, (north, _, _) = owner
        other = await make_user(session)
        group = await make_group(session)
        await give(session, group, Role.VIEWER)
        actor = await token_of(session, user, **limits)
        password = "a long enough password"
        for act in (
            memberships.add_membership(session, actor, Role.VIEWER, None, user_id=other.id),
            memberships.add_member(session, actor, north, other.username, Role.VIEWER),
            groups.add_member(session, actor, group.id, other.id),
            roles.create_role(session, actor, RoleCreate(name=f"r{next(_numbers)}", permissions=[])),
            users.add_user(session, actor, UserCreate(username=f"u{next(_numbers)}", password=password)),
            users.add_user(session, actor, UserCreate(username=f"u{next(_numbers)}", role=Role.VIEWER)),
            users.set_password(session, actor, other.id, password),
            users.set_enabled(session, actor, other.id, enabled=True),
            users.update_user(session, actor, other.id, UserUpdate(email="mine@example.org")),
        ):
            with pytest.raises(ForbiddenError, match="expires, or is limited to networks"):
                await act

    async def test_takes_away(self, session, owner, limits):
        user, _ = owner
        other = await make_user(session)
        group = await make_group(session, other)
        await give(session, group, Role.VIEWER)
        membership = await give(session, other, Role.VIEWER)
        actor = await token_of(session, user, **limits)
        await memberships.remove_membership(session, actor, membership.id, user_id=other.id)
        await groups.remove_member(session, actor, group.id, other.id)
        assert not (await users.set_enabled(session, actor, other.id, enabled=False)).enabled
        assert (await actor_of_user(session, other)).permissions == frozenset()


async def test_what_a_brief_token_s_enrollment_token_lasts_without_a_wish(session, owner):
    actor = await token_of(session, owner[0], **BRIEF, **LOCAL)
    made = await create_enrollment_token(session, actor, EnrollmentTokenCreate(name="x"), NOW)
    assert made.expires_at == BRIEF["expires_at"]
    assert made.allowed_networks == [str(HERE)]
    with pytest.raises(InvalidInputError) as refusal:
        await create_enrollment_token(
            session,
            actor,
            EnrollmentTokenCreate(name="x", ttl_seconds=61, allowed_networks=["0.0.0.0/0"]),
            NOW,
        )
    assert {one.field for one in refusal.value.fields} == {"ttl_seconds", "allowed_networks"}
