"""Errors for people: a page, a toast for htmx, and the way to the sign-in page."""

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from scim2_models import SCIMException
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from fleetkeeper.alerts.alertmanager.api import BASE as ALERTMANAGER_PATH
from fleetkeeper.alerts.alertmanager.api import error_response as alertmanager_error_response
from fleetkeeper.console.contexts.shell import ErrorPage, ErrorToast
from fleetkeeper.console.navigation import place_of, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.error_handlers import expected_error, handle_error
from fleetkeeper.errors import FleetkeeperError, NotFoundError, SecondFactorNeededError
from fleetkeeper.identity.access import SAFE_METHODS, find_actor
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.scim.errors import scim_error_response
from fleetkeeper.identity.scim.resources import BASE_PATH
from fleetkeeper.kit.error_words import field_words
from fleetkeeper.netbox.protocol.answers import error_response as netbox_error_response
from fleetkeeper.netbox.protocol.asked import BASE as NETBOX_PATH

log = structlog.get_logger(__name__)

# Doors for programs: their errors stay problem documents.
PROGRAM_PATHS = ("/api/", "/prometheus/", "/alertmanager/", "/health/", "/metrics", "/static/", "/agent/")
# Doors whose clients read errors in a shape of their own; None where the usual one will do.
FOREIGN: tuple[tuple[str, Callable[[Request, Exception], Response | None]], ...] = (
    (BASE_PATH, scim_error_response),
    (f"{NETBOX_PATH}/", netbox_error_response),
    (f"{ALERTMANAGER_PATH}/", alertmanager_error_response),
)

NOTHING_HERE = "There is no page at this address. Check the address, or use the navigation."
# Where somebody goes whose role asks for a second factor; the page says so.
ENROLMENT_PAGE = "/account/security"


def sign_in_address(request: Request) -> str:
    """The sign-in page's address, which leads back to a page that can be asked for again."""
    path = request.url.path
    if request.method != "GET" or request.headers.get("HX-Request"):
        return "/sign-in"
    if request.url.query:
        path += f"?{request.url.query}"
    return "/sign-in" if path == "/" else f"/sign-in?{urlencode({'next': path})}"


async def handle_console_error(request: Request, error: Exception) -> Response:
    """Answer an error as the caller can show it."""
    foreign = next((answer for path, answer in FOREIGN if request.url.path.startswith(path)), None)
    answered = None if foreign is None else foreign(request, error)
    if answered is not None:
        return answered
    if request.url.path.startswith(PROGRAM_PATHS):
        return await handle_error(request, error)
    request_id = getattr(request.state, "request_id", None)
    known = expected_error(error)
    if known is None:
        log.error("page failed", path=request.url.path, exc_info=error)
        known = FleetkeeperError("Internal error. The server's log has the details under the request ID.")
    known = _as_of_a_page(request, known)
    is_htmx = request.headers.get("HX-Request") == "true"
    cure = _page_that_cures(request, known)
    if cure is not None:
        if is_htmx:
            return Response(status_code=known.status, headers={"HX-Redirect": cure})
        return RedirectResponse(cure, 303)
    if is_htmx:
        return render("errors/_toast.html", ErrorToast(_detail(known)), status=known.status)
    actor = await _reader_of(request, known)
    shell = None if actor is None else shell_for(actor, place_of(request.url.path))
    if known.status == 403 and actor is not None and not actor.grants:
        detail = f"You are signed in as {actor.name}, but have no role yet. Ask an administrator to assign you one."
        page = ErrorPage(known.status, "No role yet", detail, request_id, shell, actor.csrf_token or "")
    else:
        page = ErrorPage(known.status, known.title, _detail(known), request_id, shell)
    return render("errors/page.html", page, status=known.status)


async def _reader_of(request: Request, error: FleetkeeperError) -> Actor | None:
    """Who is signed in, for the navigation; an address that no route has was not guarded by one that knows."""
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is None and error.status in {404, 405} and request.method in SAFE_METHODS:
        with suppress(FleetkeeperError, DBAPIError, PoolTimeoutError):
            actor = await find_actor(request)
    return actor if actor is not None and actor.session_id is not None else None


def _page_that_cures(request: Request, error: FleetkeeperError) -> str | None:
    """Where the reader can do something about an error, if anywhere."""
    if error.status == 401:
        return sign_in_address(request)
    if error.status == 405 and request.method == "GET":
        # Somebody reloads the answer to a form: its page is what they want to see.
        return place_of(request.url.path) or "/"
    return ENROLMENT_PAGE if isinstance(error, SecondFactorNeededError) else None


def _as_of_a_page(request: Request, error: FleetkeeperError) -> FleetkeeperError:
    """An address with an ID that is none leads nowhere, as one that nothing has."""
    if (
        request.method in SAFE_METHODS
        and error.fields
        and all(one.field.startswith("path.") for one in error.fields)
    ):
        return NotFoundError(NOTHING_HERE)
    return NotFoundError(NOTHING_HERE) if error.status == 404 and error.detail == "Not Found" else error


def _detail(error: FleetkeeperError) -> str:
    fields = "; ".join(f"{field_words(item.field)}: {item.message}" for item in error.fields)
    return f"{error.detail} {fields}".strip()


def install_console_errors(app: FastAPI) -> None:
    """Let errors of pages be shown as pages; other doors keep their problem documents."""
    for kind in (
        FleetkeeperError,
        RequestValidationError,
        HTTPException,
        DBAPIError,
        PoolTimeoutError,
        SCIMException,
        ValidationError,
        Exception,
    ):
        app.add_exception_handler(kind, handle_console_error)
