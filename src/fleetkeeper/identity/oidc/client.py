"""Talks to providers: discovery, keys, tokens, userinfo. Believes nothing that is not checked."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpx

from fleetkeeper.database.engine import warn_if_held

TIMEOUT_SECONDS = 5.0
# Of a whole exchange, however slowly its parts come.
DEADLINE_SECONDS = 10.0
MAX_ANSWER_BYTES = 512 * 1024
METADATA_SECONDS = 3600.0
KEYS_SECONDS = 3600.0
# An unknown key id makes us ask for the keys again, at most this often.
KEYS_AGAIN_SECONDS = 30.0
# A provider that could not be reached is not tried again for this long.
REST_SECONDS = 10.0
MAX_PROVIDERS = 100
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ProviderError(Exception):
    """The provider answered something that cannot be right; the message is for an administrator."""


class ProviderUnreachableError(ProviderError):
    """The provider does not answer at the moment."""


class GrantRefusedError(ProviderError):
    """The provider says that a code or a token is not, or no longer, good."""


@dataclass(frozen=True)
class Metadata:
    """Where a provider's doors are."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    accepts_basic: bool
    says_issuer: bool


@dataclass(frozen=True)
class _Answer:
    status: int
    media_type: str
    content: bytes


@dataclass
class _Keys:
    keys: list[dict[str, Any]] = field(default_factory=list)
    fetched_at: float = float("-inf")


def check_address(address: str) -> str:
    """The address, if it may be asked. Raises ProviderError: https, or plain http on this machine."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ProviderError("The address cannot be read.") from None
    del port
    is_plain = parts.scheme == "http" and host in _LOOPBACK
    if not host or parts.username is not None or not (parts.scheme == "https" or is_plain):
        raise ProviderError("The address starts with https://.")
    if not address.isprintable() or " " in address:
        raise ProviderError("The address cannot be read.")
    return address


def is_loopback(address: str) -> bool:
    """Whether an address is on this machine."""
    return urlsplit(address).hostname in _LOOPBACK


@cache
def _trusted_authorities() -> ssl.SSLContext:
    """Reading them takes a thirtieth of a second, so they are read once."""
    return httpx.create_ssl_context()


class OidcClient:
    """One per process: its caches, and its connections."""

    def __init__(self) -> None:
        trusted = _trusted_authorities()
        local = httpx.AsyncHTTPTransport(retries=0, verify=trusted)
        self._http = httpx.AsyncClient(
            verify=trusted,
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            headers={"Accept": "application/json", "User-Agent": "fleetkeeper"},
            # A proxy of the organization does not lead to this machine.
            mounts={f"all://{host}": local for host in ("localhost", "127.0.0.1", "[::1]")},
        )
        self._metadata: dict[str, tuple[Metadata, float]] = {}
        self._keys: dict[str, _Keys] = {}
        self._resting: dict[str, float] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def metadata(self, issuer: str, *, anew: bool = False) -> Metadata:
        """What a provider says of itself. Raises ProviderError."""
        known = self._metadata.get(issuer)
        if known is not None and not anew and time.monotonic() - known[1] < METADATA_SECONDS:
            return known[0]
        check_address(issuer)
        address = issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, answer = await self._ask("GET", address, issuer)
        if status != 200:
            raise ProviderError(f"The provider's description answers {status}.")
        found = _read_metadata(issuer, answer)
        if len(self._metadata) >= MAX_PROVIDERS:
            self._metadata.clear()
        self._metadata[issuer] = found, time.monotonic()
        return found

    async def keys(self, metadata: Metadata, key_id: str | None) -> list[dict[str, Any]]:
        """The provider's public keys; asked for again when `key_id` is not among them. Raises ProviderError."""
        if len(self._keys) >= MAX_PROVIDERS:
            self._keys.clear()
        known = self._keys.setdefault(metadata.issuer, _Keys())
        age = time.monotonic() - known.fetched_at
        is_known = key_id is None or any(key.get("kid") == key_id for key in known.keys)
        if age >= KEYS_SECONDS or (not is_known and age >= KEYS_AGAIN_SECONDS) or not known.keys:
            status, answer = await self._ask("GET", metadata.jwks_uri, metadata.issuer)
            keys = answer.get("keys")
            if status != 200 or not isinstance(keys, list):
                raise ProviderError("The provider's keys cannot be read.")
            known.keys = [key for key in keys if isinstance(key, dict)]
            known.fetched_at = time.monotonic()
        return known.keys

    async def token(
        self, metadata: Metadata, client_id: str, client_secret: str | None, form: Mapping[str, str]
    ) -> dict[str, Any]:
        """Exchange a code or a refresh token. Raises GrantRefusedError or ProviderError."""
        fields, auth = dict(form), None
        if client_secret is None:
            fields["client_id"] = client_id
        elif metadata.accepts_basic:
            auth = httpx.BasicAuth(_form_encoded(client_id), _form_encoded(client_secret))
        else:
            fields |= {"client_id": client_id, "client_secret": client_secret}
        status, answer = await self._ask(
            "POST", metadata.token_endpoint, metadata.issuer, data=fields, auth=auth
        )
        if status in {400, 401, 403}:
            # `invalid_client` and the like tell of us, not of the user.
            if answer.get("error") in {"invalid_grant", "access_denied", "interaction_required"}:
                raise GrantRefusedError("The provider refuses the grant.")
            raise ProviderError(f"The token endpoint refuses: {_short(answer.get('error'))}.")
        if status != 200:
            raise ProviderUnreachableError(f"The token endpoint answers {status}.")
        if str(answer.get("token_type", "")).lower() != "bearer" or not isinstance(
            answer.get("access_token"), str
        ):
            raise ProviderError("The token endpoint gave no bearer token.")
        return answer

    async def userinfo(self, metadata: Metadata, access_token: str) -> dict[str, Any] | str:
        """What the provider says of a token's owner: claims, or a JWT that is not checked yet.

        Raises GrantRefusedError when the token is no longer good.
        """
        if metadata.userinfo_endpoint is None:
            raise ProviderError("The provider has no userinfo endpoint.")
        headers = {"Authorization": f"Bearer {access_token}", "Accept": "application/json, application/jwt"}
        answer = await self._exchange("GET", metadata.userinfo_endpoint, metadata.issuer, headers=headers)
        if answer.status in {400, 401, 403}:
            raise GrantRefusedError("The provider no longer accepts the token.")
        if answer.status != 200:
            raise ProviderUnreachableError(f"The userinfo endpoint answers {answer.status}.")
        if answer.media_type == "application/jwt":
            return answer.content.decode("ascii", "replace").strip()
        return _read_object(answer)

    async def _ask(self, method: str, address: str, issuer: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """One exchange whose answer is a JSON object."""
        answer = await self._exchange(method, address, issuer, **more)
        return answer.status, _read_object(answer)

    async def _exchange(self, method: str, address: str, issuer: str, **more: Any) -> _Answer:
        """One exchange: no redirect is followed, and no more than a limit is read."""
        if self._resting.get(issuer, 0.0) > time.monotonic():
            raise ProviderUnreachableError("The provider could not be reached just now.")
        warn_if_held("An identity provider")
        try:
            async with (
                asyncio.timeout(DEADLINE_SECONDS),
                self._http.stream(method, address, **more) as response,
            ):
                content = bytearray()
                async for part in response.aiter_bytes(65_536):
                    content += part
                    if len(content) > MAX_ANSWER_BYTES:
                        raise ProviderError("The provider's answer is too long.")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError) as error:
            if len(self._resting) >= MAX_PROVIDERS:
                self._resting.clear()
            self._resting[issuer] = time.monotonic() + REST_SECONDS
            raise ProviderUnreachableError(
                f"The provider cannot be reached ({type(error).__name__})."
            ) from None
        self._resting.pop(issuer, None)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _Answer(response.status_code, media_type, bytes(content))


def _read_object(answer: _Answer) -> dict[str, Any]:
    try:
        read = json.loads(answer.content)
    except (ValueError, RecursionError):
        read = None
    if isinstance(read, dict):
        return read
    if answer.status == 200:
        raise ProviderError("The provider's answer is not a JSON object.")
    return {}


def _read_metadata(issuer: str, answer: Mapping[str, Any]) -> Metadata:
    # OpenID Connect Discovery 1.0, section 4.3: exactly the same, or anybody could speak for it.
    if answer.get("issuer") != issuer:
        raise ProviderError(f"The provider's issuer is {_short(answer.get('issuer'))!r}; enter exactly that.")
    doors: dict[str, str] = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
        value = answer.get(name)
        if value is None and name == "userinfo_endpoint":
            continue
        if not isinstance(value, str):
            raise ProviderError(f"The provider's description has no {name}.")
        check_address(value)
        if is_loopback(value) and not is_loopback(issuer):
            raise ProviderError(f"The provider's {name} leads to this machine.")
        doors[name] = value
    methods = answer.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Metadata(
        issuer=issuer,
        authorization_endpoint=doors["authorization_endpoint"],
        token_endpoint=doors["token_endpoint"],
        jwks_uri=doors["jwks_uri"],
        userinfo_endpoint=doors.get("userinfo_endpoint"),
        accepts_basic=not isinstance(methods, list) or "client_secret_basic" in methods,
        says_issuer=answer.get("authorization_response_iss_parameter_supported") is True,
    )


def _form_encoded(text: str) -> str:
    """RFC 6749, section 2.3.1: both halves of the basic header are form-encoded first."""
    return str(httpx.QueryParams({"": text}))[1:]


def _short(value: object) -> str:
    text = value if isinstance(value, str) else "nothing"
    return "".join(mark for mark in text if mark.isprintable())[:200]
