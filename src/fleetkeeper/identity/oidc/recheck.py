"""Asks a provider again, while a session lasts, whether its user still is who they were, and in which groups."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.audit.recorder import record_event
from fleetkeeper.database.context import product_context
from fleetkeeper.database.engine import Database
from fleetkeeper.identity.models import BrowserSession, User
from fleetkeeper.identity.oidc import queries
from fleetkeeper.identity.oidc.accounts import synchronise_groups
from fleetkeeper.identity.oidc.client import GrantRefusedError, Metadata, OidcClient, ProviderError
from fleetkeeper.identity.oidc.id_tokens import TokenError, check_id_token, read_userinfo
from fleetkeeper.identity.oidc.models import IdentityProvider
from fleetkeeper.identity.oidc.presets import is_of_domain
from fleetkeeper.identity.oidc.tokens import ProviderTokens, open_client_secret, open_tokens, seal_tokens
from fleetkeeper.kit.sealing import Sealer, SealingError

log = structlog.get_logger(__name__)

# While a provider is away its sessions go on for this long, and then end.
GRACE = timedelta(minutes=15)
# How often and when to look whether another process was quicker with a refresh token.
LOOKS_FOR_ANOTHER, LOOK_SECONDS = 4, 0.25
_CONTEXT = product_context("job", "identity.recheck")
# Sessions that are being asked about in this process.
_TURNS: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True)
class Checker:
    """What asking needs."""

    database: Database
    sealer: Sealer
    client: OidcClient


@dataclass(frozen=True)
class _Due:
    browser: BrowserSession
    user: User
    provider: IdentityProvider
    tokens: ProviderTokens


async def recheck_if_due(checker: Checker, session_id: UUID, now: datetime) -> bool:
    """Ask the provider if its last answer is too old, and act on what it says.

    Returns whether anything may have changed. Of requests at the same time, one asks and the others wait for what it
    got, as a refresh token is good once; with an interval of zero each one asks in turn.
    """
    turn = _TURNS.setdefault(session_id, asyncio.Lock())
    async with turn:
        return await _recheck(checker, session_id, now)


async def _recheck(checker: Checker, session_id: UUID, now: datetime) -> bool:
    for _ in range(3):
        async with checker.database.session(_CONTEXT) as session:
            due = await _find_due(session, checker.sealer, session_id, now)
            if due is None:
                return False
            if isinstance(due, str):
                await _end(session, session_id, due)
                return True
            is_ours = await queries.claim_check(session, session_id, due.browser.provider_asked_at, now)
        if is_ours:
            await _check(checker, due, now)
            return True
    return True


async def _find_due(
    session: AsyncSession, sealer: Sealer, session_id: UUID, now: datetime
) -> _Due | str | None:
    """What is to be asked, or why the session ends without asking; None when its time has not come."""
    row = (
        await session.execute(
            select(BrowserSession, User, IdentityProvider)
            .join(User, User.id == BrowserSession.user_id)
            .join(IdentityProvider, IdentityProvider.id == BrowserSession.provider_id)
            .where(BrowserSession.id == session_id)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()
    if row is None:
        return None
    browser, user, provider = row
    if not provider.enabled:
        return "the provider was disabled"
    interval = timedelta(seconds=provider.recheck_seconds)
    asked = max(
        browser.provider_asked_at or browser.created_at, browser.provider_checked_at or browser.created_at
    )
    if interval and now - asked < interval:
        return None
    try:
        tokens = open_tokens(sealer, user.id, browser.provider_tokens or b"")
    except SealingError:
        return "its tokens cannot be read"
    return _Due(browser, user, provider, tokens)


async def _check(checker: Checker, due: _Due, now: datetime) -> None:
    provider = due.provider
    try:
        metadata = await checker.client.metadata(provider.issuer)
        claims, tokens = await _ask(checker, metadata, due, now)
    except (GrantRefusedError, TokenError) as error:
        async with checker.database.session(_CONTEXT) as session:
            await _end(session, due.browser.id, str(error))
        return
    except ProviderError as error:
        log.warning("a provider could not be asked", provider=provider.slug, reason=str(error))
        last = due.browser.provider_checked_at or due.browser.created_at
        if now - last > timedelta(seconds=provider.recheck_seconds) + GRACE:
            async with checker.database.session(_CONTEXT) as session:
                await _end(session, due.browser.id, "the provider was away for too long")
        return
    async with checker.database.session(_CONTEXT) as session:
        if claims is not None and not is_of_domain(claims, provider.hosted_domain):
            await _end(session, due.browser.id, "the account left the organization")
            return
        if claims is not None:
            # Without the claim somebody is in no group any more: Microsoft leaves it out then.
            await synchronise_groups(session, provider, due.user, claims)
        sealed = None if tokens is None else seal_tokens(checker.sealer, due.user.id, tokens)
        await queries.note_check(session, due.browser.id, now, sealed)


async def _ask(
    checker: Checker, metadata: Metadata, due: _Due, now: datetime
) -> tuple[Mapping[str, Any] | None, ProviderTokens | None]:
    """The current claims (None where the provider tells none), and tokens when there are new ones."""
    if due.tokens.groups_in_id_token or metadata.userinfo_endpoint is None:
        if due.tokens.refresh_token is not None:
            return await _refresh(checker, metadata, due, now)
        if metadata.userinfo_endpoint is None:
            raise GrantRefusedError("The provider cannot be asked again; sign in once more.")
    try:
        claims = await _userinfo(checker, metadata, due, due.tokens, now)
        tokens = None
    except GrantRefusedError:
        if due.tokens.refresh_token is None:
            raise
        _, tokens = await _refresh(checker, metadata, due, now)
        claims = await _userinfo(checker, metadata, due, tokens, now)
    if claims.get("sub") != due.tokens.subject:
        raise TokenError("The provider sent data of another person.")
    if due.tokens.groups_in_id_token:
        return None, tokens
    return claims, tokens


async def _userinfo(
    checker: Checker, metadata: Metadata, due: _Due, tokens: ProviderTokens, now: datetime
) -> dict[str, Any]:
    client_id = due.provider.client_id
    return await read_userinfo(checker.client, metadata, tokens.access_token, client_id=client_id, now=now)


async def _refresh(
    checker: Checker, metadata: Metadata, due: _Due, now: datetime
) -> tuple[Mapping[str, Any] | None, ProviderTokens]:
    """New tokens, which are stored. Many providers take a refresh token once only.

    No lock is held while the provider answers. Requests of this process come one after the other; another process that
    was first leaves newer tokens, which count instead of the refusal that this one gets.
    """
    known = await _tokens_now(checker, due)
    if known != due.tokens and not known.groups_in_id_token:
        return None, known
    form = {"grant_type": "refresh_token", "refresh_token": known.refresh_token or ""}
    secret = open_client_secret(checker.sealer, due.provider)
    try:
        answer = await checker.client.token(metadata, due.provider.client_id, secret, form)
    except GrantRefusedError:
        of_another = await _tokens_of_another(checker, due, known)
        if of_another is None:
            raise
        return None, of_another
    claims = None
    if answer.get("id_token") is not None:
        claims = await check_id_token(
            checker.client,
            metadata,
            answer["id_token"],
            client_id=due.provider.client_id,
            nonce=None,
            now=now,
        )
        if claims["sub"] != known.subject:
            raise TokenError("The provider sent data of another person.")
    refresh_token = answer.get("refresh_token")
    tokens = ProviderTokens(
        access_token=answer["access_token"],
        refresh_token=refresh_token if isinstance(refresh_token, str) else known.refresh_token,
        subject=known.subject,
        groups_in_id_token=known.groups_in_id_token,
    )
    async with checker.database.session(_CONTEXT) as session:
        current = await session.get(BrowserSession, due.browser.id, with_for_update=True)
        if current is None:
            raise GrantRefusedError("The session has ended.")
        current.provider_tokens = seal_tokens(checker.sealer, due.user.id, tokens)
    return claims, tokens


async def _tokens_now(checker: Checker, due: _Due) -> ProviderTokens:
    """What the session holds at the moment. Raises GrantRefusedError when it is over."""
    async with checker.database.session(_CONTEXT) as session:
        current = await session.get(BrowserSession, due.browser.id)
    if current is None or current.provider_tokens is None:
        raise GrantRefusedError("The session has ended.")
    return open_tokens(checker.sealer, due.user.id, current.provider_tokens)


async def _tokens_of_another(checker: Checker, due: _Due, refused: ProviderTokens) -> ProviderTokens | None:
    """Tokens that another process got with the refresh token that was refused to this one; None when there are none."""
    for _ in range(LOOKS_FOR_ANOTHER):
        await asyncio.sleep(LOOK_SECONDS)
        known = await _tokens_now(checker, due)
        if known != refused:
            return known
    return None


async def _end(session: AsyncSession, session_id: UUID, why: str) -> None:
    await record_event(session, "session.ended_by_provider", "session", str(session_id), details={"why": why})
    await session.execute(delete(BrowserSession).where(BrowserSession.id == session_id))
