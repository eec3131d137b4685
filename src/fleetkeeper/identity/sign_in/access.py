"""What the doors of a sign-in read from a request, and the cookies that they set."""

import ipaddress
from typing import Annotated

from fastapi import Depends, Request, Response

from fleetkeeper.audit.tally import EventTally
from fleetkeeper.database.engine import Database
from fleetkeeper.database.request_session import context_of
from fleetkeeper.errors import ForbiddenError, InvalidInputError
from fleetkeeper.identity.access import client_address, origin_of, session_cookie_name
from fleetkeeper.identity.service import Browser
from fleetkeeper.identity.sign_in.desk import CHALLENGE_LIFETIME, Challenged, Opened, SignInDesk, Visit
from fleetkeeper.identity.sign_in.passkeys import RelyingParty
from fleetkeeper.identity.sign_in.queries import KNOWN_BROWSER_LIFETIME
from fleetkeeper.kit.sealing import Sealer
from fleetkeeper.kit.services import services_of
from fleetkeeper.settings import Settings


def cookie_name(settings: Settings, name: str) -> str:
    """A cookie's name; `__Host-` ties it to this host, and browsers accept it over https only."""
    return f"__Host-fleetkeeper_{name}" if settings.web.secure_cookies else f"fleetkeeper_{name}"


def sign_in_desk(request: Request) -> SignInDesk:
    """What the steps of a sign-in work with."""
    services = services_of(request)
    return SignInDesk(
        services.get(Database),
        services.get(Sealer),
        services.get(Settings).identity,
        services.get(EventTally),
    )


def visit_of(request: Request) -> Visit:
    """The browser at the door."""
    settings = services_of(request).get(Settings)
    cookies = request.cookies
    return Visit(
        browser=Browser(client_address(request) or None, request.headers.get("user-agent", "")),
        origin=origin_of(request),
        session_secret=cookies.get(session_cookie_name(settings), ""),
        browser_secret=cookies.get(cookie_name(settings, "browser"), ""),
        challenge_secret=cookies.get(cookie_name(settings, "sign_in"), ""),
        context=context_of(request),
    )


def browser_origin(request: Request) -> str:
    """The scheme and host by which the browser knows this page."""
    settings = services_of(request).get(Settings)
    # Behind a proxy that ends TLS the scheme that arrives here is another.
    scheme = "https" if settings.web.secure_cookies else request.url.scheme
    return f"{scheme}://{request.url.netloc}"


def find_relying_party(request: Request) -> RelyingParty | None:
    """Who asks for a passkey; None under an address that has no name, where browsers know none."""
    host = (request.url.hostname or "").lower()
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return RelyingParty(host, browser_origin(request).lower()) if host else None
    return None


def relying_party(request: Request) -> RelyingParty:
    """The same. Raises InvalidInputError where there is none."""
    party = find_relying_party(request)
    if party is None:
        raise InvalidInputError(
            "Passkeys need a host name; open the console under its name instead of an IP address."
        )
    return party


def refuse_foreign_site(request: Request) -> None:
    """Raise ForbiddenError for what another site's page sent: without a session no token tells it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    # Compared as text: a header from outside need not be an address that can be read.
    sender = None if origin is None else origin.partition("://")[2].lower()
    if site not in {"same-origin", "none"} or (
        sender is not None and sender != request.headers.get("host", "").lower()
    ):
        raise ForbiddenError("This form was sent from another site.")


def set_outcome_cookies(
    response: Response, settings: Settings, desk: SignInDesk, outcome: Opened | Challenged
) -> None:
    """Give the browser the session's secret, or that of the half-done sign-in."""
    if isinstance(outcome, Challenged):
        set_challenge_cookie(response, settings, outcome.challenge_secret)
        return
    _set(
        response,
        settings,
        session_cookie_name(settings),
        outcome.session_secret,
        desk.lifetime.total_seconds(),
    )
    known_for = KNOWN_BROWSER_LIFETIME.total_seconds()
    _set(response, settings, cookie_name(settings, "browser"), outcome.browser_secret, known_for)
    drop_cookie(response, settings, cookie_name(settings, "sign_in"))


def set_challenge_cookie(response: Response, settings: Settings, secret: str) -> None:
    """Bind a half-done sign-in to the browser."""
    _set(response, settings, cookie_name(settings, "sign_in"), secret, CHALLENGE_LIFETIME.total_seconds())


def set_flow_cookie(response: Response, settings: Settings, secret: str, seconds: float) -> None:
    """Bind a sign-in that goes to a provider to the browser."""
    _set(response, settings, cookie_name(settings, "flow"), secret, seconds)


def _set(response: Response, settings: Settings, name: str, value: str, seconds: float) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(seconds),
        httponly=True,
        samesite="lax",
        secure=settings.web.secure_cookies,
    )


def drop_cookie(response: Response, settings: Settings, name: str) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(name, httponly=True, samesite="lax", secure=settings.web.secure_cookies)


Desk = Annotated[SignInDesk, Depends(sign_in_desk)]
AtDoor = Annotated[Visit, Depends(visit_of)]
Party = Annotated[RelyingParty, Depends(relying_party)]
MaybeParty = Annotated[RelyingParty | None, Depends(find_relying_party)]
