"""The way to a provider and back (authorization code with PKCE)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import (
    ConflictError,
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from fleetkeeper.identity.oidc import queries
from fleetkeeper.identity.oidc.accounts import ProviderUser, find_or_create_user, synchronise_groups
from fleetkeeper.identity.oidc.client import (
    Metadata,
    OidcClient,
    ProviderError,
    ProviderUnreachableError,
)
from fleetkeeper.identity.oidc.id_tokens import check_id_token, read_userinfo
from fleetkeeper.identity.oidc.models import IdentityProvider, OidcFlow
from fleetkeeper.identity.oidc.presets import (
    PRESETS,
    Preset,
    extra_parameters,
    is_of_domain,
    shows_second_factor,
)
from fleetkeeper.identity.oidc.tokens import ProviderTokens, open_client_secret, seal_tokens
from fleetkeeper.identity.sign_in.desk import (
    Challenged,
    Opened,
    SignInDesk,
    Visit,
    anonymous_context,
    note_failure,
    user_context,
)
from fleetkeeper.identity.sign_in.service import open_or_challenge
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.secrets import hash_secret, make_secret

FLOW_LIFETIME = timedelta(minutes=10)
FLOW_PREFIX = "fkf"
MAX_CODE_LENGTH = 4096
_FLOW_CONTEXT = b"oidc_flows:"


@dataclass(frozen=True)
class Departure:
    """Where the browser goes, and the secret for the cookie by which it is known when it comes back."""

    address: str
    browser_secret: str


@dataclass(frozen=True)
class Return:
    """What came back with the browser. All of it is from outside."""

    slug: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    browser_secret: str = ""


class _FlowSecrets(msgspec.Struct, frozen=True):
    nonce: str
    verifier: str
    redirect_uri: str


async def begin(
    desk: SignInDesk,
    client: OidcClient,
    slug: str,
    redirect_uri: str,
    next_path: str,
    now: datetime | None = None,
) -> Departure:
    """Send a browser to a provider. Raises NotFoundError or UnavailableError."""
    now = now or utc_now()
    async with desk.database.session() as session:
        provider = await queries.find_provider(session, slug)
    if provider is None:
        raise NotFoundError("This identity provider does not exist.")
    try:
        metadata = await client.metadata(provider.issuer)
    except ProviderError as error:
        raise UnavailableError(f"{provider.name} cannot be used at the moment. {error}") from None
    state, browser_secret = make_secret(FLOW_PREFIX), make_secret(FLOW_PREFIX)
    held = _FlowSecrets(secrets.token_urlsafe(32), secrets.token_urlsafe(48), redirect_uri)
    flow = OidcFlow(
        provider_id=provider.id,
        state_hash=hash_secret(state),
        browser_hash=hash_secret(browser_secret),
        secrets_sealed=desk.sealer.seal(msgspec.json.encode(held), _FLOW_CONTEXT + hash_secret(state)),
        next_path=next_path[:2000],
        expires_at=now + FLOW_LIFETIME,
    )
    async with desk.database.session() as session:
        session.add(flow)
    parameters = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect_uri,
        "scope": provider.scopes,
        "state": state,
        "nonce": held.nonce,
        "code_challenge": _code_challenge(held.verifier),
        "code_challenge_method": "S256",
    } | extra_parameters(provider.preset, provider.hosted_domain)
    joint = "&" if urlsplit(metadata.authorization_endpoint).query else "?"
    return Departure(f"{metadata.authorization_endpoint}{joint}{urlencode(parameters)}", browser_secret)


def _code_challenge(verifier: str) -> str:
    """RFC 7636, section 4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


async def finish(
    desk: SignInDesk, client: OidcClient, visit: Visit, came: Return, now: datetime | None = None
) -> Opened | Challenged:
    """Sign in whoever came back from a provider.

    Raises UnauthenticatedError for what does not hold, ForbiddenError for somebody who may not come in, and
    UnavailableError while the provider is away.
    """
    now = now or utc_now()
    method = f"oidc:{came.slug[:50]}"
    try:
        return await _finish(desk, client, visit, came, now)
    except ProviderUnreachableError as error:
        raise UnavailableError(f"The provider cannot be used at the moment. {error}") from None
    except ProviderError as error:
        await note_failure(desk, visit, "", method)
        raise UnauthenticatedError(f"The sign-in failed. {error}") from None
    except (UnauthenticatedError, ForbiddenError):
        await note_failure(desk, visit, "", method)
        raise


async def _finish(
    desk: SignInDesk, client: OidcClient, visit: Visit, came: Return, now: datetime
) -> Opened | Challenged:
    state = came.parameters.get("state", "")
    # Its own transaction: whatever becomes of it, this state is used up.
    async with desk.database.session(anonymous_context(visit)) as session:
        flow = await queries.take_flow(session, hash_secret(state), now)
        provider = await queries.find_provider(session, came.slug)
    if (
        flow is None
        or provider is None
        or flow.provider_id != provider.id
        or not hmac.compare_digest(flow.browser_hash, hash_secret(came.browser_secret))
    ):
        raise UnauthenticatedError(
            "This sign-in was not started in this browser, or took too long; start again."
        )
    _refuse_provider_error(provider, came.parameters)
    held = msgspec.json.decode(
        desk.sealer.open(flow.secrets_sealed, _FLOW_CONTEXT + hash_secret(state)), type=_FlowSecrets
    )
    metadata = await client.metadata(provider.issuer)
    issuer = came.parameters.get("iss")
    # RFC 9207: against a provider that lets another one answer.
    if (issuer is not None or metadata.says_issuer) and issuer != provider.issuer:
        raise UnauthenticatedError("A different provider answered; start again.")
    told, tokens, claims = await _redeem(
        desk, client, metadata, provider, came.parameters.get("code", ""), held, now
    )
    try:
        async with desk.database.session(anonymous_context(visit)) as session:
            user = await find_or_create_user(session, provider, told, now)
    except IntegrityError:
        raise ConflictError(
            "Somebody with the same name signed in at the same time. Sign in again."
        ) from None
    if not user.enabled:
        raise ForbiddenError("Your account is disabled.")
    async with desk.database.session(user_context(user, visit)) as session:
        await synchronise_groups(session, provider, user, told.claims)
        return await open_or_challenge(
            desk,
            session,
            visit,
            user.id,
            method="oidc",
            next_path=flow.next_path,
            now=now,
            second_factor="provider" if shows_second_factor(claims) else None,
            provider_id=provider.id,
            provider_tokens=seal_tokens(desk.sealer, user.id, tokens),
        )


def _refuse_provider_error(provider: IdentityProvider, parameters: Mapping[str, str]) -> None:
    if "error" in parameters:
        said = " ".join(parameters.get(name, "") for name in ("error", "error_description")).strip()
        said = "".join(mark for mark in said if mark.isprintable())[:300]
        raise UnauthenticatedError(f"{provider.name} did not sign you in: {said}")
    if not 0 < len(parameters.get("code", "")) <= MAX_CODE_LENGTH:
        raise UnauthenticatedError(f"{provider.name} sent no code; start again.")


async def _redeem(
    desk: SignInDesk,
    client: OidcClient,
    metadata: Metadata,
    provider: IdentityProvider,
    code: str,
    held: _FlowSecrets,
    now: datetime,
) -> tuple[ProviderUser, ProviderTokens, dict[str, Any]]:
    """Exchange the code; returns who came, the tokens to ask again with, and the ID token's own claims."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": held.redirect_uri,
        "code_verifier": held.verifier,
    }
    answer = await client.token(metadata, provider.client_id, open_client_secret(desk.sealer, provider), form)
    claims = await check_id_token(
        client,
        metadata,
        answer.get("id_token"),
        client_id=provider.client_id,
        nonce=held.nonce,
        now=now,
    )
    if not is_of_domain(claims, provider.hosted_domain):
        raise ForbiddenError("Your account does not belong to the organization that may sign in.")
    more: dict[str, Any] = {}
    if metadata.userinfo_endpoint is not None:
        more = await read_userinfo(
            client, metadata, answer["access_token"], client_id=provider.client_id, now=now
        )
        # OpenID Connect Core 1.0, section 5.3.2: else somebody's token would bring somebody else's claims.
        if more.get("sub") != claims["sub"]:
            raise UnauthenticatedError("The provider sent data of two people; start again.")
    groups_in_id_token = PRESETS[Preset(provider.preset)].groups_in_id_token or (
        provider.groups_claim in claims and provider.groups_claim not in more
    )
    refresh_token = answer.get("refresh_token")
    tokens = ProviderTokens(
        access_token=answer["access_token"],
        refresh_token=refresh_token if isinstance(refresh_token, str) else None,
        subject=claims["sub"],
        groups_in_id_token=groups_in_id_token,
    )
    return ProviderUser(claims["sub"], claims | more), tokens, claims


async def offered_providers(session: AsyncSession) -> list[tuple[str, str]]:
    """Slug and name of each provider that the sign-in page has a button for."""
    return [(provider.slug, provider.name) for provider in await queries.enabled_providers(session)]
