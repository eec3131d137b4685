"""The dependencies by which a route says who may call it."""

import hmac
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from typing import Annotated
from urllib.parse import unquote

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from fleetkeeper.audit.tally import Event, EventTally
from fleetkeeper.database.context import TransactionContext
from fleetkeeper.database.engine import Database
from fleetkeeper.errors import (
    BadRequestError,
    FieldError,
    ForbiddenError,
    InvalidInputError,
    SecondFactorNeededError,
    UnauthenticatedError,
)
from fleetkeeper.identity.acting import context_of_actor
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc.client import OidcClient
from fleetkeeper.identity.oidc.recheck import Checker, recheck_if_due
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.identity.service import TOKEN_PREFIX, actor_of_session, actor_of_token
from fleetkeeper.kit.addresses import is_loopback_host, plain_address
from fleetkeeper.kit.body_front import RIGHTS
from fleetkeeper.kit.clock import utc_now
from fleetkeeper.kit.handed_on import HandedOn
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.kit.services import services_of
from fleetkeeper.kit.text import is_storable
from fleetkeeper.settings import Settings
from fleetkeeper.settings.web import WebSettings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf_token"
REASON_HEADER = "X-Change-Reason"
REASON_FIELD = "change_reason"
MAX_REASON_LENGTH = 500
SIGN_IN_NEEDED = "Sign in, or send an API token as `Authorization: Bearer …`."
# Names by which people try to send a credential in an address, where logs and histories keep it.
CREDENTIAL_PARAMETERS = frozenset({"access_token", "api_key", "apikey", "auth_token", "token"})


def session_cookie_name(settings: Settings) -> str:
    """The cookie's name; `__Host-` ties it to this host, and browsers accept it over https only."""
    return "__Host-fleetkeeper" if settings.web.secure_cookies else "fleetkeeper"


def public_origin(request: Request) -> str:
    """The product's own address, to be shown, printed and put into scripts: the configured one, or a safe guess.

    The guess is https for all but this machine, since the proxy that ends TLS passes plain http on. Its host has been
    compared with the allowed ones.
    """
    web: WebSettings = services_of(request).get(Settings).web
    if web.public_origin:
        return web.public_origin
    is_here = is_loopback_host(request.url.hostname or "")
    scheme = request.url.scheme if is_here and not web.secure_cookies else "https"
    return f"{scheme}://{request.url.netloc}"


def client_address(request: HTTPConnection) -> str:
    """The caller's address, or nothing when it is none."""
    return plain_address(request.client.host) if request.client else ""


async def _find_credential_s_actor(request: Request) -> Actor | None:
    """Who is calling, by API token or session cookie; None when nobody is signed in."""
    services = services_of(request)
    database, settings = services.get(Database), services.get(Settings)
    if CREDENTIAL_PARAMETERS & request.query_params.keys():
        raise BadRequestError(
            "Do not put a credential into a URL. Send it as `Authorization: Bearer …`, and revoke this one.",
            fields=[FieldError("Authorization", "carries the token")],
        )
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, secret = header.partition(" ")
        # `Token` is what clients of NetBox write.
        if scheme.lower() not in {"bearer", "token"} or not secret.startswith(TOKEN_PREFIX + "_"):
            return None
        async with database.statements() as session:
            return await actor_of_token(session, secret.strip(), utc_now(), client_address(request))
    secret = request.cookies.get(session_cookie_name(settings), "")
    if not secret:
        return None
    idle = timedelta(minutes=settings.identity.session_idle_minutes)
    async with database.statements() as session:
        found = await actor_of_session(session, secret, utc_now(), idle)
    if found is not None and found[1].provider_id is not None:
        checker = Checker(database, services.get(Sealer), services.get(OidcClient))
        if await recheck_if_due(checker, found[1].id, utc_now()):
            async with database.statements() as session:
                found = await actor_of_session(session, secret, utc_now(), idle)
    return None if found is None else found[0]


_credential_s_actor = HandedOn(_find_credential_s_actor)


async def find_actor(request: Request) -> Actor | None:
    """Who is calling, by API token or session cookie; None when nobody is signed in.

    A session's state-changing request must carry its CSRF token; raises ForbiddenError otherwise.
    """
    actor = await _credential_s_actor(request)
    if actor is not None and actor.session_id is not None and request.method not in SAFE_METHODS:
        await _check_csrf(request, actor)
    return actor


async def signed_in_ahead(request: Request) -> Hashable:
    """Whose requests count together, before the body is read. Raises UnauthenticatedError."""
    actor = await _credential_s_actor.ahead(request)
    if actor is None:
        raise UnauthenticatedError(SIGN_IN_NEEDED)
    request.scope["state"][RIGHTS] = actor.rights
    return actor.token_id or actor.session_id


async def _check_csrf(request: Request, actor: Actor) -> None:
    sent = request.headers.get(CSRF_HEADER)
    if sent is None:
        sent = await _form_value(request, CSRF_FIELD)
    if sent is None or not hmac.compare_digest(sent.encode(), (actor.csrf_token or "").encode()):
        raise ForbiddenError(f"The request has no valid {CSRF_HEADER}; reload the page and try again.")


async def _form_value(request: Request, name: str) -> str | None:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return None
    value = (await request.form(max_files=0, max_fields=200)).get(name)
    return value if isinstance(value, str) else None


async def signed_in_to_enrol(request: Request) -> Actor:
    """Whoever is signed in, even if all that they may do yet is to set up a second factor.

    Raises UnauthenticatedError.
    """
    actor = await find_actor(request)
    if actor is None:
        raise UnauthenticatedError(SIGN_IN_NEEDED)
    request.state.actor = actor
    request.state.transaction_context = await request_context(request, actor)
    return actor


async def signed_in(request: Request) -> Actor:
    """Whoever is signed in. Raises UnauthenticatedError, and SecondFactorNeededError while a role waits for one."""
    actor = await signed_in_to_enrol(request)
    if actor.must_enrol_second_factor:
        raise SecondFactorNeededError(
            "Your role requires a second factor. Set one up under My account first."
        )
    return actor


async def request_context(request: Request, actor: Actor) -> TransactionContext:
    """What a request's transaction may see, and who acts in it."""
    return context_of_actor(actor, {"reason": await _reason(request)} | origin_of(request))


def origin_of(request: HTTPConnection) -> dict[str, str]:
    """Where a request comes from, for the audit log."""
    agent = request.headers.get("user-agent", "")
    return {
        "address": client_address(request),
        "agent": "".join(mark for mark in agent if mark.isprintable())[:300],
        "request": getattr(request.state, "request_id", ""),
    }


async def _reason(request: Request) -> str | None:
    """Why, as the caller says: a header (percent-encoded where it is not ASCII) or a form's field."""
    if request.method in SAFE_METHODS:
        return None
    given = request.headers.get(REASON_HEADER)
    reason = unquote(given) if given is not None else await _form_value(request, REASON_FIELD)
    reason = (reason or "").strip()
    if len(reason) > MAX_REASON_LENGTH or not is_storable(reason):
        raise InvalidInputError(
            "The reason is wrong.",
            fields=[
                FieldError(REASON_HEADER, f"has at most {MAX_REASON_LENGTH} characters, none of them NUL")
            ],
        )
    request.state.change_reason = reason
    return reason or None


def require(permission: Permission) -> Callable[[Request], Awaitable[Actor]]:
    """A dependency that lets through only actors with the permission, and names it for the route walk."""

    async def dependency(request: Request) -> Actor:
        actor = await signed_in(request)
        if not actor.may(permission):
            await note_refusal(request, actor, permission)
            raise ForbiddenError(f"This needs the permission {permission}.")
        return actor

    dependency.permission = permission  # type: ignore[attr-defined]
    return dependency


async def note_refusal(request: Request, actor: Actor, permission: Permission) -> None:
    """Keep in the audit log that somebody tried what they may not do."""
    events = services_of(request).get(EventTally)
    details = {"permission": permission, "method": request.method, "path": request.url.path[:300]}
    cause = f"{actor.token_id or actor.session_id}:{permission}"
    event = Event("permission.refused", "permission", cause, permission, details=details)
    await events.note(request.state.transaction_context, event)


async def reason_given(request: Request) -> str:
    """For acts that nobody should do without saying why. Raises InvalidInputError; comes after the permission."""
    reason: str = getattr(request.state, "change_reason", "")
    if not reason:
        raise InvalidInputError(
            f"This needs a reason, recorded in the audit log; API clients send it in the header {REASON_HEADER}.",
            fields=[FieldError(REASON_FIELD, "Say why")],
        )
    return reason


SignedIn = Annotated[Actor, Depends(signed_in)]
# For the few doors that must stay open to somebody who has to set up a second factor first.
SignedInToEnrol = Annotated[Actor, Depends(signed_in_to_enrol)]
ReasonGiven = Annotated[str, Depends(reason_given)]
ConfigRead = Annotated[Actor, Depends(require(Permission.CONFIG_READ))]
ConfigWrite = Annotated[Actor, Depends(require(Permission.CONFIG_WRITE))]
OperationsRead = Annotated[Actor, Depends(require(Permission.OPERATIONS_READ))]
