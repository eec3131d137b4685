"""SCIM by real clients: the conformance tester against the product, and what providers do day by day."""

import asyncio
from uuid import UUID

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest
from scim2_tester import Status, check_server

USER_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def new_user(username: str, **more: object) -> dict[str, object]:
    return {"schemas": [USER_SCHEMA], "userName": username} | more


def operations(*items: dict[str, object]) -> dict[str, object]:
    return {"schemas": [PATCH_SCHEMA], "Operations": list(items)}


async def make(client, username: str, **more: object) -> dict:
    answer = await client.post("/scim/v2/Users", json=new_user(username, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()


def is_on_purpose(reason: str) -> bool:
    """What the tester expects otherwise: an account is always enabled or not; a member has its own name."""
    return "did not remove attribute 'active'" in reason or (
        "unexpected value for 'members'" in reason and reason.count("display=") == 2
    )


class TestConformance:
    def test_the_tester_finds_nothing(self, product):
        """`scim2-tester` over HTTP: discovery, and each attribute made, read, changed and removed."""
        headers = {"Authorization": f"Bearer {product.api_token()}"}
        with httpx2.Client(base_url=f"{product.url}/scim/v2", headers=headers, timeout=30) as http:
            client = SyncSCIMClient(http)
            results = check_server(client)
        bad = [
            item
            for item in results
            if item.status in {Status.ERROR, Status.CRITICAL} and not is_on_purpose(item.reason or "")
        ]
        assert not bad, "\n".join(f"{item.title}: {item.reason}" for item in bad)
        assert sum(item.status is Status.SUCCESS for item in results) > 50

    def test_a_client_library_provisions_a_user_and_a_group(self, product):
        headers = {"Authorization": f"Bearer {product.api_token()}"}
        with httpx2.Client(base_url=f"{product.url}/scim/v2", headers=headers, timeout=30) as http:
            client = SyncSCIMClient(http)
            client.discover()
            user_model, group_model = client.get_resource_model("User"), client.get_resource_model("Group")
            user = client.create(user_model(user_name="scim-anna", external_id="idp-1", active=True))
            group = client.create(
                group_model(display_name="scim-operators", members=[{"value": user.id, "type": "User"}])
            )
            found = client.query(
                user_model, query_parameters=SearchRequest[user_model](filter='userName eq "SCIM-ANNA"')
            )
            assert [item.id for item in found.resources] == [user.id]
            assert [item.value for item in found.resources[0].groups] == [group.id]
            client.modify(
                user_model,
                user.id,
                PatchOp[user_model](operations=[PatchOperation(op="replace", path="active", value=False)]),
            )
            assert client.query(user_model, user.id).active is False
            client.delete(group_model, group.id)
            client.delete(user_model, user.id)
            assert (
                client.query(
                    user_model, query_parameters=SearchRequest[user_model](filter='externalId eq "idp-1"')
                ).total_results
                == 0
            )


class TestUsers:
    async def test_what_was_given_comes_back(self, shared):
        given = {
            "externalId": "e-17",
            "name": {"givenName": "Maria", "familyName": "Weiß"},
            "emails": [{"value": "maria@example.org", "type": "work", "primary": True}],
            "title": "Technician",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "North"},
        }
        made = await make(shared.admin, "scim.maria", **given)
        assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
        read = (await shared.admin.get(f"/scim/v2/Users/{made['id']}")).json()
        for name, value in given.items():
            assert read[name] == value, name
        assert (read["userName"], read["active"]) == ("scim.maria", True)

    async def test_unknown_attributes_do_no_harm(self, shared):
        made = await make(shared.admin, "scim.odd", favouriteColour="blue", roles=[{"value": "admin"}])
        assert "favouriteColour" not in made
        actor = (await shared.admin.get(f"/scim/v2/Users/{made['id']}")).json()
        assert actor["userName"] == "scim.odd"

    async def test_a_taken_name_is_a_conflict(self, shared):
        await make(shared.admin, "scim.twice")
        answer = await shared.admin.post("/scim/v2/Users", json=new_user("SCIM.Twice"))
        assert answer.status_code == 409
        assert answer.json()["scimType"] == "uniqueness"

    async def test_disabling_ends_what_the_user_had(self, app, admin):
        from fleetkeeper.identity.tokens.service import create_token
        from fleetkeeper.kit.clock import utc_now
        from tests.fixtures.client import TEST_CONTEXT

        made = await make(admin, "leaver")
        async with app.state.database.session(TEST_CONTEXT) as session:
            token = await create_token(session, "leaver", "x", now=utc_now())
        async with app.client(token) as leaver:
            assert (await leaver.get("/api/v1/me")).status_code == 200
            # As Entra sends it: a value in capitals, as text.
            patch = operations({"op": "Replace", "path": "active", "value": "False"})
            answer = await admin.patch(f"/scim/v2/Users/{made['id']}", json=patch)
            assert answer.status_code == 200, answer.text
            assert answer.json()["active"] is False
            assert (await leaver.get("/api/v1/me")).status_code == 401

    async def test_the_last_administrator_stays(self, app, admin, connection):
        connection.execute("UPDATE users SET source = 'scim' WHERE username = 'admin'")
        found = (await admin.get("/scim/v2/Users", params={"filter": 'userName eq "admin"'})).json()
        (administrator,) = found["Resources"]
        path = f"/scim/v2/Users/{administrator['id']}"
        assert (await admin.delete(path)).status_code == 409
        patch = operations({"op": "replace", "path": "active", "value": False})
        assert (await admin.patch(path, json=patch)).status_code == 409

    @pytest.mark.parametrize(
        ("filter_text", "expected"),
        [
            ('userName sw "f."', ["f.anna", "f.otto"]),
            ('userName eq "F.Anna"', ["f.anna"]),
            ('userName eq "f.anna" or title eq "Boss of f"', ["f.anna", "f.otto"]),
            ('emails[type eq "work" and value co "otto"]', ["f.otto"]),
            ('not (active eq true) and userName sw "f."', []),
            ('userName eq "it\'s \\"quoted\\" \'; DROP TABLE users; --"', []),
        ],
    )
    async def test_filters(self, shared, filter_text, expected):
        for name, more in (("f.anna", {}), ("f.otto", {"title": "Boss of f"})):
            body = new_user(name, emails=[{"value": f"{name}@f.example", "type": "work"}], **more)
            await shared.admin.post("/scim/v2/Users", json=body)
        answer = await shared.admin.get(
            "/scim/v2/Users", params={"filter": filter_text, "sortBy": "userName"}
        )
        assert answer.status_code == 200, answer.text
        assert [item["userName"] for item in answer.json()["Resources"]] == expected

    @pytest.mark.parametrize(
        "query",
        [
            "filter=userName%20zz%20%22x%22",
            "filter=(",
            "startIndex=x",
            "count=x",
            "sortBy=nope",
            "filter=%00",
        ],
    )
    async def test_a_wrong_query_is_a_scim_error(self, shared, query):
        answer = await shared.admin.get(f"/scim/v2/Users?{query}")
        assert answer.status_code == 400
        assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]

    async def test_pages(self, app, admin):
        for number in range(5):
            await make(admin, f"page-{number}")
        seen = []
        for start in (1, 3, 5, 7):
            page = (await admin.get("/scim/v2/Users", params={"startIndex": start, "count": 2})).json()
            assert (page["totalResults"], page["startIndex"]) == (6, start)
            seen += [item["userName"] for item in page.get("Resources", [])]
        assert sorted(seen) == ["admin", *(f"page-{number}" for number in range(5))]
        huge = await admin.get("/scim/v2/Users", params={"startIndex": 10**30, "count": 10**30})
        assert huge.status_code == 200


class TestGroups:
    async def test_members_come_and_go_and_roles_with_them(self, app, admin):
        user = await make(admin, "member")
        body = {"schemas": [GROUP_SCHEMA], "displayName": "operators", "members": [{"value": user["id"]}]}
        group = (await admin.post("/scim/v2/Groups", json=body)).json()
        assert [item["value"] for item in group["members"]] == [user["id"]]
        patch = operations({"op": "remove", "path": f'members[value eq "{user["id"]}"]'})
        path = f"/scim/v2/Groups/{group['id']}"
        changed = await admin.patch(path, json=patch)
        assert changed.status_code == 200, changed.text
        assert "members" not in changed.json()
        patch = operations({"op": "add", "path": "members", "value": [{"value": user["id"]}]})
        assert [item["value"] for item in (await admin.patch(path, json=patch)).json()["members"]] == [
            user["id"]
        ]
        read = (await admin.get(f"/scim/v2/Users/{user['id']}")).json()
        assert [item["display"] for item in read["groups"]] == ["operators"]

    async def test_a_member_who_is_nobody_is_refused_and_nothing_is_made(self, shared):
        stranger = str(UUID(int=7))
        body = {"schemas": [GROUP_SCHEMA], "displayName": "ghosts", "members": [{"value": stranger}]}
        answer = await shared.admin.post("/scim/v2/Groups", json=body)
        assert (answer.status_code, answer.json()["scimType"]) == (400, "invalidValue")
        found = await shared.admin.get("/scim/v2/Groups", params={"filter": 'displayName eq "ghosts"'})
        assert found.json()["totalResults"] == 0


class TestAccess:
    @pytest.mark.parametrize(
        "path", ["Users", "Groups", "ServiceProviderConfig", "Schemas", "ResourceTypes", "x"]
    )
    async def test_needs_the_permission(self, shared, path):
        for client, status in ((shared.anonymous, 401), (shared.viewer, 403), (shared.device.client, 401)):
            answer = await client.get(f"/scim/v2/{path}")
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/scim+json"
            assert answer.json()["status"] == str(status)

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"[]", b'"x"', b'{"schemas": 5}', b"\xff\xfe", b'{"userName": "x\x00"}']
    )
    async def test_garbage_is_a_scim_error(self, shared, body):
        for method, path in (("POST", "Users"), ("POST", "Groups")):
            answer = await shared.admin.request(
                method, f"/scim/v2/{path}", content=body, headers={"Content-Type": "application/scim+json"}
            )
            assert answer.status_code == 400, answer.text
            assert "detail" in answer.json()

    async def test_a_body_that_is_too_large(self, shared):
        answer = await shared.admin.post("/scim/v2/Users", content=b" " * (1024 * 1024 + 1))
        assert answer.status_code == 413

    async def test_two_at_once_make_one(self, app, admin):
        answers = await asyncio.gather(
            *(admin.post("/scim/v2/Users", json=new_user("racer")) for _ in range(4))
        )
        assert sorted(item.status_code for item in answers) == [201, 409, 409, 409]


class TestWhatIsTold:
    """The audit log says what a provider's request did not do."""

    EVENTS = "SELECT action, details FROM audit_log WHERE action LIKE 'scim.%' ORDER BY id"

    async def test_what_was_left_out_beside_a_disabling(self, app, admin, connection):
        made = await make(admin, "leaver")
        patch = operations(
            {"op": "Replace", "path": "name", "value": "a text"},
            {"op": "Replace", "path": "active", "value": "False"},
        )
        answer = await admin.patch(f"/scim/v2/Users/{made['id']}", json=patch)
        assert (answer.status_code, answer.json()["active"]) == (200, False)
        ((action, details),) = connection.execute(self.EVENTS).fetchall()
        assert action == "scim.partly_applied"
        assert details["count"] == 1
        assert "name" in details["left_out"][0]

    async def test_what_was_refused_as_a_whole(self, app, admin, connection):
        made = await make(admin, "stayer")
        patch = operations({"op": "Replace", "path": "name", "value": "a text"})
        path = f"/scim/v2/Users/{made['id']}"
        assert (await admin.patch(path, json=patch)).status_code == 400
        ((action, details),) = connection.execute(self.EVENTS).fetchall()
        assert (action, details["method"], details["path"]) == ("scim.refused", "PATCH", path)
        assert details["why"]


class TestFilterBounds:
    @pytest.mark.parametrize(
        "text",
        [
            'userName eq "' + "x" * 2000 + '"',
            "(" * 11 + 'userName eq "x"' + ")" * 11,
            " or ".join(['userName eq "x"'] * 21),
            "not (" * 11 + 'userName eq "x"' + ")" * 11,
        ],
        ids=["long", "brackets", "comparisons", "negations"],
    )
    async def test_hold_at_every_door(self, shared, text):
        made = await make(shared.admin, f"bounds-{abs(hash(text))}")
        answers = [await shared.admin.get("/scim/v2/Users", params={"filter": text})]
        for path in ("/Users/.search", "/Groups/.search", "/.search"):
            body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}
            answers.append(await shared.admin.post(f"/scim/v2{path}", json=body))
        patch = operations({"op": "remove", "path": f"emails[{text}]"})
        answers.append(await shared.admin.patch(f"/scim/v2/Users/{made['id']}", json=patch))
        assert [answer.status_code for answer in answers] == [400] * 5
