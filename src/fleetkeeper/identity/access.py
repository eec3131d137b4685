"""The dependencies by which a route says who may call it."""

import hmac
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from fleetkeeper.database.engine import Database
from fleetkeeper.errors import ForbiddenError, UnauthenticatedError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import TOKEN_PREFIX, actor_of_session, actor_of_token
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"


def session_cookie_name(settings: Settings) -> str:
    """The cookie's name; `__Host-` ties it to this host, and browsers accept it over https only."""
    return "__Host-fleetkeeper" if settings.web.secure_cookies else "fleetkeeper"


async def find_actor(request: Request) -> Actor | None:
    """Who is calling, by API token or session cookie; None when nobody is signed in.

    A session's state-changing request must carry its CSRF token; raises ForbiddenError otherwise.
    """
    database: Database = request.app.state.database
    settings: Settings = request.app.state.settings
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        if scheme.lower() != "bearer" or not secret.startswith(TOKEN_PREFIX + "_"):
            return None
        async with database.session() as session:
            return await actor_of_token(session, secret.strip(), utc_now())
    secret = request.cookies.get(session_cookie_name(settings), "")
    if not secret:
        return None
    idle = timedelta(minutes=settings.identity.session_idle_minutes)
    async with database.session() as session:
        actor = await actor_of_session(session, secret, utc_now(), idle)
    if actor is not None and request.method not in SAFE_METHODS:
        await _check_csrf(request, actor)
    return actor


async def _check_csrf(request: Request, actor: Actor) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None and request.headers.get("content-type", "").startswith(
        "application/x-www-form-urlencoded"
    ):
        value = (await request.form()).get(CSRF_FIELD)
        sent = value if isinstance(value, str) else None
    if sent is None or not hmac.compare_digest(sent.encode(), (actor.csrf_token or "").encode()):
        raise ForbiddenError(f"The request has no valid {CSRF_HEADER}; reload the page and try again.")


async def signed_in(request: Request) -> Actor:
    """Whoever is signed in. Raises UnauthenticatedError."""
    actor = await find_actor(request)
    if actor is None:
        raise UnauthenticatedError("Sign in, or send an API token as `Authorization: Bearer …`.")
    request.state.actor = actor
    return actor


def require(permission: Permission) -> Callable[[Request], Awaitable[Actor]]:
    """A dependency that lets through only actors with the permission, and names it for the route walk."""

    async def dependency(request: Request) -> Actor:
        actor = await signed_in(request)
        if not actor.may(permission):
            raise ForbiddenError(f"This needs the permission {permission}.")
        return actor

    dependency.permission = permission  # type: ignore[attr-defined]
    return dependency


SignedIn = Annotated[Actor, Depends(signed_in)]
ConfigRead = Annotated[Actor, Depends(require(Permission.CONFIG_READ))]
ConfigWrite = Annotated[Actor, Depends(require(Permission.CONFIG_WRITE))]
OperationsRead = Annotated[Actor, Depends(require(Permission.OPERATIONS_READ))]
