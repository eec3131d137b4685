"""A provider that says whatever a test wants it to say."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import uvicorn
from joserfc import jws
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID = "fleet"
CLIENT_SECRET = "the client's secret: äö&="


@dataclass
class FakeProvider:
    """A server on loopback. Its attributes bend what it answers."""

    issuer: str
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    claims: dict[str, Any] = field(
        default_factory=lambda: {"sub": "subject-1", "preferred_username": "maria"}
    )
    # Of the ID token alone, over those above.
    token_claims: dict[str, Any] = field(default_factory=dict)
    # Makes the ID token from its claims.
    sign: Callable[[dict[str, Any]], str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] | None = None
    # Path -> the answer instead of the usual one.
    answers: dict[str, Response] = field(default_factory=dict)
    refresh_token: str | None = None
    asked: list[str] = field(default_factory=list)
    # Set to hold answers of the userinfo endpoint back.
    gate: asyncio.Event | None = None
    # Makes the userinfo endpoint answer with a JWT.
    signed_userinfo: Callable[[], str] | None = None
    valid_tokens: set[str] = field(default_factory=set)
    valid_refresh_tokens: set[str] = field(default_factory=set)
    authorization: dict[str, str] = field(default_factory=dict)
    _numbers: int = 0

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    def arrive(self, address: str) -> str:
        """A browser comes with an address from the product; returns the state that it goes back with."""
        self.authorization = dict(parse_qsl(urlsplit(address).query))
        return self.authorization["state"]

    def id_token(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": self.authorization.get("nonce"),
        }
        claims |= self.claims | self.token_claims | changes
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.sign is not None:
            return self.sign(claims)
        return jws.serialize_compact({"alg": "RS256", "kid": "one"}, json.dumps(claims), self.key)

    def revoke(self) -> None:
        """No token is good any more."""
        self.valid_tokens.clear()
        self.valid_refresh_tokens.clear()

    def _note(self, request: Request) -> Response | None:
        self.asked.append(request.url.path)
        return self.answers.get(request.url.path)

    async def _discovery(self, request: Request) -> Response:
        described = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
        } | self.metadata
        return self._note(request) or JSONResponse(
            {name: value for name, value in described.items() if value is not None}
        )

    async def _keys(self, request: Request) -> Response:
        keys = [self.key.as_dict(private=False)] if self.keys is None else self.keys
        return self._note(request) or JSONResponse({"keys": keys})

    async def _token(self, request: Request) -> Response:
        given = self._note(request)
        if given is not None:
            return given
        form = await request.form()
        basic = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        assert basic == "fleet:the+client%27s+secret%3A+%C3%A4%C3%B6%26%3D", basic
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.valid_refresh_tokens:
                return JSONResponse({"error": "invalid_grant"}, 400)
            # Rotated: each is good once.
            self.valid_refresh_tokens.discard(str(form["refresh_token"]))
        else:
            digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
            assert (
                base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.authorization["code_challenge"]
            )
            assert self.authorization["code_challenge_method"] == "S256"
            assert form["redirect_uri"] == self.authorization["redirect_uri"]
            if form["code"] != "good":
                return JSONResponse({"error": "invalid_grant"}, 400)
        self._numbers += 1
        token = f"access-{self._numbers}"
        self.valid_tokens.add(token)
        answer = {"access_token": token, "token_type": "Bearer", "id_token": self.id_token()}
        if self.refresh_token is not None:
            answer["refresh_token"] = f"{self.refresh_token}-{self._numbers}"
            self.valid_refresh_tokens.add(answer["refresh_token"])
        return JSONResponse(answer)

    async def _userinfo(self, request: Request) -> Response:
        given = self._note(request)
        if self.gate is not None:
            await self.gate.wait()
        if given is not None:
            return given
        if request.headers["authorization"].removeprefix("Bearer ") not in self.valid_tokens:
            return JSONResponse({"error": "invalid_token"}, 401)
        if self.signed_userinfo is not None:
            return Response(self.signed_userinfo(), media_type="application/jwt")
        return JSONResponse(self.claims)


@asynccontextmanager
async def fake_provider() -> AsyncIterator[FakeProvider]:
    """One that listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        provider = FakeProvider(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            provider.app, ws="none", lifespan="off", log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listener]))
        yield provider
        server.should_exit = True
        await task


def redirect(address: str) -> Response:
    return RedirectResponse(address)


def encoded(value: object) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def hmac_signed(claims: dict[str, Any], secret: bytes) -> str:
    """A token that is signed with a secret which somebody may know."""
    body = f"{encoded({'alg': 'HS256', 'kid': 'one'})}.{encoded(claims)}"
    return f"{body}.{encoded(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"


def unsigned(claims: dict[str, Any], algorithm: str) -> str:
    """A token that nobody has signed."""
    return f"{encoded({'alg': algorithm, 'kid': 'one'})}.{encoded(claims)}."
