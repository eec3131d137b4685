"""`/settings/providers`: through whom people may sign in."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Tag
from fleetkeeper.console.contexts.providers import CheckResult, ProviderPage
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare, shell_for
from fleetkeeper.console.pages.oidc import callback_address
from fleetkeeper.console.provider_forms import (
    HELP,
    defaults,
    entered,
    form_fields,
    read_changes,
    read_new,
    values_of,
)
from fleetkeeper.console.rendering import render
from fleetkeeper.console.requests import FormValues
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import ConflictError, FieldError, InvalidInputError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc import service
from fleetkeeper.identity.oidc.access import InstallationSealer, Providers, ProvidersRead, ProvidersWrite
from fleetkeeper.identity.oidc.presets import PRESETS, Preset
from fleetkeeper.identity.oidc.queries import PROVIDERS as LISTING
from fleetkeeper.identity.oidc.schemas import ProviderRead
from fleetkeeper.identity.permissions import Permission

router = APIRouter(prefix="/settings/providers")
declare(
    Place(
        "/settings/providers",
        "Identity providers",
        "id-badge-2",
        Permission.PROVIDERS_READ,
        group="Access",
        order=50,
        key="i",
        words="oidc sso single sign-on entra okta keycloak google",
    )
)

REFUSED = "Not saved. Correct the marked fields."
HOME = "/settings/providers"


def _state(one: ProviderRead) -> Cell:
    return Cell(tags=(Tag("On", "good") if one.enabled else Tag("Off"),))


PROVIDERS: ListPage[ProviderRead] = ListPage(
    path=HOME,
    title="Identity providers",
    noun=("provider", "providers"),
    listing=LISTING,
    search="Name or URL slug",
    quick=(
        QuickFilter("enabled", "State", (Choice("true", "On"), Choice("false", "Off")), is_chips=True),
        QuickFilter(
            "preset",
            "Kind",
            tuple(Choice(preset.value, facts.title) for preset, facts in PRESETS.items()),
            everything="All kinds",
        ),
    ),
    columns=(
        Column("name", "Name", lambda one: Cell(one.name, f"{HOME}/{one.id}"), sort="name"),
        Column("preset", "Kind", lambda one: Cell(PRESETS[Preset(one.preset)].title), sort="preset"),
        Column("issuer", "Issuer", lambda one: Cell(one.issuer, is_soft=True)),
        Column("enabled", "State", _state, sort="enabled"),
        Column("slug", "URL slug", lambda one: Cell(one.slug), sort="slug", is_extra=True),
        Column(
            "created_at",
            "Created",
            lambda one: Cell(at=one.created_at, kind="time", is_soft=True),
            sort="created_at",
            falls_first=True,
            is_extra=True,
        ),
    ),
    empty=Empty(
        "No identity providers yet",
        "Until then, people sign in with a password or passkey. Groups of a provider can assign roles here.",
    ),
    export="/api/v1/identity-providers/export",
)


@router.get("")
async def list_providers(request: Request, actor: ProvidersRead, session: Session) -> Response:
    """All providers."""
    add = PRESETS.items() if actor.may(Permission.PROVIDERS_WRITE) else ()
    links = [(f"{HOME}/new?preset={preset}", f"Add {facts.title}") for preset, facts in add]
    return await show_list(
        request, session, actor, PROVIDERS, partial(service.list_providers, session), links=links
    )


@router.get("/new")
async def show_new(request: Request, actor: ProvidersWrite, preset: Preset = Preset.GENERIC) -> Response:
    """The form of a new provider."""
    return _new_page(request, actor, preset, defaults(preset))


@router.post("/new")
async def create_provider(
    request: Request,
    actor: ProvidersWrite,
    session: Session,
    sealer: InstallationSealer,
    form: FormValues,
    preset: Preset = Preset.GENERIC,
) -> Response:
    """Make a provider."""
    values = entered(preset, form, is_new=True)
    wanted = read_new(preset, values)
    if isinstance(wanted, list):
        return _new_page(request, actor, preset, values, wanted)
    try:
        made = await service.create_provider(session, sealer, actor, wanted)
    except InvalidInputError as error:
        return _new_page(request, actor, preset, values, error.fields)
    except ConflictError as error:
        return _new_page(request, actor, preset, values, [FieldError("slug", error.detail)])
    return RedirectResponse(f"{HOME}/{made.id}", 303)


@router.get("/{provider_id}")
async def show_provider(
    provider_id: UUID, request: Request, actor: ProvidersRead, session: Session
) -> Response:
    """One provider's form."""
    return _answer(_page(request, actor, await service.get_provider(session, provider_id)))


@router.post("/{provider_id}")
async def change_provider(
    provider_id: UUID,
    request: Request,
    actor: ProvidersWrite,
    session: Session,
    sealer: InstallationSealer,
    form: FormValues,
) -> Response:
    """Change a provider."""
    provider = await service.get_provider(session, provider_id)
    preset = Preset(provider.preset)
    values = entered(preset, form, is_new=False)
    changes = read_changes(preset, values)
    problems: Sequence[FieldError] = changes if isinstance(changes, list) else ()
    if not isinstance(changes, list):
        try:
            changed = await service.update_provider(session, sealer, actor, provider_id, changes)
        except InvalidInputError as error:
            problems = error.fields
        else:
            return _answer(replace(_page(request, actor, changed), message="Saved.", is_good=True))
    fields = form_fields(preset, values, problems, is_new=False)
    return _answer(replace(_page(request, actor, provider), fields=fields, message=REFUSED), 422)


@router.post("/{provider_id}/check")
async def check_provider(
    provider_id: UUID, request: Request, actor: ProvidersWrite, session: Session, client: Providers
) -> Response:
    """Ask the provider for its description, and show what it says."""
    found = await service.check_provider(session, client, provider_id)
    page = _page(request, actor, await service.get_provider(session, provider_id))
    return _answer(replace(page, check=CheckResult(found.works, found.detail)))


@router.post("/{provider_id}/delete")
async def delete_provider(provider_id: UUID, actor: ProvidersWrite, session: Session) -> Response:
    """Remove a provider."""
    await service.delete_provider(session, actor, provider_id)
    return RedirectResponse(HOME, 303)


def _new_page(
    request: Request,
    actor: Actor,
    preset: Preset,
    values: dict[str, str],
    errors: Sequence[FieldError] | None = None,
) -> Response:
    page = ProviderPage(
        shell=shell_for(actor, HOME),
        csrf_token=actor.csrf_token or "",
        title=f"New provider: {PRESETS[preset].title}",
        preset=preset.value,
        help=HELP[preset],
        fields=form_fields(preset, values, errors or (), is_new=True),
        callback=callback_address(request, values.get("slug") or "…"),
        action=f"{HOME}/new?preset={preset.value}",
        may_change=True,
        message=REFUSED if errors is not None else "",
    )
    return _answer(page, 200 if errors is None else 422)


def _page(request: Request, actor: Actor, provider: ProviderRead) -> ProviderPage:
    preset = Preset(provider.preset)
    return ProviderPage(
        shell=shell_for(actor, HOME),
        csrf_token=actor.csrf_token or "",
        title=provider.name,
        preset=provider.preset,
        help=HELP[preset],
        fields=form_fields(preset, values_of(provider), is_new=False),
        callback=callback_address(request, provider.slug),
        action=f"{HOME}/{provider.id}",
        may_change=actor.may(Permission.PROVIDERS_WRITE),
        provider_id=provider.id,
    )


def _answer(page: ProviderPage, status: int = 200) -> Response:
    return render("settings/provider.html", page, status=status)
