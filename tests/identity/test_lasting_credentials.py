"""A device key and what SCIM provisions may outlast what made them, and give nothing more than it had."""

from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from fleetkeeper.devices import keys
from fleetkeeper.devices.keys import OVERLAP, UNUSED_LIFETIME
from fleetkeeper.devices.models import Device
from fleetkeeper.errors import ForbiddenError
from fleetkeeper.identity.limits import Limits
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.tokens.service import create_token
from fleetkeeper.kit.clock import utc_now
from tests.attacks.test_escalation import operation
from tests.fixtures.client import PASSWORD, TEST_CONTEXT

EXAMPLES = settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=20)
_numbers = count()

steps = st.lists(
    st.tuples(st.just("use") | st.just("rotate"), st.integers(0, 5))
    | st.tuples(st.just("pass"), st.sampled_from([1, 61, 8 * 86_400]))
    | st.tuples(st.just("revoke"), st.just(0)),
    max_size=14,
)


class TestDeviceKeys:
    @EXAMPLES
    @given(steps=steps)
    async def test_a_key_ends_for_good_once_its_successor_was_used(self, session, steps):
        device = Device(name=f"d{next(_numbers)}", hostname="d")
        session.add(device)
        await session.flush()
        made = [await keys.issue_key(session, device.id)]
        parents: dict[str, str] = {}
        # Keys that are over: revoked, or replaced longer ago than the overlap. They and what they would make stay so.
        over: set[str] = set()
        replaced: set[str] = set()
        for act, number in steps:
            if act == "pass":
                past = {"past": timedelta(seconds=number)}
                await session.execute(
                    text(
                        "UPDATE device_keys SET created_at = created_at - :past, "
                        "expires_at = expires_at - :past"
                    ),
                    past,
                )
                if number > OVERLAP.total_seconds():
                    over |= replaced
                if number > UNUSED_LIFETIME.total_seconds():
                    over |= {one for one in made if one in parents and not await _was_used(session, one)}
                continue
            if act == "revoke":
                await keys.revoke_keys(session, device.id)
                over |= set(made)
                continue
            secret = made[number % len(made)]
            caller = await keys.find_caller(session, secret)
            if secret in over:
                assert caller is None
            if caller is None:
                continue
            assert caller.device_id == device.id
            # Its first use ends all that came before it.
            replaced |= set(made[: made.index(secret)])
            if act == "rotate":
                try:
                    new = await keys.rotate_key(session, caller)
                except ForbiddenError:
                    assert secret in replaced
                    continue
                assert secret not in replaced
                parents[new] = secret
                made.append(new)
        good = [one for one in made if one not in over and await keys.find_caller(session, one)]
        assert not set(good) & over


async def _was_used(session, secret: str) -> bool:
    statement = text("SELECT last_used_at IS NOT NULL FROM device_keys WHERE secret_hash = :hash")
    return bool(await session.scalar(statement, {"hash": keys.hash_secret(secret)}))


names = st.sampled_from(["admin", "viewer", "scim-0", "scim-1", "scim-2"])
wishes = st.fixed_dictionaries(
    {"userName": names, "active": st.booleans()},
    optional={
        "password": st.just(PASSWORD),
        "roles": st.just([{"value": "admin", "primary": True}]),
        "entitlements": st.just([{"value": "tokens:write"}]),
        "groups": st.just([{"value": "admins", "display": "admins"}]),
        "externalId": st.sampled_from(["1", "admin"]),
        "emails": st.just([{"value": "a@example.org", "primary": True}]),
    },
)
requests = st.lists(
    st.tuples(st.just("POST"), st.just("Users"), wishes)
    | st.tuples(st.just("PUT"), st.just("Users"), wishes)
    | st.tuples(st.just("PATCH"), st.just("Users"), wishes)
    | st.tuples(st.sampled_from(["POST", "PUT", "PATCH"]), st.just("Groups"), names),
    min_size=1,
    max_size=6,
)


@pytest.fixture
async def provider(app, admin, viewer, connection):
    """A client with a token of an administrator that may do SCIM and nothing else, and a group with the role admin."""
    group = (await admin.post("/api/v1/groups", json={"name": "admins"})).json()["id"]
    answer = await admin.post(f"/api/v1/groups/{group}/memberships", json={"role": Role.ADMIN})
    assert answer.status_code == 201, answer.text
    limits = Limits(permissions=[Permission.SCIM_WRITE])
    async with app.state.database.session(TEST_CONTEXT) as session:
        now = utc_now()
        secret = await create_token(
            session, "admin", "scim", now=now, limits=limits, expires_at=now + timedelta(hours=1)
        )
    async with app.client(secret) as client:
        yield client


class TestScim:
    @EXAMPLES
    @given(asked=requests)
    async def test_gives_no_role_no_password_and_no_token(self, provider, connection, asked):
        before = _rights(connection)
        local = [
            row[0]
            for row in connection.execute("SELECT id::text FROM users WHERE source = 'local'").fetchall()
        ]
        groups = [row[0] for row in connection.execute("SELECT id::text FROM groups").fetchall()]
        for method, kind, wish in asked:
            schema = f"urn:ietf:params:scim:schemas:core:2.0:{kind[:-1]}"
            if kind == "Users":
                body, targets = {"schemas": [schema], **wish}, [*local, *_provisioned(connection)]
                if method == "PATCH":
                    body = {
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                        "Operations": [{"op": "add", "value": wish}],
                    }
            else:
                members = [{"value": one} for one in (*local, *_provisioned(connection))]
                body = {"schemas": [schema], "displayName": f"g{next(_numbers)}", "members": members}
                targets = groups
                if method == "PATCH":
                    body = operation("add", "members", members)
            paths = (
                [f"/scim/v2/{kind}"] if method == "POST" else [f"/scim/v2/{kind}/{one}" for one in targets]
            )
            for path in paths:
                answer = await provider.request(method, path, json=body)
                assert answer.status_code < 500, (method, path, body, answer.text)
        assert _rights(connection) == before


def _provisioned(connection) -> list[str]:
    return [
        row[0] for row in connection.execute("SELECT id::text FROM users WHERE source = 'scim'").fetchall()
    ]


def _rights(connection) -> tuple:
    """Who may do what, by their ids: a provider may take over and rename an account that exists."""
    rights = connection.execute(
        "SELECT DISTINCT u.id, permission FROM users u LEFT JOIN group_members g ON g.user_id = u.id "
        "JOIN memberships m ON m.user_id = u.id OR m.group_id = g.group_id JOIN role_permissions USING (role_id)"
    )
    return (
        set(rights.fetchall()),
        connection.execute(
            "SELECT id, password_hash FROM users WHERE password_hash IS NOT NULL ORDER BY id"
        ).fetchall(),
        connection.execute("SELECT username, enabled FROM users WHERE username = 'admin'").fetchall(),
        connection.execute("SELECT id FROM api_tokens ORDER BY id").fetchall(),
        connection.execute("SELECT id FROM memberships ORDER BY id").fetchall(),
    )
