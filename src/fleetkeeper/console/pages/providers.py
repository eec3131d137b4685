"""`/settings/providers`: through whom people may sign in."""

from functools import partial
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from fleetkeeper.console.audit_entries import history_links
from fleetkeeper.console.contexts.lists import Empty
from fleetkeeper.console.contexts.panels import Cell, Code, EntryForm, Panel, Tag
from fleetkeeper.console.details import Refusal
from fleetkeeper.console.lists.answering import show_list
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.console.navigation import Place, declare
from fleetkeeper.console.pages.oidc import callback_address
from fleetkeeper.console.panels import act_form, refuse_in, refused, show_page, submit
from fleetkeeper.console.provider_forms import (
    CHANGE,
    DELETE,
    HOME,
    TEST,
    change_panel,
    check_facts,
    in_form,
    new_form,
    wanted_changes,
    wanted_provider,
)
from fleetkeeper.console.requests import FormLists
from fleetkeeper.database.request_session import Session
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.oidc import service
from fleetkeeper.identity.oidc.access import InstallationSealer, Providers, ProvidersRead, ProvidersWrite
from fleetkeeper.identity.oidc.presets import PRESETS, Preset
from fleetkeeper.identity.oidc.queries import PROVIDERS as LISTING
from fleetkeeper.identity.oidc.schemas import ProviderCheck, ProviderRead
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


CRUMBS = ((HOME, "Identity providers"),)
REMOVAL = (
    "Ends all sessions of this provider and deletes its groups with their roles. Its users keep their accounts "
    "but cannot sign in."
)


@router.get("/new")
async def show_new(request: Request, actor: ProvidersWrite, preset: Preset = Preset.GENERIC) -> Response:
    """The form of a new provider."""
    return _new_page(request, actor, preset, new_form(preset))


@router.post("/new")
async def create_provider(
    request: Request,
    actor: ProvidersWrite,
    session: Session,
    sealer: InstallationSealer,
    sent: FormLists,
    preset: Preset = Preset.GENERIC,
) -> Response:
    """Make a provider."""

    async def make() -> ProviderRead:
        return await service.create_provider(session, sealer, actor, wanted_provider(preset, sent))

    async def again(error: FleetkeeperError) -> Response:
        form = refused(new_form(preset), in_form(preset, error), sent)
        return _new_page(request, actor, preset, form, error.status)

    return await submit(request, session, make(), lambda made: f"{HOME}/{made.id}", again)


@router.get("/{provider_id}")
async def show_provider(
    provider_id: UUID, request: Request, actor: ProvidersRead, session: Session
) -> Response:
    """One provider's form."""
    return await _page(request, session, actor, provider_id)


@router.post("/{provider_id}")
async def change_provider(
    provider_id: UUID,
    request: Request,
    actor: ProvidersWrite,
    session: Session,
    sealer: InstallationSealer,
    sent: FormLists,
) -> Response:
    """Change a provider."""
    preset = Preset((await service.get_provider(session, provider_id)).preset)

    async def change() -> ProviderRead:
        changes = wanted_changes(preset, sent)
        return await service.update_provider(session, sealer, actor, provider_id, changes)

    async def again(error: FleetkeeperError) -> Response:
        refusal = Refusal(CHANGE[preset].id, in_form(preset, error), sent)
        return await _page(request, session, actor, provider_id, refusal=refusal)

    return await submit(request, session, change(), lambda _: f"{HOME}/{provider_id}", again)


@router.post("/{provider_id}/check")
async def check_provider(
    provider_id: UUID, request: Request, actor: ProvidersWrite, session: Session, client: Providers
) -> Response:
    """Ask the provider for its description, and show what it says."""
    found = await service.check_provider(session, client, provider_id)
    return await _page(request, session, actor, provider_id, found)


@router.post("/{provider_id}/delete")
async def delete_provider(
    provider_id: UUID, request: Request, actor: ProvidersWrite, session: Session
) -> Response:
    """Remove a provider."""

    async def again(error: FleetkeeperError) -> Response:
        return await _page(request, session, actor, provider_id, refusal=Refusal(DELETE, error, {}))

    removal = service.delete_provider(session, actor, provider_id)
    return await submit(request, session, removal, lambda _: HOME, again)


def _new_page(request: Request, actor: Actor, preset: Preset, form: EntryForm, status: int = 200) -> Response:
    slug = next((one.value for one in form.entries if one.name == "slug"), "")
    panels = (_callback(request, slug or "…"), form)
    title = f"New provider: {PRESETS[preset].title}"
    return show_page(actor, HOME, title, panels, crumbs=CRUMBS, status=status)


async def _page(
    request: Request,
    session: AsyncSession,
    actor: Actor,
    provider_id: UUID,
    found: ProviderCheck | None = None,
    refusal: Refusal | None = None,
) -> Response:
    provider = await service.get_provider(session, provider_id)
    may_change, base = actor.may(Permission.PROVIDERS_WRITE), f"{HOME}/{provider_id}"
    panels: list[Panel | None] = [
        check_facts(found) if found is not None else None,
        _callback(request, provider.slug),
        change_panel(provider, may_change=may_change),
    ]
    if may_change:
        panels.append(EntryForm(TEST, "Test connection", f"{base}/check", "Test connection", is_open=True))
        panels.append(act_form(DELETE, "Remove provider", f"{base}/delete", REMOVAL, asks_why=False))
    if refusal is not None:
        panels = refuse_in(panels, refusal.form_id, refusal.error, refusal.sent)
    return show_page(
        actor,
        HOME,
        provider.name,
        panels,
        crumbs=CRUMBS,
        tags=_state(provider).tags,
        links=history_links(actor, "identity_providers", provider_id),
        status=200 if refusal is None else refusal.error.status,
    )


def _callback(request: Request, slug: str) -> Code:
    text = "Enter this at the provider as the redirect URL."
    return Code("callback", "Redirect address", text, callback_address(request, slug))
