"""Asking again while a session lasts: groups, tokens that end, and a provider that is away."""

import asyncio

import pytest
from starlette.responses import JSONResponse

from fleetkeeper.identity.oidc import recheck

GROUPS = "SELECT g.name FROM group_members m JOIN groups g ON g.id = m.group_id"
AWAY = JSONResponse({}, 503)


@pytest.fixture
async def provider_id(add_provider, admin):
    made = await add_provider()
    await admin.post("/api/v1/groups", json={"name": "operators", "provider_id": made})
    return made


@pytest.fixture
def traveller(provider_id, travel):
    return travel()


class TestInterval:
    async def test_answer_is_believed_for_that_long(self, traveller, admin, provider_id, run_sql):
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"recheck_seconds": 60})
        await traveller.sign_in()
        asked = len(traveller.provider.asked)
        assert await traveller.me()
        assert len(traveller.provider.asked) == asked
        await run_sql(
            "UPDATE sessions SET created_at = created_at - interval '61 s',"
            " provider_checked_at = provider_checked_at - interval '61 s'"
        )
        assert await traveller.me()
        assert await traveller.me()
        assert len(traveller.provider.asked) == asked + 1

    async def test_requests_at_once_ask_once(self, traveller, admin, provider_id, run_sql):
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"recheck_seconds": 60})
        await traveller.sign_in()
        await run_sql(
            "UPDATE sessions SET created_at = created_at - interval '61 s',"
            " provider_checked_at = provider_checked_at - interval '61 s'"
        )
        asked = len(traveller.provider.asked)
        assert all(await asyncio.gather(*(traveller.me() for _ in range(5))))
        assert len(traveller.provider.asked) == asked + 1


class TestGroupsInIdTokens:
    """As Microsoft Entra has it: userinfo tells none, and a new ID token comes by the refresh token."""

    @pytest.fixture
    async def traveller(self, traveller, run_sql):
        traveller.provider.refresh_token = "refresh"
        traveller.provider.token_claims = {"groups": ["operators"]}
        await traveller.sign_in()
        assert await run_sql(GROUPS) == [("operators",)]
        return traveller

    async def test_stay(self, traveller, run_sql):
        for _ in range(3):
            assert await traveller.me()
        assert await run_sql(GROUPS) == [("operators",)]

    @pytest.mark.parametrize("claims", [{"groups": ["another"]}, {"groups": []}, {}])
    async def test_go(self, traveller, run_sql, claims):
        """Whoever is in no group any more has no claim any more."""
        traveller.provider.token_claims = claims
        assert await traveller.me()
        assert await run_sql(GROUPS) == []

    async def test_requests_at_once_do_not_waste_the_refresh_token(self, traveller, run_sql):
        """It is good once; whoever comes second goes by what the first one got."""
        assert all(await asyncio.gather(*(traveller.me() for _ in range(4))))
        assert await traveller.me()

    async def test_nor_do_requests_of_several_processes(self, traveller, monkeypatch):
        """Each has turns of its own; the refused one goes by what the other got."""
        monkeypatch.setattr(recheck._TURNS, "setdefault", lambda _, turn: turn)
        assert all(await asyncio.gather(*(traveller.me() for _ in range(4))))
        assert await traveller.me()

    async def test_refresh_token_that_ended(self, traveller, run_sql):
        traveller.provider.valid_refresh_tokens.clear()
        assert await traveller.me() is None
        (event,) = await run_sql(
            "SELECT actor_kind, details FROM audit_log WHERE action = 'session.ended_by_provider'"
        )
        assert event[1] == {"why": "The provider refuses the grant."}

    async def test_new_token_of_somebody_else(self, traveller):
        traveller.provider.token_claims = {"sub": "subject-2"}
        assert await traveller.me() is None

    async def test_new_token_that_is_forged(self, traveller):
        traveller.provider.token_claims = {"groups": ["operators"], "aud": "another"}
        assert await traveller.me() is None


class TestUserinfo:
    async def test_of_somebody_else(self, traveller):
        await traveller.sign_in()
        traveller.provider.claims = {"sub": "subject-2"}
        assert await traveller.me() is None

    async def test_access_token_is_renewed(self, traveller):
        traveller.provider.refresh_token = "refresh"
        await traveller.sign_in()
        traveller.provider.valid_tokens.clear()
        assert await traveller.me()
        assert await traveller.me()

    async def test_access_token_that_ended_without_another(self, traveller):
        await traveller.sign_in()
        traveller.provider.revoke()
        assert await traveller.me() is None

    async def test_left_the_organisation(self, traveller, admin, provider_id):
        await admin.patch(f"/api/v1/identity-providers/{provider_id}", json={"hosted_domain": "example.org"})
        traveller.provider.claims |= {"hd": "example.org"}
        await traveller.sign_in()
        assert await traveller.me()
        traveller.provider.claims |= {"hd": "example.net"}
        assert await traveller.me() is None


class TestAway:
    async def test_for_a_moment(self, traveller, run_sql):
        """What it said last counts for a while, groups included."""
        traveller.provider.claims |= {"groups": ["operators"]}
        await traveller.sign_in()
        traveller.provider.answers["/userinfo"] = AWAY
        assert await traveller.me()
        assert await run_sql(GROUPS) == [("operators",)]

    async def test_for_too_long(self, traveller, run_sql):
        await traveller.sign_in()
        traveller.provider.answers["/userinfo"] = AWAY
        await run_sql("UPDATE sessions SET provider_checked_at = now() - interval '16 minutes'")
        assert await traveller.me() is None

    async def test_attempts_that_failed_do_not_prolong_it(self, traveller, run_sql):
        await traveller.sign_in()
        traveller.provider.answers["/userinfo"] = AWAY
        await run_sql("UPDATE sessions SET provider_checked_at = now() - interval '14 minutes'")
        assert await traveller.me()
        await run_sql("UPDATE sessions SET provider_checked_at = provider_checked_at - interval '2 minutes'")
        assert await traveller.me() is None
