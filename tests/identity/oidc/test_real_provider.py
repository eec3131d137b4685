"""The whole flow against a real provider process: who comes in, with which roles, and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from fleetkeeper.database.context import product_context
from tests.fixtures.client import RunningApp
from tests.fixtures.oidc_provider import RealProvider


@dataclass
class Visitor:
    """A person at a browser."""

    provider: RealProvider
    client: httpx.AsyncClient
    subject: str

    async def depart(self) -> dict[str, str]:
        departed = await self.client.get("/sign-in/oidc/real", params={"next": "/devices?q=a"})
        assert departed.status_code == 303, departed.text
        return self.provider.authorize(departed.headers["location"], self.subject)

    async def come_back(self, parameters: dict[str, str]) -> httpx.Response:
        return await self.client.get("/sign-in/oidc/real/callback", params=parameters)

    async def sign_in(self) -> None:
        answer = await self.come_back(await self.depart())
        assert (answer.status_code, answer.headers.get("location")) == (303, "/devices?q=a"), answer.text

    async def status(self, path: str = "/api/v1/me") -> int:
        return (await self.client.get(path)).status_code


@pytest.fixture
async def provider_id(admin: httpx.AsyncClient, real_provider: RealProvider) -> str:
    body = {
        "slug": "real",
        "name": "The company",
        "issuer": real_provider.issuer,
        "client_id": "fleet",
        "client_secret": "any",
        "recheck_seconds": 0,
    }
    answer = await admin.post("/api/v1/identity-providers", json=body)
    assert answer.status_code == 201, answer.text
    made: str = answer.json()["id"]
    return made


@pytest.fixture
def come(app: RunningApp, real_provider: RealProvider, provider_id: str) -> Callable[..., Visitor]:
    assert provider_id

    def make(subject: str | None = None, **claims: Any) -> Visitor:
        subject = subject or uuid4().hex
        real_provider.tell(subject, **claims)
        return Visitor(real_provider, app.client(), subject)

    return make


@pytest.fixture
async def operators(admin: httpx.AsyncClient, provider_id: str) -> str:
    """The provider's group `operators`, which gives the role of that name everywhere."""
    group = (
        await admin.post("/api/v1/groups", json={"name": "operators", "provider_id": provider_id})
    ).json()
    answer = await admin.post(f"/api/v1/groups/{group['id']}/memberships", json={"role": "operator"})
    assert answer.status_code == 201, answer.text
    made: str = group["id"]
    return made


class TestSignIn:
    async def test_opens_a_session_and_makes_an_account(self, come, admin):
        maria = come(preferred_username="maria", name="Maria Weiß", email="maria@example.org")
        await maria.sign_in()
        me = (await maria.client.get("/api/v1/me")).json()
        assert me["username"] == "maria"
        (user,) = (await admin.get("/api/v1/users?username=maria")).json()["results"]
        assert (user["source"], user["email"], user["name"]) == ("oidc", "maria@example.org", "Maria Weiß")

    async def test_comes_back_to_the_same_account_whatever_the_address(self, come, admin):
        first = come(preferred_username="maria", email="maria@example.org")
        await first.sign_in()
        again = come(first.subject, preferred_username="mariaw", email="weiss@example.org")
        await again.sign_in()
        for visitor in (first, again):
            assert (await visitor.client.get("/api/v1/me")).json()["username"] == "maria"
        assert (await admin.get("/api/v1/users?source=oidc")).json()["count"] == 1

    async def test_mail_address_and_name_of_somebody_else_give_nothing(self, come, admin):
        """Neither of another user of the provider, nor of the local administrator."""
        await come(preferred_username="maria", email="maria@example.org").sign_in()
        for name in ("maria", "admin"):
            thief = come(preferred_username=name, email="maria@example.org", email_verified=True)
            await thief.sign_in()
            assert (await thief.client.get("/api/v1/me")).json()["username"] == f"{name}-2"
            assert await thief.status("/api/v1/users") == 403

    async def test_state_is_good_once(self, come, admin):
        maria = come()
        parameters = await maria.depart()
        assert (await maria.come_back(parameters)).status_code == 303
        other = Visitor(maria.provider, maria.client, maria.subject)
        assert (await other.come_back(parameters)).status_code == 401

    async def test_code_of_one_browser_is_none_of_another(self, come, app):
        """An attacker's answer, planted in a victim's browser, does not sign the victim in as the attacker."""
        attacker, victim = come(), come()
        planted = await attacker.depart()
        own = await victim.depart()
        for parameters in (planted, planted | {"state": own["state"]}):
            answer = await victim.come_back(parameters)
            assert answer.status_code == 401
            assert await victim.status() == 401

    async def test_code_for_another_client(self, come, admin, provider_id, real_provider):
        """The provider refuses it, and so do we."""
        maria = come()
        redirect = "http://localhost/sign-in/oidc/real/callback"
        others_id, _ = real_provider.register(redirect)
        departed = await maria.client.get("/sign-in/oidc/real")
        address = departed.headers["location"].replace("client_id=fleet", f"client_id={others_id}")
        answer = await maria.come_back(real_provider.authorize(address, maria.subject))
        assert answer.status_code == 401
        assert await maria.status() == 401

    async def test_whoever_is_refused_there_is_told(self, come, real_provider):
        maria = come()
        state = (await maria.depart())["state"]
        answer = await maria.come_back({"error": "access_denied", "state": state})
        assert answer.status_code == 401
        assert "access_denied" in answer.text

    async def test_nobody_gets_an_account_where_they_are_invited_only(self, come, admin, provider_id):
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"creates_users": False})
        maria = come(preferred_username="maria")
        answer = await maria.come_back(await maria.depart())
        assert answer.status_code == 403
        assert "Ask an administrator" in answer.text
        assert (await admin.get("/api/v1/users?username=maria")).json()["count"] == 0

    async def test_whoever_has_one_still_comes_in_there(self, come, admin, provider_id):
        maria = come()
        await maria.sign_in()
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"creates_users": False})
        await come(maria.subject).sign_in()


class TestGroups:
    async def test_group_gives_the_role_and_takes_it_away_at_the_next_request(
        self, come, operators, real_provider
    ):
        maria = come(groups=["operators", "unknown here"])
        await maria.sign_in()
        assert await maria.status("/api/v1/enrollment-tokens") == 200
        real_provider.tell(maria.subject, groups=["unknown here"])
        assert await maria.status("/api/v1/enrollment-tokens") == 403
        assert await maria.status() == 200
        real_provider.tell(maria.subject, groups=["operators"])
        assert await maria.status("/api/v1/enrollment-tokens") == 200

    async def test_claim_that_is_gone_is_no_group(self, come, operators, real_provider):
        maria = come(groups=["operators"])
        await maria.sign_in()
        real_provider.tell(maria.subject)
        assert await maria.status("/api/v1/enrollment-tokens") == 403

    async def test_local_group_of_the_name_is_another(self, come, admin):
        group = (await admin.post("/api/v1/groups", json={"name": "operators"})).json()
        await admin.post(f"/api/v1/groups/{group['id']}/memberships", json={"role": "operator"})
        maria = come(groups=["operators"])
        await maria.sign_in()
        assert await maria.status("/api/v1/enrollment-tokens") == 403

    async def test_another_claim(self, come, admin, operators, provider_id):
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"groups_claim": "roles"})
        maria, otto = come(roles="operators"), come(groups=["operators"])
        await maria.sign_in()
        await otto.sign_in()
        assert await maria.status("/api/v1/enrollment-tokens") == 200
        assert await otto.status("/api/v1/enrollment-tokens") == 403


class TestEnd:
    async def test_tokens_taken_back_end_the_session(self, come, real_provider):
        maria = come()
        await maria.sign_in()
        real_provider.revoke(maria.subject)
        assert await maria.status() == 401

    async def test_provider_disabled(self, come, admin, provider_id):
        maria, late = come(), come()
        await maria.sign_in()
        under_way = await late.depart()
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"enabled": False})
        assert await maria.status() == 401
        assert (await late.come_back(under_way)).status_code == 401
        assert (await late.client.get("/sign-in/oidc/real")).status_code == 404
        assert "The company" not in (await late.client.get("/sign-in")).text

    async def test_provider_removed(self, come, admin, provider_id):
        maria = come()
        await maria.sign_in()
        assert (await admin.delete(f"/api/v1/identity-providers/{provider_id}")).status_code == 204
        assert await maria.status() == 401

    async def test_user_disabled(self, come, admin):
        """All their sessions end, and another sign-in is refused."""
        here = come(preferred_username="maria")
        elsewhere = come(here.subject, preferred_username="maria")
        await here.sign_in()
        await elsewhere.sign_in()
        (user,) = (await admin.get("/api/v1/users?username=maria")).json()["results"]
        headers = {"X-Change-Reason": "has left"}
        answer = await admin.post(f"/api/v1/users/{user['id']}/disable", headers=headers)
        assert answer.status_code == 200, answer.text
        assert [await here.status(), await elsewhere.status()] == [401, 401]
        answer = await here.come_back(await here.depart())
        assert answer.status_code == 403
        assert "disabled" in answer.text


class TestProvisioned:
    """Accounts that the provider made beforehand by SCIM."""

    @pytest.fixture
    async def provision(self, admin):
        async def make(external_id: str) -> str:
            body = {
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": "maria",
                "externalId": external_id,
            }
            answer = await admin.post("/scim/v2/Users", json=body)
            assert answer.status_code == 201, answer.text
            made: str = answer.json()["id"]
            return made

        return make

    @pytest.fixture
    async def linked(self, admin, provider_id):
        changes = {"scim_claim": "oid", "creates_users": False}
        answer = await admin.patch(f"/api/v1/identity-providers/{provider_id}", json=changes)
        assert answer.status_code == 200, answer.text

    async def test_are_signed_in_to_until_scim_disables_them(self, come, admin, provision, linked):
        made = await provision("object-1")
        maria = come(preferred_username="maria", oid="object-1")
        await maria.sign_in()
        assert (await maria.client.get("/api/v1/me")).json()["username"] == "maria"
        change = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": False}],
        }
        assert (await admin.patch(f"/scim/v2/Users/{made}", json=change)).is_success
        assert await maria.status() == 401
        answer = await maria.come_back(await maria.depart())
        assert answer.status_code == 403

    @pytest.mark.parametrize("oid", [None, "", "object-2", ["object-1"], True, "OBJECT-1"])
    async def test_only_to_ones_own(self, come, provision, linked, oid):
        await provision("object-1")
        thief = come(preferred_username="maria", oid=oid)
        assert (await thief.come_back(await thief.depart())).status_code == 403

    async def test_once_by_one_person(self, come, provision, linked):
        """The first subject keeps the account, whatever another one claims later."""
        await provision("object-1")
        await come(oid="object-1").sign_in()
        thief = come(oid="object-1")
        assert (await thief.come_back(await thief.depart())).status_code == 403

    async def test_not_without_the_claim_being_chosen(self, come, provision, provider_id):
        await provision("object-1")
        maria = come(preferred_username="maria", oid="object-1", externalId="object-1")
        await maria.sign_in()
        assert (await maria.client.get("/api/v1/me")).json()["username"] == "maria-2"

    async def test_local_account_is_none_of_them(self, come, admin, linked, app):
        async with app.state.database.session(product_context("job", "test")) as session:
            await session.execute(text("UPDATE users SET external_id = 'object-1' WHERE username = 'admin'"))
        thief = come(oid="object-1")
        assert (await thief.come_back(await thief.depart())).status_code == 403
