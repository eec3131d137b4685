"""Signing in and out, making users and tokens, and finding out who is calling."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio.to_thread
from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError, UnauthenticatedError
from fleetkeeper.identity import queries
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.models import ApiToken, BrowserSession, User
from fleetkeeper.identity.passwords import MAX_LENGTH, MIN_LENGTH, hash_password, is_password
from fleetkeeper.identity.permissions import ROLE_PERMISSIONS, Role
from fleetkeeper.kit.secrets import hash_secret, make_secret
from fleetkeeper.kit.text import is_storable

TOKEN_PREFIX = "fkt"  # noqa: S105 - the visible prefix, not a secret
SESSION_PREFIX = "fks"


@dataclass(frozen=True)
class SignIn:
    """A new session: the secret for the cookie and the user."""

    secret: str
    user: User


async def create_user(session: AsyncSession, username: str, password: str, role: Role) -> User:
    """Make a local account. Raises InvalidInputError or ConflictError."""
    if not _is_name(username):
        raise InvalidInputError(
            "The user was not made.", fields=[FieldError("username", "has 1 to 100 characters")]
        )
    check_password(password)
    if await queries.find_user(session, username) is not None:
        raise ConflictError(f"There is a user {username!r} already.")
    user = User(
        username=username,
        name=username,
        role=role,
        password_hash=await anyio.to_thread.run_sync(hash_password, password),
    )
    session.add(user)
    await session.flush()
    return user


def check_password(password: str) -> None:
    """Raise InvalidInputError unless the password is long enough and not absurdly long."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        message = f"has {MIN_LENGTH} to {MAX_LENGTH} characters"
        raise InvalidInputError("The password does not fit.", fields=[FieldError("password", message)])


async def sign_in(
    session: AsyncSession,
    username: str,
    password: str,
    *,
    now: datetime,
    lifetime: timedelta,
    address: str | None,
    user_agent: str,
) -> SignIn:
    """Check a password and open a session. Raises UnauthenticatedError without saying which of the two was wrong."""
    user = await queries.find_user(session, username[:100])
    stored = user.password_hash if user is not None and user.enabled else None
    fits = await anyio.to_thread.run_sync(is_password, stored, password[:MAX_LENGTH])
    if user is None or not fits:
        raise UnauthenticatedError("The user name or the password is wrong.")
    secret = make_secret(SESSION_PREFIX)
    session.add(
        BrowserSession(
            user_id=user.id,
            secret_hash=hash_secret(secret),
            csrf_token=secrets.token_urlsafe(32),
            address=address,
            user_agent=user_agent[:300],
            created_at=now,
            last_used_at=now,
            expires_at=now + lifetime,
        )
    )
    user.last_login = now
    await session.flush()
    return SignIn(secret=secret, user=user)


async def sign_out(session: AsyncSession, actor: Actor) -> None:
    """End the actor's browser session; a token's caller has none."""
    await session.execute(delete(BrowserSession).where(BrowserSession.id == actor.session_id))


async def actor_of_session(
    session: AsyncSession, secret: str, now: datetime, idle: timedelta
) -> Actor | None:
    """Who a session cookie belongs to; None when the session has ended."""
    found = await queries.find_session(session, hash_secret(secret), now, idle)
    if found is None:
        return None
    browser, user = found
    if now - browser.last_used_at > queries.LAST_USED_GRANULARITY:
        await queries.touch(session, BrowserSession, browser.id, now)
    return _actor(user, browser=browser)


async def actor_of_token(session: AsyncSession, secret: str, now: datetime) -> Actor | None:
    """Who an API token belongs to; None when it is unknown or has expired."""
    found = await queries.find_token(session, hash_secret(secret), now)
    if found is None:
        return None
    token, user = found
    if token.last_used_at is None or now - token.last_used_at > queries.LAST_USED_GRANULARITY:
        await queries.touch(session, ApiToken, token.id, now)
    return _actor(user, token=token)


async def create_token(
    session: AsyncSession, username: str, name: str, *, now: datetime, expires_at: datetime | None = None
) -> str:
    """Make an API token for a user and return it; it cannot be shown again."""
    user = await queries.find_user(session, username)
    if user is None:
        raise InvalidInputError(
            "The token was not made.", fields=[FieldError("user", f"there is no user {username!r}")]
        )
    if not _is_name(name):
        raise InvalidInputError(
            "The token was not made.", fields=[FieldError("name", "has 1 to 100 characters")]
        )
    secret = make_secret(TOKEN_PREFIX)
    session.add(
        ApiToken(
            user_id=user.id, name=name, secret_hash=hash_secret(secret), created_at=now, expires_at=expires_at
        ),
    )
    await session.flush()
    return secret


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= 100 and is_storable(text)


def _actor(user: User, *, browser: BrowserSession | None = None, token: ApiToken | None = None) -> Actor:
    return Actor(
        user_id=user.id,
        username=user.username,
        role=user.role,
        permissions=ROLE_PERMISSIONS[Role(user.role)],
        session_id=browser.id if browser else None,
        token_id=token.id if token else None,
        csrf_token=browser.csrf_token if browser else None,
    )
