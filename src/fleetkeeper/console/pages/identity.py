"""`/sign-in`, its second step, and `/sign-out`."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.identity import ProviderButton, SecondFactorPage, SignInPage
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormValues
from fleetkeeper.database.request_session import AppSettings, Session
from fleetkeeper.errors import FleetkeeperError, OverloadedError, UnauthenticatedError
from fleetkeeper.identity.access import SignedInToEnrol, find_actor, session_cookie_name
from fleetkeeper.identity.oidc.flow import offered_providers
from fleetkeeper.identity.service import sign_out as end_session
from fleetkeeper.identity.sign_in import service
from fleetkeeper.identity.sign_in.access import (
    AtDoor,
    Desk,
    drop_cookie,
    find_relying_party,
    refuse_foreign_site,
    set_outcome_cookies,
)
from fleetkeeper.identity.sign_in.desk import Challenged, Opened, Proof, SignInDesk, Visit
from fleetkeeper.settings import Settings

router = APIRouter()

SECOND_STEP = "/sign-in/second-factor"


def safe_path(path: str) -> str:
    """A path of this console to go on to; anything that could lead to another site becomes the overview."""
    # Browsers take a backslash for a slash, and leave out tabs and line ends before they read an address.
    is_ours = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if is_ours and not path.startswith("/sign-in") else "/"


def outcome_response(outcome: Opened | Challenged, settings: Settings, desk: SignInDesk) -> Response:
    """On to the page that was asked for, or to the second step."""
    address = SECOND_STEP if isinstance(outcome, Challenged) else outcome.next_path
    response = RedirectResponse(address, 303)
    set_outcome_cookies(response, settings, desk, outcome)
    return response


async def sign_in_page(
    request: Request,
    desk: SignInDesk,
    next_path: str,
    username: str = "",
    error: FleetkeeperError | None = None,
) -> Response:
    """The form, after an error with what it says."""
    async with desk.database.session() as session:
        providers = await offered_providers(session)
    page = SignInPage(
        next_path,
        username,
        error.detail if error else "",
        tuple(ProviderButton(slug, name) for slug, name in providers),
        find_relying_party(request) is not None,
    )
    response = render("identity/sign_in.html", page, status=error.status if error else 200)
    if error and error.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(error.retry_after_seconds)
    return response


@router.get("/sign-in")
async def show_sign_in(request: Request, desk: Desk, next: str = "/") -> Response:  # noqa: A002 - the parameter's public name
    """The form; whoever is signed in already is sent on."""
    if await find_actor(request) is not None:
        return RedirectResponse(safe_path(next), 303)
    return await sign_in_page(request, desk, safe_path(next))


@router.post("/sign-in")
async def sign_in(
    request: Request, form: FormValues, desk: Desk, visit: AtDoor, settings: AppSettings
) -> Response:
    """Check the password, and go on to the second step or to the page that was asked for."""
    refuse_foreign_site(request)
    username, next_path = form.get("username", ""), safe_path(form.get("next", "/"))
    try:
        outcome = await service.sign_in(desk, visit, username, form.get("password", ""), next_path=next_path)
    except (UnauthenticatedError, OverloadedError) as error:
        return await sign_in_page(request, desk, next_path, username, error)
    return outcome_response(outcome, settings, desk)


@router.get("/sign-in/second-factor")
async def show_second_step(request: Request, desk: Desk, visit: AtDoor) -> Response:
    """The second step of a sign-in that is half done; without one, the first."""
    page = await _second_step(request, desk, visit)
    return RedirectResponse("/sign-in", 303) if page is None else page


@router.post("/sign-in/second-factor")
async def finish_sign_in(
    request: Request, form: FormValues, desk: Desk, visit: AtDoor, settings: AppSettings
) -> Response:
    """Check a code and go on to the page that was asked for."""
    refuse_foreign_site(request)
    proof = Proof(code=form.get("code", "")[:100], recovery_code=form.get("recovery_code", "")[:100])
    try:
        opened = await service.finish_sign_in(desk, visit, proof, None)
    except (UnauthenticatedError, OverloadedError) as error:
        page = await _second_step(request, desk, visit, error)
        return page or await sign_in_page(request, desk, "/", error=error)
    return outcome_response(opened, settings, desk)


async def _second_step(
    request: Request, desk: SignInDesk, visit: Visit, error: FleetkeeperError | None = None
) -> Response | None:
    found = await service.find_half_done(desk, visit)
    if found is None:
        return None
    challenge, factors = found
    page = SecondFactorPage(
        challenge.next_path,
        takes_code=factors.totp is not None,
        takes_passkey=bool(factors.passkeys) and find_relying_party(request) is not None,
        takes_recovery_code=factors.unused_recovery_codes > 0,
        error=error.detail if error else "",
    )
    return render("identity/second_factor.html", page, status=error.status if error else 200)


@router.post("/sign-out")
async def sign_out(actor: SignedInToEnrol, session: Session, settings: AppSettings) -> Response:
    """End the session."""
    await end_session(session, actor)
    response = RedirectResponse("/sign-in", 303)
    drop_cookie(response, settings, session_cookie_name(settings))
    return response
