"""Finding out who is calling, and opening and ending browser sessions."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.identity import queries
from fleetkeeper.identity.actor import EVERYWHERE, Actor, Scope, merge_grants
from fleetkeeper.identity.limits import limits_from
from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.queries import Caller, HeldRole, SessionCaller
from fleetkeeper.kit.secrets import hash_secret, make_secret

TOKEN_PREFIX = "fkt"  # noqa: S105 - the visible prefix, not a secret
SESSION_PREFIX = "fks"
_KNOWN_PERMISSIONS = {str(permission): permission for permission in Permission}


@dataclass(frozen=True)
class Browser:
    """Where a sign-in comes from."""

    address: str | None
    user_agent: str


@dataclass(frozen=True)
class SignedIn:
    """A new session: the secret for the cookie, and whose it is."""

    secret: str
    user: User
    session_id: UUID


async def open_session(
    session: AsyncSession,
    user: User,
    browser: Browser,
    *,
    now: datetime,
    lifetime: timedelta,
    method: str,
    has_second_factor: bool,
    provider_id: UUID | None = None,
    provider_tokens: bytes | None = None,
) -> SignedIn:
    """Sign a user in whose factors have been checked. Every sign-in gets a secret of its own."""
    secret = make_secret(SESSION_PREFIX)
    opened = BrowserSession(
        user_id=user.id,
        secret_hash=hash_secret(secret),
        csrf_token=secrets.token_urlsafe(32),
        address=browser.address,
        user_agent=browser.user_agent[:300],
        created_at=now,
        last_used_at=now,
        expires_at=now + lifetime,
        method=method,
        has_second_factor=has_second_factor,
        provider_id=provider_id,
        provider_tokens=provider_tokens,
        provider_checked_at=now if provider_id else None,
    )
    session.add(opened)
    user.last_login = now
    await session.flush()
    return SignedIn(secret, user, opened.id)


async def sign_out(session: AsyncSession, actor: Actor) -> None:
    """End the actor's browser session; a token's caller has none."""
    await session.execute(delete(BrowserSession).where(BrowserSession.id == actor.session_id))


async def end_sessions(session: AsyncSession, user_id: UUID, *, but: UUID | None = None) -> int:
    """End a user's sessions, save one; returns how many."""
    condition = BrowserSession.user_id == user_id
    if but is not None:
        condition &= BrowserSession.id != but
    outcome = await session.execute(delete(BrowserSession).where(condition))
    return int(getattr(outcome, "rowcount", 0))


async def revoke_tokens(session: AsyncSession, user_id: UUID) -> int:
    """Revoke all of a user's API tokens; returns how many."""
    outcome = await session.execute(delete(ApiToken).where(ApiToken.user_id == user_id))
    return int(getattr(outcome, "rowcount", 0))


async def token_names(session: AsyncSession, user_id: UUID) -> list[str]:
    """The names of a user's API tokens, at most a hundred."""
    statement = select(ApiToken.name).where(ApiToken.user_id == user_id).order_by(ApiToken.name).limit(100)
    return list(await session.scalars(statement))


async def actor_of_session(
    session: AsyncSession, secret: str, now: datetime, idle: timedelta
) -> tuple[Actor, SessionCaller] | None:
    """Who a session cookie belongs to, and the session; None when it has ended."""
    caller = await queries.find_session(session, hash_secret(secret), now, idle)
    if caller is None:
        return None
    if _is_stale(caller, now):
        await queries.touch_session(session, caller.id, now)
    actor = _actor(caller, caller.user_id, caller.roles)
    must_enrol = not caller.has_second_factor and any(role.requires_second_factor for role in caller.roles)
    actor = replace(
        actor,
        session_id=caller.id,
        csrf_token=caller.csrf_token,
        must_enrol_second_factor=must_enrol,
        grants={} if must_enrol else actor.grants,
    )
    return actor, caller


async def actor_of_token(session: AsyncSession, secret: str, now: datetime, address: str) -> Actor | None:
    """Who an API token belongs to; None when it is unknown, has expired, or may not be used from that address."""
    caller = await queries.find_token(session, hash_secret(secret), now, address)
    if caller is None:
        return None
    if _is_stale(caller, now):
        await queries.touch_token(session, caller.id, now, address)
    actor = _actor(caller, caller.user_id, caller.roles)
    limits = limits_from(caller.permissions, caller.departments, caller.allowed_networks, caller.expires_at)
    limit = EVERYWHERE if caller.departments is None else Scope(departments=caller.reach)
    grants = merge_grants(
        ([permission], scope & limit)
        for permission, scope in actor.grants.items()
        if caller.permissions is None or permission in caller.permissions
    )
    return replace(actor, kind="token", token_id=caller.id, grants=grants, limits=limits, reach=caller.reach)


def _is_stale(caller: Caller, now: datetime) -> bool:
    return caller.last_used_at is None or now - caller.last_used_at > queries.LAST_USED_GRANULARITY


async def actor_of_user(session: AsyncSession, user: User) -> Actor:
    """What a user may do now: read anew for each request, so that a change counts at the next one."""
    return _actor(user, user.id, await queries.held_roles(session, user.id))


async def actor_of_user_id(session: AsyncSession, user_id: UUID) -> Actor | None:
    """The same by the user's id; None for one that is gone or disabled."""
    user = await session.scalar(select(User).where(User.id == user_id, User.enabled))
    return None if user is None else await actor_of_user(session, user)


def _actor(user: User | Caller, user_id: UUID, held: Sequence[HeldRole]) -> Actor:
    return Actor(
        kind="user",
        name=user.username,
        user_id=user_id,
        roles=tuple(role.name for role in held),
        grants=merge_grants((_permissions(role), _scope(role)) for role in held),
        time_zone=user.time_zone,
        theme=user.theme,
    )


def _permissions(role: HeldRole) -> list[Permission]:
    # A permission of a newer version of the product, which this one does not know, is none here.
    return [_KNOWN_PERMISSIONS[name] for name in role.permissions if name in _KNOWN_PERMISSIONS]


def _scope(role: HeldRole) -> Scope:
    return Scope(everywhere=role.everywhere, departments=role.departments)
