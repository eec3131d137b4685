"""ID tokens that hold, and each way in which one does not."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

from fleetkeeper.identity.oidc import client as oidc_client
from fleetkeeper.identity.oidc.client import OidcClient, ProviderError
from fleetkeeper.identity.oidc.id_tokens import TokenError, check_id_token
from fleetkeeper.kit.clock import utc_now
from tests.identity.oidc.fake_provider import CLIENT_ID, encoded, hmac_signed, unsigned

NONCE = "the nonce"


@pytest.fixture
async def client():
    client = OidcClient()
    yield client
    await client.close()


@pytest.fixture
async def check(client, provider):
    provider.authorization = {"nonce": NONCE}

    async def run(token=None, now=None):
        metadata = await client.metadata(provider.issuer)
        return await check_id_token(
            client,
            metadata,
            provider.id_token() if token is None else token,
            client_id=CLIENT_ID,
            nonce=NONCE,
            now=now or utc_now(),
        )

    return run


class TestSignature:
    async def test_holds(self, check):
        assert (await check())["sub"] == "subject-1"

    @pytest.mark.parametrize(
        ("algorithm", "make"),
        [
            ("RS384", lambda: RSAKey.generate_key(2048)),
            ("RS512", lambda: RSAKey.generate_key(2048)),
            ("PS256", lambda: RSAKey.generate_key(2048)),
            ("ES256", lambda: ECKey.generate_key("P-256")),
            ("ES384", lambda: ECKey.generate_key("P-384")),
            ("EdDSA", lambda: OKPKey.generate_key("Ed25519")),
        ],
    )
    @pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
    async def test_other_algorithms(self, check, provider, algorithm, make):
        key = make()
        provider.keys = [key.as_dict(private=False)]
        provider.sign = lambda claims: jws.serialize_compact(
            {"alg": algorithm}, json.dumps(claims), key, algorithms=[algorithm]
        )
        assert (await check())["sub"] == "subject-1"

    async def test_forged_by_another_key_of_the_same_name(self, check, provider):
        key = RSAKey.generate_key(2048, {"kid": "one"})
        provider.sign = lambda claims: jws.serialize_compact(
            {"alg": "RS256", "kid": "one"}, json.dumps(claims), key
        )
        with pytest.raises(TokenError, match="not signed by the provider"):
            await check()

    async def test_key_that_the_token_brings_along(self, check, provider):
        key = RSAKey.generate_key(2048)
        header = {"alg": "RS256", "jwk": key.as_dict(private=False)}
        provider.sign = lambda claims: jws.serialize_compact(header, json.dumps(claims), key)
        with pytest.raises(TokenError):
            await check()

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE", ""])
    async def test_alg_none(self, check, provider, algorithm):
        provider.sign = lambda claims: unsigned(claims, algorithm)
        with pytest.raises(TokenError):
            await check()

    @pytest.mark.parametrize("form", ["pem", "der", "modulus", "client secret"])
    async def test_hs256_with_what_is_public(self, check, provider, form):
        public = provider.key.public_key
        secret = {
            "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            "modulus": provider.key.as_dict(private=False)["n"].encode(),
            "client secret": b"the client's secret",
        }[form]
        provider.sign = lambda claims: hmac_signed(claims, secret)
        with pytest.raises(TokenError, match="no secure signature"):
            await check()

    async def test_symmetric_key_in_the_key_set(self, check, provider):
        provider.keys = [{"kty": "oct", "k": encoded(b"x" * 32), "kid": "one"}]
        provider.sign = lambda claims: hmac_signed(claims, b"x" * 32)
        with pytest.raises(TokenError):
            await check()

    async def test_short_rsa_key(self, check, provider):
        with pytest.warns(SecurityWarning):
            provider.key = RSAKey.generate_key(1024, {"kid": "one"})
        with pytest.raises(TokenError):
            await check()

    async def test_key_for_encryption(self, check, provider):
        provider.keys = [provider.key.as_dict(private=False) | {"use": "enc"}]
        with pytest.raises(TokenError):
            await check()

    async def test_changed_claims(self, check, provider):
        head, _, signature = provider.id_token().split(".")
        other = provider.id_token(sub="admin").split(".")[1]
        with pytest.raises(TokenError):
            await check(f"{head}.{other}.{signature}")

    @pytest.mark.parametrize("token", ["", "a", "a.b.c", "....", 7, None, ["a"], "é.é.é", "x" * 100_000])
    async def test_garbage(self, client, provider, token):
        metadata = await client.metadata(provider.issuer)
        with pytest.raises(TokenError):
            await check_id_token(client, metadata, token, client_id=CLIENT_ID, nonce=NONCE, now=utc_now())

    @settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=40)
    @given(
        header=st.dictionaries(
            st.sampled_from(["alg", "kid", "crit", "b64", "typ"]),
            st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.text(max_size=5),
                st.lists(st.text(max_size=3), max_size=2),
            ),
        )
    )
    def test_headers_from_outside_never_crash(self, header):
        import asyncio

        class NoKeys:
            @staticmethod
            async def keys(metadata, key_id):
                return []

        async def run():
            token = f"{encoded(header)}.{encoded({})}.{encoded(b'x')}"
            with pytest.raises(TokenError):
                await check_id_token(NoKeys, None, token, client_id="a", nonce=None, now=utc_now())

        with asyncio.Runner() as runner:
            runner.run(run())


class TestClaims:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"iss": "https://evil.example"}, "another issuer"),
            ({"iss": None}, "another issuer"),
            ({"aud": "another client"}, "another audience"),
            ({"aud": []}, "another audience"),
            ({"aud": None}, "another audience"),
            ({"aud": [CLIENT_ID, "another"]}, "another client"),
            ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "another client"),
            ({"azp": "another"}, "another client"),
            ({"exp": 1_000_000_000}, "expired"),
            ({"exp": None}, "no exp"),
            ({"exp": "tomorrow"}, "no exp"),
            ({"exp": True}, "no exp"),
            ({"exp": float("nan")}, "no exp"),
            ({"exp": float("inf")}, "no exp"),
            ({"iat": None}, "no iat"),
            ({"iat": 1_000_000_000}, "wrong time"),
            ({"iat": 4_000_000_000}, "wrong time"),
            ({"nbf": 4_000_000_000}, "not valid yet"),
            ({"nonce": "another"}, "another sign-in"),
            ({"nonce": None}, "another sign-in"),
            ({"nonce": [NONCE]}, "another sign-in"),
            ({"sub": None}, "has no subject"),
            ({"sub": ""}, "has no subject"),
            ({"sub": 7}, "has no subject"),
            ({"sub": "x" * 256}, "has no subject"),
            ({"sub": "a\x00b"}, "has no subject"),
        ],
    )
    async def test_each_is_checked(self, check, provider, changes, words):
        provider.token_claims = changes
        with pytest.raises(TokenError, match=words):
            await check()

    async def test_audience_of_several_with_us_authorized(self, check, provider):
        provider.token_claims = {"aud": ["another", CLIENT_ID], "azp": CLIENT_ID}
        assert await check()

    async def test_clocks_may_differ_by_a_minute(self, check, provider):
        now = utc_now()
        token = provider.id_token(exp=int(now.timestamp()) + 10)
        assert await check(token, now + timedelta(seconds=60))
        with pytest.raises(TokenError):
            await check(token, now + timedelta(seconds=80))


class TestKeys:
    async def test_new_key_is_fetched_once_in_a_while(self, check, provider, client, monkeypatch):
        assert await check()
        assert await check()
        assert provider.asked.count("/keys") == 1
        provider.key = RSAKey.generate_key(2048, {"kid": "two"})
        provider.sign = lambda claims: jws.serialize_compact(
            {"alg": "RS256", "kid": "two"}, json.dumps(claims), provider.key
        )
        with pytest.raises(TokenError):
            await check()
        assert provider.asked.count("/keys") == 1
        monkeypatch.setattr(oidc_client, "KEYS_AGAIN_SECONDS", 0.0)
        assert await check()
        assert provider.asked.count("/keys") == 2

    async def test_keys_that_are_none(self, check, provider, client):
        provider.keys = [
            "x",
            {"kty": "RSA"},
            {"kty": "RSA", "n": "!", "e": 1},
            {"kid": "one", "kty": ["RSA"]},
        ]
        with pytest.raises(ProviderError):
            await check()
