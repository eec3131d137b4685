"""`/sign-in/oidc/…`: to a provider and back."""

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.pages.identity import outcome_response, safe_path, sign_in_page
from fleetkeeper.database.request_session import AppSettings
from fleetkeeper.errors import FleetkeeperError, NotFoundError
from fleetkeeper.identity.access import public_origin
from fleetkeeper.identity.oidc import flow
from fleetkeeper.identity.oidc.access import Providers
from fleetkeeper.identity.sign_in.access import (
    AtDoor,
    Desk,
    cookie_name,
    drop_cookie,
    set_flow_cookie,
)

router = APIRouter()


def callback_address(request: Request, slug: str) -> str:
    """Where a provider sends browsers back to; the provider must know it beforehand."""
    return f"{public_origin(request)}/sign-in/oidc/{slug}/callback"


@router.get("/sign-in/oidc/{slug}")
async def go_to_provider(
    slug: str,
    request: Request,
    desk: Desk,
    client: Providers,
    settings: AppSettings,
    next: str = "/",  # noqa: A002 - the parameter's public name
) -> Response:
    """Send the browser to a provider."""
    next_path = safe_path(next)
    try:
        departure = await flow.begin(desk, client, slug, callback_address(request, slug), next_path)
    except NotFoundError:
        raise
    except FleetkeeperError as error:
        return await sign_in_page(request, desk, next_path, error=error)
    response = RedirectResponse(departure.address, 303)
    set_flow_cookie(response, settings, departure.browser_secret, flow.FLOW_LIFETIME.total_seconds())
    return response


@router.get("/sign-in/oidc/{slug}/callback")
async def return_from_provider(
    slug: str, request: Request, desk: Desk, visit: AtDoor, client: Providers, settings: AppSettings
) -> Response:
    """Sign in whoever comes back. What the provider says is shown as text."""
    name = cookie_name(settings, "flow")
    came = flow.Return(slug, dict(request.query_params), request.cookies.get(name, ""))
    try:
        response = outcome_response(await flow.finish(desk, client, visit, came), settings, desk)
    except FleetkeeperError as error:
        response = await sign_in_page(request, desk, "/", error=error)
    drop_cookie(response, settings, name)
    return response
