"""Checks ID tokens (OpenID Connect Core 1.0, section 3.1.3.7) and signed userinfo (5.3.2)."""

import hmac
import json
import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from fleetkeeper.identity.oidc.client import Metadata, OidcClient, ProviderError

# Signatures by a private key only. With HS256 our own client secret, and with a confused check even the provider's
# public key, would be enough to make a token; `none` needs nothing at all.
KEY_TYPES = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "EdDSA": "OKP",
}
CLOCK_SKEW_SECONDS = 60
# An ID token is made for the sign-in that waits for it.
MAX_AGE_SECONDS = 600
MAX_TOKEN_LENGTH = 64 * 1024
MAX_SUBJECT_LENGTH = 255
MIN_RSA_BITS = 2048
# RFC 7516, section 3.1: five parts.
_DOTS_OF_ENCRYPTED = 4


class TokenError(ProviderError):
    """The token is forged, for somebody else, or of another time."""


async def check_id_token(
    client: OidcClient,
    metadata: Metadata,
    token: object,
    *,
    client_id: str,
    nonce: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The claims of a token that holds. `nonce` is None for a refreshed token. Raises TokenError or ProviderError."""
    if not isinstance(token, str) or not token:
        raise TokenError("The provider sent no ID token.")
    claims = await _signed_claims(client, metadata, token, "ID token")
    _check_claims(claims, metadata.issuer, client_id, nonce, now.timestamp())
    return claims


async def read_userinfo(
    client: OidcClient, metadata: Metadata, access_token: str, *, client_id: str, now: datetime
) -> dict[str, Any]:
    """What a provider says of a token's owner, as JSON or as a signed JWT (OpenID Connect Core 1.0, section 5.3.2).

    Raises GrantRefusedError when the token is no longer good, TokenError for a JWT that does not hold.
    """
    answer = await client.userinfo(metadata, access_token)
    if isinstance(answer, dict):
        return answer
    claims = await _signed_claims(client, metadata, answer, "userinfo")
    if claims.get("iss") != metadata.issuer:
        raise TokenError("The userinfo is from another issuer.")
    audience = claims.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise TokenError("The userinfo is for another audience.")
    # Not required, so checked where they are.
    if "exp" in claims and _time(claims, "exp") <= now.timestamp() - CLOCK_SKEW_SECONDS:
        raise TokenError("The userinfo has expired.")
    if "nbf" in claims and _time(claims, "nbf") > now.timestamp() + CLOCK_SKEW_SECONDS:
        raise TokenError("The userinfo is not valid yet.")
    return claims


async def _signed_claims(client: OidcClient, metadata: Metadata, token: str, what: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN_LENGTH:
        raise TokenError(f"The {what} is too long.")
    if token.count(".") == _DOTS_OF_ENCRYPTED:
        raise TokenError(f"The {what} is encrypted; configure the provider to only sign it.")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError):
        raise TokenError(f"The {what} cannot be read.") from None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if str(header.get("cty", "")).lower() == "jwt":
        raise TokenError(f"The {what} holds another token; configure the provider to only sign it.")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise TokenError(f"The {what} has no secure signature.")
    if key_id is not None and not isinstance(key_id, str):
        raise TokenError(f"The {what} cannot be read.")
    keys = _fitting_keys(await client.keys(metadata, key_id), algorithm, key_id)
    return _verified_claims(token, keys, algorithm, what)


def _fitting_keys(keys: Sequence[Mapping[str, Any]], algorithm: str, key_id: str | None) -> list[Key]:
    kinds: dict[str, type[RSAKey | ECKey | OKPKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    kind = KEY_TYPES[algorithm]
    found: list[Key] = []
    for key in keys:
        is_ours = key_id is None or key.get("kid") == key_id
        if (
            not is_ours
            or key.get("kty") != kind
            or key.get("use", "sig") != "sig"
            or key.get("alg", algorithm) != algorithm
        ):
            continue
        try:
            with warnings.catch_warnings():
                # Of a short key, which is left out below.
                warnings.simplefilter("ignore", SecurityWarning)
                made = kinds[kind].import_key({name: value for name, value in key.items() if name != "d"})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(made, RSAKey) and made.public_key.key_size < MIN_RSA_BITS:
            continue
        found.append(made)
    return found


def _verified_claims(token: str, keys: Sequence[Key], algorithm: str, what: str) -> dict[str, Any]:
    for key in keys:
        try:
            with warnings.catch_warnings():
                # RFC 9864 has newer names for EdDSA; providers use the old one still.
                warnings.simplefilter("ignore", SecurityWarning)
                verified = jws.deserialize_compact(token.encode(), key, algorithms=[algorithm])
            claims = json.loads(verified.payload or b"")
        except (JoseError, ValueError, RecursionError):
            continue
        if isinstance(claims, dict):
            return claims
    raise TokenError(f"The {what} is not signed by the provider.")


def _check_claims(
    claims: Mapping[str, Any], issuer: str, client_id: str, nonce: str | None, now: float
) -> None:
    if claims.get("iss") != issuer:
        raise TokenError("The ID token is from another issuer.")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if client_id not in audiences:
        raise TokenError("The ID token is for another audience.")
    authorized = claims.get("azp")
    if (len(audiences) > 1 or authorized is not None) and authorized != client_id:
        raise TokenError("The ID token was issued to another client.")
    if _time(claims, "exp") <= now - CLOCK_SKEW_SECONDS:
        raise TokenError("The ID token has expired.")
    issued = _time(claims, "iat")
    if issued > now + CLOCK_SKEW_SECONDS or issued < now - MAX_AGE_SECONDS - CLOCK_SKEW_SECONDS:
        raise TokenError("The ID token was issued at the wrong time; check the clocks.")
    if "nbf" in claims and _time(claims, "nbf") > now + CLOCK_SKEW_SECONDS:
        raise TokenError("The ID token is not valid yet.")
    if nonce is not None:
        claimed = claims.get("nonce")
        if not isinstance(claimed, str) or not hmac.compare_digest(claimed.encode(), nonce.encode()):
            raise TokenError("The ID token belongs to another sign-in.")
    subject = claims.get("sub")
    if (
        not isinstance(subject, str)
        or not 0 < len(subject) <= MAX_SUBJECT_LENGTH
        or not subject.isprintable()
    ):
        raise TokenError("The ID token has no subject.")


def _time(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    # Comparisons with NaN are never true, and JSON as Python reads it may hold one.
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TokenError(f"The ID token has no {name}.")
    return float(value)
