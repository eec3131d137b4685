"""Providers as administrators make, change and remove them."""

import pytest

from fleetkeeper.identity.permissions import Permission
from tests.fixtures.client import make_user
from tests.identity.oidc.fake_provider import CLIENT_SECRET

PATH = "/api/v1/identity-providers"
TENANT = "https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/v2.0"


def body(**changes):
    return {"slug": "x", "name": "X", "issuer": "https://login.example", "client_id": "fleet"} | changes


class TestPresets:
    async def test_entra(self, admin):
        answer = await admin.post(PATH, json=body(preset="entra", issuer=TENANT))
        made = answer.json()
        assert answer.status_code == 201
        assert (made["scopes"], made["groups_claim"]) == ("openid email profile offline_access", "groups")

    @pytest.mark.parametrize("tenant", ["common", "organizations", "Consumers", "", "a/b", "{tenant}"])
    async def test_entra_of_everybody(self, admin, tenant):
        """The tokens of these name the tenant of the user, so anybody's would come in."""
        issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
        answer = await admin.post(PATH, json=body(preset="entra", issuer=issuer))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "issuer"

    async def test_google(self, admin, app):
        made = (
            await admin.post(PATH, json=body(preset="google", issuer=None, hosted_domain="example.org"))
        ).json()
        assert made["issuer"] == "https://accounts.google.com"
        assert made["hosted_domain"] == "example.org"

    async def test_google_elsewhere(self, admin):
        answer = await admin.post(PATH, json=body(preset="google"))
        assert answer.status_code == 422


class TestFields:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("slug", "../x"),
            ("slug", "New"),
            ("issuer", "http://login.example"),
            ("issuer", "https://login.example/?a=b"),
            ("issuer", None),
            ("scopes", "email"),
            ("client_id", ""),
            ("recheck_seconds", -1),
            ("preset", "saml"),
        ],
    )
    async def test_wrong_ones_are_named(self, admin, field, value):
        answer = await admin.post(PATH, json=body(**{field: value}))
        assert answer.status_code == 422
        assert [item["field"] for item in answer.json()["errors"]] == [field]
        assert (await admin.get(PATH)).json()["count"] == 0

    async def test_taken_slug(self, admin):
        await admin.post(PATH, json=body())
        assert (await admin.post(PATH, json=body())).status_code == 409

    async def test_secret_is_never_shown_and_lies_sealed(self, admin, add_provider, run_sql):
        made = await add_provider()
        read = await admin.get(f"{PATH}/{made}")
        assert read.json()["has_client_secret"] is True
        assert CLIENT_SECRET not in read.text
        rows = await run_sql("SELECT identity_providers::text FROM identity_providers")
        rows += await run_sql("SELECT audit_log::text FROM audit_log")
        assert not [row for row in rows if CLIENT_SECRET in row[0] or CLIENT_SECRET.encode().hex() in row[0]]

    async def test_check(self, admin, add_provider, provider):
        made = await add_provider()
        found = (await admin.post(f"{PATH}/{made}/check")).json()
        assert found["works"] is True
        provider.metadata = {"issuer": "https://evil.example"}
        found = (await admin.post(f"{PATH}/{made}/check")).json()
        assert found["works"] is False
        assert "issuer is" in found["detail"]


class TestAuthority:
    """Whoever says where the members of a group come from, gives out what the group gives."""

    @pytest.fixture
    async def delegate(self, app, admin):
        """Somebody who may change providers and nothing else."""
        permissions = [Permission.PROVIDERS_READ, Permission.PROVIDERS_WRITE]
        answer = await admin.post("/api/v1/roles", json={"name": "sso", "permissions": permissions})
        assert answer.status_code == 201, answer.text
        return app.client(await make_user(app.state.database, "delegate", "sso"))

    @pytest.fixture
    async def made(self, admin, add_provider):
        made = await add_provider()
        group = (await admin.post("/api/v1/groups", json={"name": "bosses", "provider_id": made})).json()
        await admin.post(f"/api/v1/groups/{group['id']}/memberships", json={"role": "admin"})
        return made

    @pytest.mark.parametrize(
        "changes",
        [
            {"issuer": "https://evil.example"},
            {"client_id": "another"},
            {"client_secret": "another"},
            {"groups_claim": "nickname"},
            {"hosted_domain": "evil.example"},
            {"enabled": False},
        ],
    )
    async def test_cannot_take_over_a_group(self, delegate, made, changes):
        answer = await delegate.patch(f"{PATH}/{made}", json=changes)
        assert answer.status_code == 403, answer.text
        assert (await delegate.delete(f"{PATH}/{made}")).status_code == 403

    async def test_cannot_take_over_accounts_of_scim(self, delegate, admin, add_provider):
        """A provider of one's own that vouches for them would open each of them."""
        assert (await delegate.post(PATH, json=body(scim_claim="oid"))).status_code == 403
        made = await add_provider(scim_claim="oid")
        assert (
            await delegate.patch(f"{PATH}/{made}", json={"issuer": "https://evil.example"})
        ).status_code == 403
        assert (await delegate.patch(f"{PATH}/{made}", json={"name": "New name"})).status_code == 200
        own = (await delegate.post(PATH, json=body())).json()["id"]
        assert (await delegate.patch(f"{PATH}/{own}", json={"scim_claim": "sub"})).status_code == 403

    async def test_may_rename(self, delegate, made):
        read = (await delegate.get(f"{PATH}/{made}")).json()
        unchanged = {"issuer": read["issuer"], "enabled": True, "groups_claim": "groups"}
        answer = await delegate.patch(f"{PATH}/{made}", json={"name": "New name"} | unchanged)
        assert answer.status_code == 200, answer.text

    async def test_may_change_one_whose_groups_give_nothing(self, delegate, add_provider):
        made = await add_provider()
        answer = await delegate.patch(f"{PATH}/{made}", json={"groups_claim": "roles"})
        assert answer.status_code == 200, answer.text

    async def test_the_last_administrator_stays(self, admin, made, travel, run_sql):
        """Removing the provider would remove the group by which the only administrator is one."""
        traveller = travel()
        traveller.provider.claims |= {"groups": ["bosses"]}
        await traveller.sign_in()
        # The one with the token keeps all else.
        await run_sql("UPDATE users SET enabled = false WHERE username = 'admin'")
        page = (await traveller.client.get(f"/settings/providers/{made}")).text
        csrf = page.split('name="csrf-token"')[1].split('content="')[1].split('"')[0]
        answer = await traveller.client.delete(f"{PATH}/{made}", headers={"X-CSRF-Token": csrf})
        assert answer.status_code == 409, answer.text
