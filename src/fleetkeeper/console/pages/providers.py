"""`/settings/providers`: through whom people may sign in."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from fleetkeeper.console.contexts.providers import (
    CheckResult,
    PresetChoice,
    ProviderPage,
    ProviderRow,
    ProvidersPage,
)
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
# More providers than this no sign-in page has room for.
SHOWN = (("limit", "200"),)


@router.get("")
async def list_providers(actor: ProvidersRead, session: Session) -> Response:
    """All providers."""
    found = await service.list_providers(session, SHOWN)
    page = ProvidersPage(
        shell=shell_for(actor, "/settings/providers"),
        providers=tuple(
            ProviderRow(
                item.id, item.name, item.slug, PRESETS[Preset(item.preset)].title, item.issuer, item.enabled
            )
            for item in found.results
        ),
        presets=tuple(PresetChoice(preset.value, facts.title) for preset, facts in PRESETS.items()),
        may_change=actor.may(Permission.PROVIDERS_WRITE),
    )
    return render("settings/providers.html", page)


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
    return RedirectResponse(f"/settings/providers/{made.id}", 303)


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
    return RedirectResponse("/settings/providers", 303)


def _new_page(
    request: Request,
    actor: Actor,
    preset: Preset,
    values: dict[str, str],
    errors: Sequence[FieldError] | None = None,
) -> Response:
    page = ProviderPage(
        shell=shell_for(actor, "/settings/providers"),
        csrf_token=actor.csrf_token or "",
        title=f"New provider: {PRESETS[preset].title}",
        preset=preset.value,
        help=HELP[preset],
        fields=form_fields(preset, values, errors or (), is_new=True),
        callback=callback_address(request, values.get("slug") or "…"),
        action=f"/settings/providers/new?preset={preset.value}",
        may_change=True,
        message=REFUSED if errors is not None else "",
    )
    return _answer(page, 200 if errors is None else 422)


def _page(request: Request, actor: Actor, provider: ProviderRead) -> ProviderPage:
    preset = Preset(provider.preset)
    return ProviderPage(
        shell=shell_for(actor, "/settings/providers"),
        csrf_token=actor.csrf_token or "",
        title=provider.name,
        preset=provider.preset,
        help=HELP[preset],
        fields=form_fields(preset, values_of(provider), is_new=False),
        callback=callback_address(request, provider.slug),
        action=f"/settings/providers/{provider.id}",
        may_change=actor.may(Permission.PROVIDERS_WRITE),
        provider_id=provider.id,
    )


def _answer(page: ProviderPage, status: int = 200) -> Response:
    return render("settings/provider.html", page, status=status)
