"""`/sign-in` and `/sign-out`."""

import time
from datetime import timedelta
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.identity import SignInPage
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import AppSettings, FormValues
from fleetkeeper.console.sign_in_limit import SignInLimit
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import ForbiddenError, OverloadedError, UnauthenticatedError
from fleetkeeper.identity.access import SignedIn, find_actor, session_cookie_name
from fleetkeeper.identity.service import Browser
from fleetkeeper.identity.service import sign_out as end_session
from fleetkeeper.identity.sign_in import service
from fleetkeeper.kit.clock import utc_now

router = APIRouter()

_limit = SignInLimit()


def safe_path(path: str) -> str:
    """A path of this console to go on to; anything that could lead to another site becomes the overview."""
    parts = urlsplit(path)
    is_ours = (
        path.startswith("/")
        and not path.startswith(("//", "/\\"))
        and not parts.netloc
        and path.isprintable()
    )
    return path if is_ours and not path.startswith("/sign-in") else "/"


def refuse_foreign_form(request: Request) -> None:
    """Raise ForbiddenError for a form from another site: without a session no token tells it."""
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    if site not in {"same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    ):
        raise ForbiddenError("This form was sent from another site.")


@router.get("/sign-in")
async def show_sign_in(request: Request, next: str = "/") -> Response:  # noqa: A002 - the parameter's public name
    """The form; whoever is signed in already is sent on."""
    if await find_actor(request) is not None:
        return RedirectResponse(safe_path(next), 303)
    return render("identity/sign_in.html", SignInPage(safe_path(next)))


@router.post("/sign-in")
async def sign_in(request: Request, form: FormValues, session: Session, settings: AppSettings) -> Response:
    """Check the password, set the session's cookie, and go on to the page that was asked for."""
    refuse_foreign_form(request)
    address = request.client.host if request.client else ""
    username, next_path = form.get("username", ""), safe_path(form.get("next", "/"))
    lifetime = timedelta(hours=settings.identity.session_lifetime_hours)
    try:
        _limit.check(address, time.monotonic(), settings.identity.sign_in_attempts_per_minute)
        signed_in = await service.sign_in(
            session,
            username,
            form.get("password", ""),
            Browser(address or None, request.headers.get("user-agent", "")),
            now=utc_now(),
            lifetime=lifetime,
        )
    except (UnauthenticatedError, OverloadedError) as error:
        if isinstance(error, UnauthenticatedError):
            _limit.note_failure(address, time.monotonic())
        return render(
            "identity/sign_in.html",
            SignInPage(next_path, username, error.detail),
            status=error.status,
        )
    response = RedirectResponse(next_path, 303)
    response.set_cookie(
        session_cookie_name(settings),
        signed_in.secret,
        max_age=int(lifetime.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=settings.web.secure_cookies,
    )
    return response


@router.post("/sign-out")
async def sign_out(actor: SignedIn, session: Session, settings: AppSettings) -> Response:
    """End the session."""
    await end_session(session, actor)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        session_cookie_name(settings),
        httponly=True,
        samesite="lax",
        secure=settings.web.secure_cookies,
    )
    return response
