"""Users, roles, groups, departments, tokens and sessions over the API."""

from uuid import uuid4

import pytest

from fleetkeeper.identity.permissions import Permission, Role
from tests.factories.identity import give, make_role, make_token, make_tree, make_user
from tests.fixtures.client import PASSWORD, TEST_CONTEXT

API = "/api/v1"
WHY = {"X-Change-Reason": "left the company"}
NOBODY = uuid4()


def name() -> str:
    """A name that no other test has."""
    return f"test-{uuid4().hex}"


async def client_of(shared, role: Role, department_name: str | None = None):
    """A client with a token of a new user who has a role in a new department, and that department."""
    async with shared.app.state.database.session(TEST_CONTEXT) as session:
        north, _, _ = await make_tree(session)
        user = await make_user(session, name())
        await give(session, user, role, north if department_name is None else None)
        return shared.app.client(await make_token(session, user)), user, north


class TestUsers:
    async def test_life_of_an_account(self, shared):
        wanted = {
            "username": name(),
            "email": f"{name()}@example.org",
            "password": PASSWORD,
            "role": "viewer",
        }
        made = await shared.admin.post(f"{API}/users", json=wanted)
        assert made.status_code == 201, made.text
        path = f"{API}/users/{made.json()['id']}"
        assert "password" not in made.text
        assert (await shared.admin.get(path)).json() == made.json()
        changed = await shared.admin.patch(path, json={"name": "Otto", "email": None})
        assert (changed.json()["name"], changed.json()["email"]) == ("Otto", None)
        assert (await shared.admin.put(f"{path}/password", json={"password": "short"})).status_code == 422
        assert (await shared.admin.put(f"{path}/password", json={"password": PASSWORD})).status_code == 204
        refused = await shared.admin.post(f"{path}/disable")
        assert refused.json()["errors"][0]["field"] == "change_reason"
        assert (await shared.admin.post(f"{path}/disable", headers=WHY)).json()["enabled"] is False
        assert (await shared.admin.post(f"{path}/enable")).json()["enabled"] is True
        assert (await shared.admin.delete(path)).status_code == 422
        assert (await shared.admin.delete(path, headers=WHY)).status_code == 204
        assert (await shared.admin.get(path)).status_code == 404

    @pytest.mark.parametrize(
        "extra",
        [
            {"is_admin": True},
            {"enabled": False},
            {"source": "scim"},
            {"password_hash": "x"},
            {"id": str(NOBODY)},
            {"external_id": "x"},
        ],
    )
    async def test_fields_that_are_not_there_to_be_set(self, shared, extra):
        made = await shared.admin.post(f"{API}/users", json={"username": name()} | extra)
        assert made.status_code == 422
        assert made.json()["errors"][0]["field"] == next(iter(extra))

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"username": " "}, "username"),
            ({"username": "a\x00"}, "username"),
            ({"username": "x", "email": "x"}, "email"),
            ({"username": "x", "role": "boss"}, "role"),
            ({"username": "x", "password": "password"}, "password"),
        ],
    )
    async def test_bad_input_names_the_field_and_makes_nothing(self, shared, body, field):
        answer = await shared.admin.post(f"{API}/users", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == field
        assert (await shared.admin.get(f"{API}/users?username=x")).json()["count"] == 0

    async def test_list_filters_search_and_pages(self, shared):
        mark = uuid4().hex
        for number in range(3):
            await shared.admin.post(f"{API}/users", json={"username": f"{mark}-{number}"})
        first = (await shared.admin.get(f"{API}/users?q={mark}&limit=2")).json()
        assert (first["count"], len(first["results"])) == (3, 2)
        second = (await shared.admin.get(first["next"])).json()
        assert [one["username"] for one in second["results"]] == [f"{mark}-2"]
        down = (await shared.admin.get(f"{API}/users?username__contains={mark}&ordering=-username")).json()
        assert [one["username"] for one in down["results"]] == [f"{mark}-{number}" for number in (2, 1, 0)]
        assert (await shared.admin.get(f"{API}/users?password_hash=x")).status_code == 422

    async def test_access_and_memberships(self, shared):
        user = (await shared.admin.post(f"{API}/users", json={"username": name()})).json()
        path = f"{API}/users/{user['id']}"
        place = (await shared.admin.post(f"{API}/departments", json={"name": name()})).json()
        given = await shared.admin.post(
            f"{path}/memberships", json={"role": "operator", "department_id": place["id"]}
        )
        assert given.status_code == 201, given.text
        listed = (await shared.admin.get(f"{path}/memberships")).json()
        assert [one["department"] for one in listed["results"]] == [place["path"]]
        access = (await shared.admin.get(f"{path}/access")).json()
        reading = next(one for one in access["permissions"] if one["permission"] == "devices:read")
        assert reading["departments"] == [{"id": place["id"], "path": place["path"]}]
        assert reading["because"][0]["role"] == "operator"
        gone = await shared.admin.delete(f"{path}/memberships/{given.json()['id']}")
        assert gone.status_code == 204
        assert (await shared.admin.get(f"{path}/access")).json()["permissions"] == []

    async def test_a_manager_meets_other_departments_nowhere(self, shared):
        client, _, north = await client_of(shared, Role.MANAGER)
        _, stranger, south = await client_of(shared, Role.VIEWER)
        async with client:
            for path in (
                f"users/{stranger.id}",
                f"departments/{south.id}",
                f"departments/{south.id}/members",
            ):
                assert (await client.get(f"{API}/{path}")).status_code == 404, path
            for path in (
                f"users?id={stranger.id}",
                f"users?q={stranger.username}",
                f"departments?id={south.id}",
                f"departments?q={south.name}",
            ):
                assert (await client.get(f"{API}/{path}")).json()["count"] == 0, path
            body = {"role": "viewer", "department_id": str(north.id)}
            answer = await client.post(f"{API}/users/{stranger.id}/memberships", json=body)
            assert answer.status_code == 404
            answer = await client.patch(f"{API}/departments/{south.id}", json={"name": "x"})
            assert answer.status_code == 404
            answer = await client.post(f"{API}/departments", json={"name": "x", "parent_id": str(south.id)})
            assert answer.status_code == 403
            assert (await client.get(f"{API}/groups")).status_code == 403

    async def test_a_manager_runs_their_department(self, shared):
        client, _, north = await client_of(shared, Role.MANAGER)
        newcomer = (await shared.admin.post(f"{API}/users", json={"username": name()})).json()
        async with client:
            body = {"username": newcomer["username"], "role": "operator"}
            added = await client.post(f"{API}/departments/{north.id}/members", json=body)
            assert added.status_code == 201, added.text
            body["role"] = "admin"
            assert (await client.post(f"{API}/departments/{north.id}/members", json=body)).status_code == 403
            members = (await client.get(f"{API}/departments/{north.id}/members")).json()
            assert newcomer["username"] in {one["holder"] for one in members["results"]}
            gone = await client.delete(f"{API}/departments/{north.id}/members/{added.json()['id']}")
            assert gone.status_code == 204
            assert (await client.get(f"{API}/users/{newcomer['id']}")).status_code == 404

    async def test_a_manager_learns_no_mail_address_by_adding_somebody(self, shared):
        client, _, north = await client_of(shared, Role.MANAGER)
        mail = f"{name()}@example.com"
        stranger = {"username": name(), "name": "A Stranger", "email": mail}
        stranger = (await shared.admin.post(f"{API}/users", json=stranger)).json()
        async with client:
            body = {"username": stranger["username"], "role": "viewer"}
            added = await client.post(f"{API}/departments/{north.id}/members", json=body)
            assert added.status_code == 201
            members = await client.get(f"{API}/departments/{north.id}/members")
            found = await client.get(f"{API}/users/{stranger['id']}")
            listed = await client.get(f"{API}/users")
            assert (found.json()["name"], found.json()["email"], found.json()["last_login"]) == (
                "A Stranger",
                None,
                None,
            )
            for answer in (added, members, found, listed):
                assert mail not in answer.text
            # Nor do search, filters and order tell.
            assert (await client.get(f"{API}/users", params={"q": mail})).json()["count"] == 0
            for asked in ({"email__contains": mail}, {"email": mail}, {"ordering": "email"}):
                assert (await client.get(f"{API}/users", params=asked)).status_code == 422
        assert (await shared.admin.get(f"{API}/users/{stranger['id']}")).json()["email"] == mail


class TestRolesGroupsDepartments:
    async def test_roles(self, shared):
        made = await shared.admin.post(f"{API}/roles", json={"name": name(), "permissions": ["audit:read"]})
        assert made.status_code == 201, made.text
        path = f"{API}/roles/{made.json()['id']}"
        changed = await shared.admin.patch(path, json={"permissions": ["devices:read"]})
        assert changed.json()["permissions"] == ["devices:read"]
        wrong = await shared.admin.patch(path, json={"permissions": ["devices:fly"]})
        assert wrong.json()["errors"][0]["field"] == "permissions.0"
        assert (await shared.admin.delete(path)).status_code == 204
        matrix = (await shared.admin.get(f"{API}/roles/matrix")).json()
        assert len(matrix["permissions"]) == len(Permission)
        assert (await shared.viewer.get(f"{API}/roles")).status_code == 403

    async def test_groups(self, shared):
        made = await shared.admin.post(f"{API}/groups", json={"name": name()})
        assert made.status_code == 201, made.text
        path = f"{API}/groups/{made.json()['id']}"
        user = (await shared.admin.post(f"{API}/users", json={"username": name()})).json()
        assert (await shared.admin.put(f"{path}/members/{user['id']}")).status_code == 204
        assert (await shared.admin.put(f"{path}/members/{NOBODY}")).status_code == 404
        assert (await shared.admin.get(f"{path}/members")).json()["count"] == 1
        given = await shared.admin.post(f"{path}/memberships", json={"role": "viewer"})
        assert given.status_code == 201, given.text
        access = (await shared.admin.get(f"{API}/users/{user['id']}/access")).json()
        assert access["sources"][0]["via"] == "group"
        assert (await shared.admin.delete(f"{path}/memberships/{given.json()['id']}")).status_code == 204
        assert (await shared.admin.delete(f"{path}/members/{user['id']}")).status_code == 204
        assert (await shared.admin.patch(path, json={"description": "x"})).json()["description"] == "x"
        assert (await shared.admin.delete(path)).status_code == 204

    async def test_departments(self, shared):
        top = (await shared.admin.post(f"{API}/departments", json={"name": name()})).json()
        below = await shared.admin.post(f"{API}/departments", json={"name": "B", "parent_id": top["id"]})
        assert below.json()["path"] == f"{top['name']}/B"
        answer = await shared.admin.delete(f"{API}/departments/{top['id']}")
        assert answer.status_code == 409
        assert "1 department" in answer.json()["detail"]
        answer = await shared.admin.patch(
            f"{API}/departments/{top['id']}", json={"parent_id": below.json()["id"]}
        )
        assert answer.json()["errors"][0]["field"] == "parent_id"
        for one in (below.json(), top):
            assert (await shared.admin.delete(f"{API}/departments/{one['id']}")).status_code == 204


class TestOwnAccount:
    async def test_profile(self, shared):
        client, user, _ = await client_of(shared, Role.VIEWER)
        async with client:
            changed = await client.patch(
                f"{API}/account", json={"time_zone": "Asia/Tokyo", "theme": "dark", "name": "V"}
            )
            assert changed.status_code == 200, changed.text
            assert (await client.get(f"{API}/account")).json()["time_zone"] == "Asia/Tokyo"
            for body in (
                {"time_zone": "Moon/Base"},
                {"theme": "pink"},
                {"username": "root"},
                {"enabled": True},
            ):
                answer = await client.patch(f"{API}/account", json=body)
                assert answer.status_code == 422, body
                assert answer.json()["errors"][0]["field"] == next(iter(body))
            assert (await client.get(f"{API}/account")).json()["username"] == user.username

    async def test_tokens(self, shared):
        client, _, _ = await client_of(shared, Role.VIEWER)
        async with client:
            made = await client.post(f"{API}/tokens", json={"name": "x", "permissions": ["devices:read"]})
            assert made.status_code == 201, made.text
            path = f"{API}/tokens/{made.json()['id']}"
            assert "fkt_" not in (await client.get(path)).text
            assert "fkt_" not in (await client.get(f"{API}/tokens")).text
            async with shared.app.client(made.json()["token"]) as limited:
                assert (await limited.get(f"{API}/devices")).status_code == 200
                assert (await limited.get(f"{API}/telemetry/latest?device={NOBODY}")).status_code == 403
                assert (await limited.patch(f"{API}/account", json={"name": "x"})).status_code == 403
            rotated = await client.post(f"{path}/rotate", json={"overlap_seconds": 0})
            async with shared.app.client(made.json()["token"]) as old:
                assert (await old.get(f"{API}/me")).status_code == 401
            async with shared.app.client(rotated.json()["token"]) as new:
                assert (await new.get(f"{API}/me")).status_code == 200
            answer = await client.post(f"{path}/rotate", json={"overlap_seconds": 604_801})
            assert answer.json()["errors"][0]["field"] == "overlap_seconds"
            assert (await client.delete(path)).status_code == 204
            for body, field in (
                ({"name": "x", "permissions": ["users:write"]}, "permissions"),
                ({"name": "x", "allowed_networks": ["192.0.2.1/24"]}, "allowed_networks"),
                ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
                ({"name": "x", "user_id": str(NOBODY)}, "user_id"),
            ):
                answer = await client.post(f"{API}/tokens", json=body)
                assert answer.status_code == 422, body
                assert answer.json()["errors"][0]["field"].startswith(field)

    async def test_sessions(self, shared):
        user = {"username": name(), "password": PASSWORD, "role": "viewer"}
        made = (await shared.admin.post(f"{API}/users", json=user)).json()
        browsers = [shared.app.client(), shared.app.client()]
        for browser in browsers:
            answer = await browser.post("/sign-in", data={"username": user["username"], "password": PASSWORD})
            assert answer.status_code == 303
        listed = (await browsers[0].get(f"{API}/account/sessions")).json()["results"]
        assert sorted(one["is_current"] for one in listed) == [False, True]
        ended = await shared.admin.delete(f"{API}/users/{made['id']}/sessions")
        assert ended.json() == {"ended": 2}
        for browser in browsers:
            assert (await browser.get(f"{API}/account/sessions")).status_code == 401
            await browser.aclose()

    async def test_everybody_s_are_for_administrators(self, shared):
        assert (await shared.viewer.get(f"{API}/sessions")).status_code == 403
        assert (await shared.admin.get(f"{API}/sessions")).status_code == 200
        assert (await shared.admin.delete(f"{API}/sessions/{NOBODY}")).status_code == 404
        viewers = (await shared.viewer.get(f"{API}/tokens")).json()["results"]
        assert {one["username"] for one in viewers} == {"viewer"}
        everybody = (await shared.admin.get(f"{API}/tokens?limit=1000")).json()["results"]
        assert {"admin", "viewer"} <= {one["username"] for one in everybody}


async def test_escalation_by_a_role_of_one_s_own(shared):
    """Somebody who keeps roles and users tries each way up."""
    async with shared.app.state.database.session(TEST_CONTEXT) as session:
        keeper = await make_user(session, name())
        role = await make_role(
            session,
            Permission.ROLES_READ,
            Permission.ROLES_WRITE,
            Permission.USERS_READ,
            Permission.USERS_WRITE,
            Permission.MEMBERSHIPS_WRITE,
            Permission.GROUPS_READ,
            Permission.GROUPS_WRITE,
        )
        await give(session, keeper, role)
        token = await make_token(session, keeper)
    boss = (await shared.admin.post(f"{API}/users", json={"username": name(), "role": "admin"})).json()
    group = (await shared.admin.post(f"{API}/groups", json={"name": name()})).json()
    await shared.admin.post(f"{API}/groups/{group['id']}/memberships", json={"role": "admin"})
    own = f"{API}/users/{keeper.id}"
    async with shared.app.client(token) as client:
        tries = [
            ("POST", f"{own}/memberships", {"role": "admin"}),
            ("POST", f"{API}/users", {"username": name(), "role": "admin"}),
            ("PATCH", f"{API}/roles/{role.id}", {"permissions": ["config:write"]}),
            ("POST", f"{API}/roles", {"name": name(), "permissions": ["config:write"]}),
            ("PUT", f"{API}/groups/{group['id']}/members/{keeper.id}", None),
            ("PUT", f"{API}/users/{boss['id']}/password", {"password": PASSWORD}),
            ("PATCH", f"{API}/users/{boss['id']}", {"email": "mine@example.org"}),
            ("POST", f"{API}/users/{boss['id']}/disable", None),
            ("DELETE", f"{API}/users/{boss['id']}", None),
        ]
        for method, path, body in tries:
            answer = await client.request(method, path, json=body, headers=WHY)
            assert answer.status_code == 403, (method, path, answer.text)
        me = (await client.get(f"{API}/me")).json()
        assert "config:write" not in me["permissions"]
