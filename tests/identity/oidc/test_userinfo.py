"""What a provider says of somebody: mail addresses it has not verified, and userinfo as a signed JWT."""

import asyncio
import json

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from fleetkeeper.identity.oidc.accounts import is_verified
from tests.identity.oidc.fake_provider import CLIENT_ID, encoded, hmac_signed, unsigned


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        (True, True),
        ("true", True),
        ("True", True),
        (False, False),
        ("false", False),
        ("False", False),
        ("", False),
        ("no", False),
        (0, False),
        (1, False),
        (None, False),
        ([], False),
    ],
)
def test_verified(claim, expected):
    assert is_verified(claim) is expected


@pytest.fixture
async def traveller(add_provider, travel):
    await add_provider()
    return travel()


def signed(provider, key=None, header=None, **changes):
    """Userinfo as a JWT."""
    claims = {"iss": provider.issuer, "aud": CLIENT_ID} | provider.claims | {"name": "Maria"} | changes
    claims = {name: value for name, value in claims.items() if value is not None}
    header = {"alg": "RS256", "kid": "one"} | (header or {})
    return lambda: jws.serialize_compact(header, json.dumps(claims), key or provider.key)


class TestSignedUserinfo:
    @pytest.mark.parametrize("audience", [CLIENT_ID, [CLIENT_ID, "another"]])
    async def test_counts(self, traveller, run_sql, audience):
        traveller.provider.signed_userinfo = signed(traveller.provider, aud=audience)
        assert (await traveller.sign_in()).status_code == 303
        assert await run_sql("SELECT name FROM users WHERE source = 'oidc'") == [("Maria",)]
        assert await traveller.me()

    async def test_that_does_not_hold(self, traveller):
        for changes, header, why in (
            ({"iss": "https://another.example"}, {}, "another issuer"),
            ({"iss": None}, {}, "another issuer"),
            ({"aud": "another"}, {}, "another audience"),
            ({"aud": None}, {}, "another audience"),
            ({"exp": 1}, {}, "expired"),
            ({"sub": "somebody-else"}, {}, "two people"),
            ({}, {"cty": "JWT"}, "holds another token"),
        ):
            traveller.provider.signed_userinfo = signed(traveller.provider, header=header, **changes)
            await self.refused(traveller, why)

    async def test_that_nobody_signed(self, traveller):
        provider = traveller.provider
        claims = {"iss": provider.issuer, "aud": CLIENT_ID} | provider.claims
        key = RSAKey.generate_key(2048, {"kid": "one"})
        for token, why in (
            (hmac_signed(claims, b"secret"), "no secure signature"),
            (unsigned(claims, "none"), "no secure signature"),
            (".".join([encoded({"alg": "RSA-OAEP"}), *"abcd"]), "is encrypted"),
            ("no token", "cannot be read"),
            ("", "cannot be read"),
            (signed(provider, key=key)(), "not signed by the provider"),
        ):
            provider.signed_userinfo = lambda token=token: token
            await self.refused(traveller, why)

    @staticmethod
    async def refused(traveller, why):
        answer = await traveller.sign_in()
        assert answer.status_code == 401, why
        assert why in answer.text
        assert await traveller.me() is None


async def test_a_provider_that_never_answers_holds_up_no_token(app, admin, add_provider, travel, provider):
    """More requests wait for it than there are connections to the database."""
    await add_provider()
    travellers = [travel() for _ in range(3)]
    for one in travellers:
        await one.sign_in()
    provider.gate = asyncio.Event()
    asked = len(provider.asked)
    waiting = [asyncio.create_task(one.me()) for one in travellers for _ in range(10)]
    waiting += [asyncio.create_task(travel().sign_in()) for _ in range(10)]
    while len(provider.asked) < asked + len(travellers):  # noqa: ASYNC110 - the server has no event for it
        await asyncio.sleep(0)
    async with asyncio.timeout(5):
        for _ in range(20):
            assert (await admin.get("/api/v1/devices")).status_code == 200
    assert not any(task.done() for task in waiting[:30])
    provider.gate.set()
    assert all(await asyncio.gather(*waiting))
