"""Nobody gets more than they have: whatever one permission opens, it does not open the rest."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from fleetkeeper.database.context import product_context
from fleetkeeper.devices import service as devices
from fleetkeeper.devices.schemas import DeviceUpdate
from fleetkeeper.errors import ConflictError, ForbiddenError
from fleetkeeper.identity.actor import product_actor
from fleetkeeper.identity.permissions import Permission, Role
from fleetkeeper.identity.service import actor_of_user_id
from fleetkeeper.identity.users import service as users
from fleetkeeper.kit.secrets import hash_secret, make_secret
from tests.attacks.conftest import add_person
from tests.factories.identity import give, make_role, make_tree, make_user
from tests.fixtures.client import PASSWORD

BY_TEST = product_context("job", "test")
READING = [one for one in Permission if one.endswith(":read")]
WRITING = [one for one in Permission if not one.endswith(":read")]
NOTHING_BUT_ADMIN = "00000000-0000-7000-8000-000000000001"


@dataclass
class Climber:
    """Somebody with every permission to read, and one more, and an API token without limits."""

    id: UUID
    role: UUID
    client: httpx.AsyncClient
    admin: UUID
    admins: UUID
    provider: UUID


@pytest.fixture
async def climber(app, admin, connection, request) -> AsyncIterator[Climber]:
    user, role, token = uuid4(), uuid4(), make_secret("fkt")
    connection.execute("INSERT INTO users (id, username) VALUES (%s, 'climber')", (user,))
    connection.execute("INSERT INTO roles (id, name) VALUES (%s, 'foot of the ladder')", (role,))
    for permission in (*READING, request.param):
        connection.execute(
            "INSERT INTO role_permissions (id, role_id, permission) VALUES (gen_random_uuid(), %s, %s)",
            (role, permission),
        )
    connection.execute(
        "INSERT INTO memberships (id, user_id, role_id) VALUES (gen_random_uuid(), %s, %s)", (user, role)
    )
    connection.execute(
        "INSERT INTO api_tokens (id, user_id, name, secret_hash, created_at) "
        "VALUES (gen_random_uuid(), %s, 'climb', %s, now())",
        (user, hash_secret(token)),
    )
    # A group and a provider that give the role admin.
    provider, admins = uuid4(), uuid4()
    connection.execute(
        "INSERT INTO identity_providers (id, slug, name, issuer, client_id) "
        "VALUES (%s, 'idp', 'IdP', 'https://idp.example', 'x')",
        (provider,),
    )
    connection.execute("INSERT INTO groups (id, name) VALUES (%s, 'admins')", (admins,))
    connection.execute(
        "INSERT INTO groups (id, name, source, provider_id) VALUES (gen_random_uuid(), 'idp-admins', 'oidc', %s)",
        (provider,),
    )
    connection.execute(
        "INSERT INTO memberships (id, group_id, role_id) SELECT gen_random_uuid(), id, %s FROM groups",
        (NOTHING_BUT_ADMIN,),
    )
    (admin_id,) = connection.execute("SELECT id FROM users WHERE username = 'admin'").fetchone()
    async with app.client(token) as client:
        yield Climber(user, role, client, admin_id, admins, provider)


def ways_up(climber: Climber) -> list[tuple[str, str, object]]:
    """Every door behind which there could be more."""
    own, admin, oneself = climber.role, climber.admin, f"/api/v1/users/{climber.id}"
    every = [str(one) for one in Permission]
    user = {"username": "puppet", "password": PASSWORD}
    scim = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "admin", "active": False}
    return [
        ("POST", f"{oneself}/memberships", {"role": "admin"}),
        ("POST", f"{oneself}/memberships", {"role": "manager"}),
        ("POST", "/api/v1/users", user | {"role": "admin"}),
        ("POST", "/api/v1/users", user | {"username": "puppet2", "is_admin": True, "roles": ["admin"]}),
        ("PATCH", oneself, {"is_admin": True}),
        ("PATCH", oneself, {"source": "scim", "external_id": "boss"}),
        ("PATCH", "/api/v1/account", {"role": "admin", "roles": ["admin"], "permissions": every}),
        ("PATCH", "/api/v1/account", {"username": "admin"}),
        ("PUT", f"/api/v1/users/{admin}/password", {"password": PASSWORD + "2"}),
        ("POST", f"/api/v1/users/{admin}/password", {"password": PASSWORD + "2"}),
        ("PATCH", f"/api/v1/users/{admin}", {"username": "was-admin"}),
        ("POST", f"/api/v1/users/{admin}/disable", {"change_reason": "x"}),
        ("DELETE", f"/api/v1/users/{admin}", None),
        ("PATCH", f"/api/v1/roles/{own}", {"permissions": every}),
        ("PATCH", f"/api/v1/roles/{NOTHING_BUT_ADMIN}", {"name": "x"}),
        ("POST", "/api/v1/roles", {"name": "up", "permissions": every}),
        ("POST", "/api/v1/groups", {"name": "mine", "permissions": every, "role": "admin"}),
        ("PUT", f"/api/v1/groups/{climber.admins}/members/{climber.id}", None),
        ("POST", f"/api/v1/groups/{climber.admins}/members", {"user_id": str(climber.id)}),
        ("POST", f"/api/v1/groups/{climber.admins}/memberships", {"role": "viewer"}),
        ("DELETE", f"/api/v1/groups/{climber.admins}", None),
        ("POST", "/api/v1/departments", {"name": "Mine", "manager_id": str(climber.id)}),
        ("POST", "/api/v1/tokens", {"name": "up", "permissions": every}),
        ("POST", "/api/v1/tokens", {"name": "up", "user_id": str(admin), "username": "admin"}),
        ("PATCH", f"/api/v1/identity-providers/{climber.provider}", {"issuer": "https://evil.example"}),
        ("PATCH", f"/api/v1/identity-providers/{climber.provider}", {"groups_claim": "name"}),
        ("PATCH", f"/api/v1/identity-providers/{climber.provider}", {"scim_claim": "email"}),
        ("DELETE", f"/api/v1/identity-providers/{climber.provider}", None),
        ("PUT", f"/scim/v2/Users/{admin}", scim),
        ("PATCH", f"/scim/v2/Users/{admin}", operation("replace", "active", False)),
        ("DELETE", f"/scim/v2/Users/{admin}", None),
        (
            "PATCH",
            f"/scim/v2/Groups/{climber.admins}",
            operation("add", "members", [{"value": str(climber.id)}]),
        ),
    ]


def operation(op: str, path: str, value: object) -> dict:
    schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    return {"schemas": [schema], "Operations": [{"op": op, "path": path, "value": value}]}


def powers(connection: psycopg.Connection) -> tuple:
    """Who may do what, by which way, and what an administrator's account is."""
    return (
        connection.execute(
            "SELECT username, permission FROM users u "
            "LEFT JOIN group_members g ON g.user_id = u.id "
            "JOIN memberships m ON m.user_id = u.id OR m.group_id = g.group_id "
            "JOIN role_permissions USING (role_id) WHERE username <> 'puppet' ORDER BY 1, 2"
        ).fetchall(),
        connection.execute(
            "SELECT username, password_hash, enabled, source, external_id FROM users WHERE username LIKE '%admin%'"
        ).fetchall(),
        connection.execute("SELECT issuer, groups_claim, scim_claim FROM identity_providers").fetchall(),
        connection.execute("SELECT name FROM groups WHERE name <> 'mine' ORDER BY name").fetchall(),
        connection.execute("SELECT count(*) FROM departments WHERE manager_id IS NOT NULL").fetchone(),
        connection.execute(
            "SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE username = 'puppet'"
        ).fetchone(),
    )


class TestOnePermission:
    @pytest.mark.parametrize("climber", WRITING, indirect=True)
    async def test_does_not_open_the_rest(self, climber, connection):
        before = powers(connection)
        own = (await climber.client.get("/api/v1/me")).json()
        tried = {}
        for method, path, body in ways_up(climber):
            headers = {"X-Change-Reason": "climbing"}
            answer = await climber.client.request(method, path, json=body, headers=headers)
            assert answer.status_code < 500, (method, path, answer.text)
            tried[method, path] = answer.status_code
            assert powers(connection) == before, (method, path, answer.status_code, answer.text)
        assert (await climber.client.get("/api/v1/me")).json() == own
        # Doors that are not there would prove nothing.
        assert sum(status in {404, 405} for status in tried.values()) <= 12, tried

    async def test_an_administrator_passes_the_same_doors(self, app, admin, connection):
        """So that what refuses above is the lack of rights, and no misspelt address."""
        body = {"username": "puppet", "password": PASSWORD, "role": "admin"}
        assert (await admin.post("/api/v1/users", json=body)).status_code == 201
        every = [str(one) for one in Permission]
        made = await admin.post("/api/v1/roles", json={"name": "up", "permissions": every})
        assert made.status_code == 201
        answer = await admin.patch(f"/api/v1/roles/{made.json()['id']}", json={"permissions": every[:3]})
        assert answer.status_code == 200


class TestLastAdministrator:
    @pytest.mark.parametrize("act", ["delete", "disable"])
    async def test_two_who_take_each_other_away_leave_one(self, app, admin, connection, act):
        """The second waits for the first, and then finds that it would take the last one away."""
        add_person(connection, "other", Role.ADMIN, None)
        ids = dict(connection.execute("SELECT username, id FROM users").fetchall())
        database, root = app.state.database, product_actor("command", "test")

        async def take_away(session, username: str) -> None:
            if act == "delete":
                await users.delete_user(session, root, ids[username])
            else:
                await users.set_enabled(session, root, ids[username], enabled=False)

        async def second() -> None:
            async with database.session(BY_TEST) as session:
                await take_away(session, "other")

        async with database.session(BY_TEST) as session:
            await take_away(session, "admin")
            racing = asyncio.create_task(second())
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while connection.execute(waits).fetchone() == (0,):
                assert not racing.done()
                await asyncio.sleep(0)
        with pytest.raises(ConflictError, match="Nobody would have the role admin"):
            await racing
        left = "SELECT username FROM users WHERE enabled"
        assert connection.execute(left).fetchall() == [("other",)]

    async def test_neither_by_scim_nor_by_a_group(self, app, admin, connection):
        (own,) = connection.execute("SELECT id FROM users").fetchone()
        body = operation("replace", "active", False)
        assert (await admin.patch(f"/scim/v2/Users/{own}", json=body)).status_code == 403
        assert (await admin.delete(f"/scim/v2/Users/{own}")).status_code == 403
        assert connection.execute("SELECT enabled FROM users").fetchone() == (True,)

    async def test_a_provider_changes_no_local_administrator(self, app, admin, connection):
        """Somebody must be left who comes in when the provider is wrong, away or taken over."""
        add_person(connection, "keeper", Role.ADMIN, None)
        add_person(connection, "clerk", Role.VIEWER, None)
        ids = dict(connection.execute("SELECT username, id FROM users").fetchall())
        body = operation("replace", "active", False)
        assert (await admin.patch(f"/scim/v2/Users/{ids['keeper']}", json=body)).status_code == 403
        assert (await admin.patch(f"/scim/v2/Users/{ids['clerk']}", json=body)).status_code == 200


class TestMovingDevices:
    async def two_roles(self, session, *, here: Role, there: Role):
        """A device in North, and somebody who writes devices in both parts."""
        from fleetkeeper.devices.models import Device

        north, _, south = await make_tree(session)
        user = await make_user(session)
        await give(session, user, here, north)
        await give(session, user, there, south)
        device = Device(name="a", hostname="a", department_id=north.id)
        session.add(device)
        await session.flush()
        return await actor_of_user_id(session, user.id), device, south

    async def test_nobody_takes_a_device_to_where_they_may_do_more_with_it(self, session):
        actor, device, south = await self.two_roles(session, here=Role.OPERATOR, there=Role.MANAGER)
        with pytest.raises(ForbiddenError, match="devices:delete"):
            await devices.update_device(
                session, actor, device.id, DeviceUpdate(department_id=south.id), expected_version=None
            )

    async def test_to_where_they_may_as_much_or_less(self, session):
        for here, there in ((Role.OPERATOR, Role.OPERATOR), (Role.MANAGER, Role.OPERATOR)):
            actor, device, south = await self.two_roles(session, here=here, there=there)
            moved = await devices.update_device(
                session, actor, device.id, DeviceUpdate(department_id=south.id), expected_version=None
            )
            assert moved.department_id == south.id

    @pytest.mark.parametrize("act", ["update", "delete"])
    async def test_moved_away_between_the_look_and_the_act(self, session, monkeypatch, act):
        """Somebody who sees all devices and writes in one department."""
        actor, device, south = await self.two_roles(session, here=Role.MANAGER, there=Role.VIEWER)
        role = await make_role(session, Permission.DEVICES_READ)
        user = await session.get(type(await make_user(session)), actor.user_id)
        await give(session, user, role)
        actor = await actor_of_user_id(session, actor.user_id)
        look = devices.check_permission

        async def look_and_lose(*arguments):
            seen = await look(*arguments)
            device.department_id = south.id
            await session.flush()
            return seen

        monkeypatch.setattr(devices, "check_permission", look_and_lose)
        with pytest.raises(ForbiddenError):
            if act == "delete":
                await devices.delete_device(session, actor, device.id)
            else:
                changes = DeviceUpdate(location="taken")
                await devices.update_device(session, actor, device.id, changes, expected_version=None)
