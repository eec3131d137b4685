"""Talking to providers: what is believed, what is followed, and how much is read."""

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fleetkeeper.identity.oidc.client import (
    MAX_ANSWER_BYTES,
    GrantRefusedError,
    OidcClient,
    ProviderError,
    ProviderUnreachableError,
    check_address,
)
from tests.fixtures.product import free_port
from tests.identity.oidc.fake_provider import CLIENT_ID, CLIENT_SECRET, redirect

DISCOVERY = "/.well-known/openid-configuration"


@pytest.fixture
async def client():
    client = OidcClient()
    yield client
    await client.close()


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        ["https://login.example/realm", "http://localhost:9400", "http://127.0.0.1:1/x", "http://[::1]:8"],
    )
    def test_https_or_this_machine(self, address):
        assert check_address(address) == address

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "login.example",
            "http://login.example",
            "ftp://localhost/",
            "file:///etc/passwd",
            "https://",
            "https://user@login.example",
            "https://login.example/a b",
            "https://login.example/\n",
            "https://login.example:99999",
            "https://[::1",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ],
    )
    def test_nothing_else(self, address):
        with pytest.raises(ProviderError):
            check_address(address)


class TestDiscovery:
    async def test_is_asked_for_once(self, client, provider):
        assert (await client.metadata(provider.issuer)).token_endpoint == f"{provider.issuer}/token"
        await client.metadata(provider.issuer)
        assert provider.asked == [DISCOVERY]

    @pytest.mark.parametrize(
        ("metadata", "words"),
        [
            ({"issuer": "https://evil.example"}, "issuer is 'https://evil.example'"),
            ({"issuer": None}, "issuer is"),
            ({"token_endpoint": None}, "has no token_endpoint"),
            ({"jwks_uri": ["x"]}, "has no jwks_uri"),
            ({"token_endpoint": "http://login.example/"}, "https://"),
            ({"userinfo_endpoint": "file:///etc/passwd"}, "https://"),
        ],
    )
    async def test_must_fit(self, client, provider, metadata, words):
        provider.metadata = metadata
        with pytest.raises(ProviderError, match=words):
            await client.metadata(provider.issuer)

    async def test_issuer_with_another_slash_is_another(self, client, provider):
        with pytest.raises(ProviderError, match="issuer is"):
            await client.metadata(provider.issuer + "/")

    async def test_redirects_lead_nowhere(self, client, provider):
        provider.answers[DISCOVERY] = redirect("http://169.254.169.254/latest/meta-data")
        with pytest.raises(ProviderError, match="307"):
            await client.metadata(provider.issuer)

    @pytest.mark.parametrize(
        "answer",
        [
            PlainTextResponse("<html>"),
            JSONResponse([1]),
            PlainTextResponse("[" * 100_000),
            Response(b"\xff\xfe"),
            Response(b"x" * (MAX_ANSWER_BYTES + 1)),
            JSONResponse({}, 500),
        ],
    )
    async def test_answers_that_are_none(self, client, provider, answer):
        provider.answers[DISCOVERY] = answer
        with pytest.raises(ProviderError):
            await client.metadata(provider.issuer)

    async def test_compressed_bomb_is_not_unpacked_whole(self, client, provider):
        import gzip

        bomb = gzip.compress(bytes(50 * 1024 * 1024))
        provider.answers[DISCOVERY] = Response(bomb, headers={"Content-Encoding": "gzip"})
        with pytest.raises(ProviderError, match="too long"):
            await client.metadata(provider.issuer)

    async def test_one_that_is_away_rests(self, client):
        issuer = f"http://127.0.0.1:{free_port()}"
        with pytest.raises(ProviderUnreachableError, match="ConnectError"):
            await client.metadata(issuer)
        with pytest.raises(ProviderUnreachableError, match="just now"):
            await client.metadata(issuer)


class TestTokens:
    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (JSONResponse({"error": "invalid_grant"}, 400), GrantRefusedError),
            (JSONResponse({"error": "invalid_client"}, 401), ProviderError),
            (PlainTextResponse("no", 400), ProviderError),
            (JSONResponse({}, 503), ProviderUnreachableError),
            (JSONResponse({"access_token": "a", "token_type": "mac"}), ProviderError),
            (JSONResponse({"access_token": 1, "token_type": "Bearer"}), ProviderError),
        ],
    )
    async def test_refusals(self, client, provider, answer, error):
        provider.answers["/token"] = answer
        metadata = await client.metadata(provider.issuer)
        with pytest.raises(ProviderError) as refusal:
            await client.token(metadata, CLIENT_ID, CLIENT_SECRET, {"grant_type": "authorization_code"})
        assert type(refusal.value) is error

    @pytest.mark.parametrize(
        ("status", "error"),
        [(401, GrantRefusedError), (403, GrantRefusedError), (400, GrantRefusedError), (500, ProviderUnreachableError),
         (429, ProviderUnreachableError)],
    )  # fmt: skip
    async def test_userinfo(self, client, provider, status, error):
        provider.answers["/userinfo"] = JSONResponse({}, status)
        metadata = await client.metadata(provider.issuer)
        with pytest.raises(ProviderError) as refusal:
            await client.userinfo(metadata, "x")
        assert type(refusal.value) is error
