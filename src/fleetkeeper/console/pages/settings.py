"""`/settings`: what administrators change while the product runs."""

from fastapi import APIRouter, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.settings import SettingsForm, SettingsFormFragment, SettingsPage
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormValues, WantsFragment
from fleetkeeper.console.settings_forms import (
    GROUPS,
    all_forms,
    entered_values,
    settings_form,
)
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import InvalidInputError, NotFoundError
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

REFUSED = "Not saved. Correct the marked fields."


@router.get("/settings")
async def show_settings(actor: ConfigRead, session: Session) -> Response:
    """All settings."""
    forms = all_forms(await operations.read_config(session))
    return _page(actor, forms)


@router.post("/settings/{key}")
async def change_settings(
    key: str,
    form: FormValues,
    actor: ConfigWrite,
    session: Session,
    wants_fragment: WantsFragment,
) -> Response:
    """Change one group of settings. Raises NotFoundError for an unknown one."""
    if key not in GROUPS:
        raise NotFoundError("There is no such group of settings.")
    values = entered_values(key, form)
    try:
        changed = await operations.change_config(session, key, values)
    except InvalidInputError as error:
        refused = settings_form(key, values, errors=error.fields, message=REFUSED)
        return _refused(actor, refused, wants_fragment)
    return _saved(actor, settings_form(key, changed, message="Saved.", is_saved=True), wants_fragment)


def _page(actor: Actor, forms: tuple[SettingsForm, ...], status: int = 200) -> Response:
    shell = shell_for(actor, "/settings")
    page = SettingsPage(shell, forms, actor.csrf_token or "", actor.may(Permission.CONFIG_WRITE))
    return render("settings/detail.html", page, status=status)


def _fragment(actor: Actor, form: SettingsForm, status: int = 200) -> Response:
    fragment = SettingsFormFragment(form, actor.csrf_token or "", actor.may(Permission.CONFIG_WRITE))
    return render("settings/_form.html", fragment, status=status)


def _saved(actor: Actor, form: SettingsForm, wants_fragment: bool) -> Response:
    return _fragment(actor, form) if wants_fragment else RedirectResponse("/settings", 303)


def _refused(actor: Actor, form: SettingsForm, wants_fragment: bool) -> Response:
    return _fragment(actor, form, 422) if wants_fragment else _page(actor, (form,), 422)
