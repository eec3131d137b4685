"""`/settings`: what administrators change while the product runs."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse

from fleetkeeper.console.audit_entries import with_filters
from fleetkeeper.console.contexts.panels import Panel
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.panels import attempt, refuse_in, show_page
from fleetkeeper.console.requests import FormLists, is_htmx_request
from fleetkeeper.console.settings_forms import FORMS
from fleetkeeper.console.toasts import with_toast
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError, NotFoundError
from fleetkeeper.identity.access import ConfigRead, ConfigWrite
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission
from fleetkeeper.operations import service as operations

router = APIRouter()
declare(
    Place(
        "/settings",
        "Settings",
        "settings",
        Permission.CONFIG_READ,
        group="System",
        order=10,
        key="s",
        words="sampling features",
    )
)

HOME = "/settings"


@router.get("/settings")
async def show_settings(actor: ConfigRead, session: Session) -> Response:
    """All settings."""
    return await _page(session, actor)


@router.post("/settings/{key}")
async def change_settings(
    request: Request, key: str, sent: FormLists, actor: ConfigWrite, session: Session
) -> Response:
    """Change one group of settings. Raises NotFoundError for an unknown one."""
    form = FORMS.get(key)
    if form is None:
        raise NotFoundError("There is no such group of settings.")

    async def change() -> object:
        return await operations.change_config(session, key, form.read(sent).model_dump())

    outcome = await attempt(session, change())
    if isinstance(outcome, FleetkeeperError):
        return await _page(session, actor, Refusal(form.id, outcome, sent))
    if not is_htmx_request(request):
        return RedirectResponse(HOME, 303)
    return with_toast(await _page(session, actor), f"{form.title}: saved.")


async def _page(session: AsyncSession, actor: Actor, refusal: Refusal | None = None) -> Response:
    config = await operations.read_config(session)
    may_change = actor.may(Permission.CONFIG_WRITE)
    panels: list[Panel | None] = []
    for key, form in FORMS.items():
        present = getattr(config, key)
        shown = form.shown(f"{HOME}/{key}", present, is_open=True)
        panels.append(replace(shown, stays=True) if may_change else form.facts(present))
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    links = [("/settings/retention", "Retention")]
    if actor.may(Permission.AUDIT_READ):
        links.append((with_filters(resource_type="config"), "History"))
    return show_page(
        actor, HOME, "Settings", panels, links=links, status=refusal.error.status if refusal else 200
    )
