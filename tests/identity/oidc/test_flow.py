"""The flow against a provider that lies: each answer that does not hold opens nothing."""

import asyncio
import json

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse

from tests.identity.oidc.fake_provider import hmac_signed, unsigned

AUDIT = "SELECT actor_kind, details FROM audit_log WHERE action = 'session.sign_in_failed' ORDER BY id"


def forged(claims) -> str:
    key = RSAKey.generate_key(2048, {"kid": "one"})
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), key)


@pytest.fixture
async def traveller(add_provider, travel):
    await add_provider()
    return travel()


async def test_an_honest_answer_opens_a_session(traveller):
    answer = await traveller.sign_in()
    assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
    assert (await traveller.me())["username"] == "maria"


class TestDeparture:
    async def test_asks_with_everything_that_binds_the_answer(self, traveller):
        await traveller.depart()
        asked = traveller.provider.authorization
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert asked["redirect_uri"] == "http://localhost/sign-in/oidc/fake/callback"
        assert asked["scope"] == "openid email profile"
        for name in ("state", "nonce", "code_challenge"):
            assert len(asked[name]) >= 32, name
        first = asked
        await traveller.depart()
        for name in ("state", "nonce", "code_challenge"):
            assert traveller.provider.authorization[name] != first[name]

    async def test_cookie_is_out_of_reach_of_scripts(self, traveller):
        await traveller.depart()
        (cookie,) = traveller.departed.headers.get_list("set-cookie")
        assert "HttpOnly" in cookie
        assert "SameSite=lax" in cookie

    async def test_nothing_of_it_is_kept_in_clear(self, traveller, run_sql):
        await traveller.depart()
        (row,) = await run_sql("SELECT oidc_flows::text FROM oidc_flows")
        asked = traveller.provider.authorization
        for name in ("state", "nonce"):
            assert asked[name] not in row[0]
            assert asked[name].encode().hex() not in row[0]

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "\\\\evil.example",
            "javascript:alert(1)",
            "//[",
            "http://[",
            "",
        ],
    )
    async def test_leads_back_to_no_other_site(self, traveller, target):
        await traveller.depart(
            "?" + str(traveller.client.build_request("GET", "/", params={"next": target}).url.query, "ascii")
        )
        assert (await traveller.come_back()).headers["location"] == "/"

    async def test_provider_away(self, traveller):
        traveller.provider.answers["/.well-known/openid-configuration"] = JSONResponse({}, 500)
        answer = await traveller.client.get("/sign-in/oidc/fake")
        assert answer.status_code == 503
        assert "cannot be used at the moment" in answer.text
        assert "password" in answer.text


class TestForgedTokens:
    @pytest.mark.parametrize(
        ("sign", "words"),
        [
            (forged, "not signed by the provider"),
            (lambda claims: unsigned(claims, "none"), "no secure signature"),
            (lambda claims: hmac_signed(claims, b"the client's secret"), "no secure signature"),
            (lambda claims: "", "sent no ID token"),
        ],
        ids=["forged", "alg none", "HS256", "none at all"],
    )
    async def test_signature(self, traveller, run_sql, sign, words):
        traveller.provider.sign = sign
        answer = await traveller.sign_in()
        assert answer.status_code == 401
        assert words in answer.text
        assert await traveller.me() is None
        assert await run_sql(AUDIT) == [("anonymous", {"method": "oidc:fake"})]
        assert await run_sql("SELECT 1 FROM users WHERE username = 'maria'") == []

    @pytest.mark.parametrize(
        ("claims", "words"),
        [
            ({"exp": 1}, "expired"),
            ({"iat": 1}, "wrong time"),
            ({"aud": "another"}, "another audience"),
            ({"aud": ["fleet", "another"]}, "another client"),
            ({"azp": "another"}, "another client"),
            ({"iss": "https://evil.example"}, "another issuer"),
            ({"nonce": "of another sign-in"}, "another sign-in"),
            ({"nonce": None}, "another sign-in"),
            ({"sub": None}, "has no subject"),
        ],
    )
    async def test_claims(self, traveller, claims, words):
        traveller.provider.token_claims = claims
        answer = await traveller.sign_in()
        assert answer.status_code == 401
        assert words in answer.text
        assert await traveller.me() is None

    async def test_userinfo_of_somebody_else(self, traveller):
        """It is not signed, so it counts for the one whom the token names, or not at all."""
        traveller.provider.token_claims = {"sub": "subject-2"}
        answer = await traveller.sign_in()
        assert answer.status_code == 401
        assert "two people" in answer.text

    async def test_userinfo_cannot_bring_a_second_factor(self, traveller, run_sql):
        traveller.provider.claims |= {"amr": ["mfa"]}
        traveller.provider.token_claims = {"amr": ["pwd"]}
        await traveller.sign_in()
        assert await run_sql("SELECT has_second_factor FROM sessions") == [(False,)]

    async def test_what_the_provider_says_is_shown_as_text(self, traveller):
        await traveller.depart()
        script = "<script>alert(1)</script>"
        answer = await traveller.come_back(code="", error=script, error_description="<img src=x>")
        assert answer.status_code == 401
        assert script not in answer.text
        assert "<img src=x" not in answer.text

    async def test_names_are_shown_as_text_and_hold_no_control_marks(self, traveller, admin):
        traveller.provider.claims |= {"preferred_username": "<b>x</b>\x00\r\n\u202e", "name": "a\x1bb"}
        await traveller.sign_in()
        me = await traveller.me()
        assert me["username"] == "<b>x</b>"
        page = (await traveller.client.get("/account")).text
        assert "<b>x</b>" not in page


class TestReturn:
    @pytest.mark.parametrize(
        "changes", [{"state": ""}, {"state": "fkf_another"}, {"code": ""}, {"code": "x" * 5000}]
    )
    async def test_incomplete(self, traveller, changes):
        await traveller.depart()
        assert (await traveller.come_back(**changes)).status_code == 401
        assert await traveller.me() is None

    async def test_replayed_state(self, traveller):
        await traveller.sign_in()
        traveller.client.cookies.clear()
        assert (await traveller.come_back()).status_code == 401

    async def test_state_is_used_up_by_a_failure_too(self, traveller):
        await traveller.depart()
        assert (await traveller.come_back(code="wrong")).status_code == 401
        assert (await traveller.come_back()).status_code == 401

    async def test_two_returns_at_once(self, traveller, run_sql):
        await traveller.depart()
        statuses = [
            answer.status_code for answer in await asyncio.gather(*(traveller.come_back() for _ in range(5)))
        ]
        assert sorted(statuses) == [303, 401, 401, 401, 401]
        assert len(await run_sql("SELECT 1 FROM sessions")) == 1

    async def test_in_another_browser(self, traveller, travel):
        await traveller.depart()
        other = travel()
        other.state = traveller.state
        assert (await other.come_back()).status_code == 401
        assert await other.me() is None

    async def test_too_late(self, traveller, run_sql):
        await traveller.depart()
        await run_sql("UPDATE oidc_flows SET expires_at = now()")
        answer = await traveller.come_back()
        assert answer.status_code == 401
        assert "took too long" in answer.text

    async def test_at_another_provider(self, traveller, add_provider):
        """Mix-up: the answer of one provider is not taken for that of another."""
        await add_provider(slug="other")
        await traveller.depart()
        parameters = {"code": "good", "state": traveller.state}
        answer = await traveller.client.get("/sign-in/oidc/other/callback", params=parameters)
        assert answer.status_code == 401

    @pytest.mark.parametrize(
        ("says_so", "issuer", "status"),
        [(False, None, 303), (True, "itself", 303), (True, None, 401), (False, "https://evil.example", 401)],
    )
    async def test_issuer_in_the_answer(self, traveller, says_so, issuer, status):
        """RFC 9207."""
        traveller.provider.metadata = {"authorization_response_iss_parameter_supported": says_so}
        await traveller.depart()
        sent = {"iss": traveller.provider.issuer if issuer == "itself" else issuer or ""}
        assert (await traveller.come_back(**sent)).status_code == status

    async def test_session_fixation(self, traveller):
        """A cookie that was there before is no session afterwards, and one that was ends."""
        await traveller.sign_in()
        before = traveller.client.cookies["fleetkeeper"]
        await traveller.sign_in()
        assert traveller.client.cookies["fleetkeeper"] != before
        answer = await traveller.app.client().get("/api/v1/me", headers={"Cookie": f"fleetkeeper={before}"})
        assert answer.status_code == 401

    async def test_at_once_for_the_first_time(self, traveller, travel, run_sql):
        """One subject in two browsers makes one account."""
        other = travel()
        await traveller.depart()
        await other.depart()
        # Both with the nonce that the provider saw last: the first is refused, the second comes in; so sign in again.
        assert (await other.come_back()).status_code == 303
        assert (await traveller.sign_in()).status_code == 303
        assert len(await run_sql("SELECT 1 FROM user_identities")) == 1


class TestAccounts:
    @pytest.mark.parametrize("name", ["Ärger", "İstanbul", "ß", "ǅ"])
    async def test_names_that_are_taken_in_any_case(self, traveller, name):
        """Python and the database need not agree on what the lower case of a letter is."""
        for subject, username in (("first", name), ("second", f"{name}-2")):
            traveller.provider.claims = {"sub": subject, "preferred_username": name}
            assert (await traveller.sign_in()).status_code == 303
            assert (await traveller.me())["username"] == username

    async def test_second_factor_of_ours_is_asked_for_after_the_provider(self, traveller, run_sql):
        await traveller.sign_in()
        await run_sql(
            "INSERT INTO totp_devices (id, user_id, secret_sealed, created_at, confirmed_at)"
            " SELECT gen_random_uuid(), id, 'x', now(), now() FROM users WHERE username = 'maria'"
        )
        traveller.client.cookies.clear()
        answer = await traveller.sign_in()
        assert answer.headers["location"] == "/sign-in/second-factor"
        assert await traveller.me() is None

    @pytest.mark.parametrize(
        ("methods", "shown"),
        [
            (["mfa"], True),
            (["pwd", "otp"], True),
            (["pwd", "fpt"], True),
            (["pwd"], False),
            (["otp"], False),
            (["hwk", "sc"], False),
            (["pwd", "pin"], False),
            ("mfa", False),
            ([{"mfa": 1}, None], False),
            (None, False),
        ],
    )
    async def test_second_factor_of_the_provider(self, traveller, run_sql, methods, shown):
        """RFC 8176: two kinds of proof, not a good one of one kind."""
        traveller.provider.token_claims = {"amr": methods}
        await traveller.sign_in()
        assert await run_sql("SELECT has_second_factor FROM sessions") == [(shown,)]

    async def test_hosted_domain(self, add_provider, travel):
        await add_provider(hosted_domain="example.org")
        for domain, status in (
            ("example.org", 303),
            ("EXAMPLE.org", 303),
            ("evil.example", 403),
            (None, 403),
            (["example.org"], 403),
        ):
            traveller = travel()
            traveller.provider.claims = {"sub": "one", "hd": domain}
            assert (await traveller.sign_in()).status_code == status, domain
