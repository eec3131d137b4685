"""The forms of identity providers: which fields each kind has, and what they mean for the service. Pure."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Tag
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import at_entries, model_of
from fleetkeeper.errors import FleetkeeperError
from fleetkeeper.identity.oidc.presets import PRESETS, Preset
from fleetkeeper.identity.oidc.schemas import ProviderCheck, ProviderCreate, ProviderRead, ProviderUpdate

HOME = "/settings/providers"
TEST, DELETE = "test", "delete"
_HELP = {
    Preset.GENERIC: "Any OpenID Connect provider, such as Keycloak, Okta, authentik or GitLab.",
    Preset.ENTRA: "Register an application in Microsoft Entra, give it a client secret, and add groups to its tokens "
    "(token configuration, groups claim). Groups are identified by their object IDs.",
    Preset.GOOGLE: "Create an OAuth client of type “Web application” in the Google Cloud console.",
}
_TENANT = "{tenant}"
_Tenant = Annotated[str, Field(min_length=1, max_length=100)]


class NewProvider(ProviderCreate):
    """A new provider as people enter it: of Entra's issuer they know the tenant."""

    tenant: _Tenant = ""


class ChangedProvider(ProviderUpdate):
    """The same of one that is there."""

    tenant: _Tenant = ""


def _widgets(preset: Preset, *, is_new: bool) -> dict[str, Widget | str]:
    secret = "Stored encrypted and not shown again" if is_new else "Leave empty to keep the stored secret"
    slug = Widget("URL slug", hint="Lowercase letters, digits and hyphens. Cannot be changed later")
    issuer = {
        Preset.GENERIC: {"issuer": Widget("Issuer", hint="URL of the provider", is_required=True)},
        Preset.ENTRA: {
            "tenant": Widget(
                "Directory (tenant) ID",
                hint="Of your organization, as Microsoft Entra shows it",
                is_required=True,
            )
        },
        Preset.GOOGLE: {},
    }[preset]
    limit = {
        "hosted_domain": Widget(
            "Only this organization",
            hint="Domain, such as example.org. Leave empty to allow any Google account",
        )
    }
    groups = {
        "groups_claim": Widget("Groups claim", hint="Claim that lists the user's groups", is_required=True)
    }
    return {
        "name": Widget("Name", hint="As people see it on the sign-in page", is_required=True),
        **({"slug": slug} if is_new else {}),
        **issuer,
        "client_id": Widget("Client ID", hint="As the provider gave it", is_required=True),
        "client_secret": Widget("Client secret", hint=secret, autocomplete="new-password"),
        **(limit if PRESETS[preset].has_hosted_domain else groups),
        "scopes": Widget("Scopes", hint="Separated by spaces", is_required=True),
        "scim_claim": Widget(
            "SCIM account claim",
            hint="Matches the externalId. Leave empty if accounts do not come from SCIM",
        ),
        "recheck_seconds": Widget(
            "Check again after (seconds)",
            hint="How long groups are cached. 0 checks at each request",
            is_required=True,
        ),
        "enabled": Widget("Show on the sign-in page", hint="Turning it off ends its sessions"),
        "creates_users": Widget(
            "Create accounts at first sign-in", hint="If off, only existing accounts can sign in"
        ),
    }


NEW = {
    preset: Form(
        NewProvider,
        "new-provider",
        f"Add {facts.title}",
        "Add provider",
        _widgets(preset, is_new=True),
        text=_HELP[preset],
    )
    for preset, facts in PRESETS.items()
}
CHANGE = {
    preset: Form(
        ChangedProvider,
        "change",
        "Edit provider",
        "Save changes",
        _widgets(preset, is_new=False),
        text=_HELP[preset],
    )
    for preset in PRESETS
}


def new_form(preset: Preset) -> EntryForm:
    """The form of a new provider, with what is known of its kind beforehand."""
    facts = PRESETS[preset]
    name = {Preset.GENERIC: "", Preset.ENTRA: "Microsoft", Preset.GOOGLE: "Google"}[preset]
    known = NewProvider.model_construct(
        name=name,
        slug=name.lower(),
        scopes=facts.scopes,
        groups_claim=facts.groups_claim,
        scim_claim=facts.scim_claim,
    )
    return NEW[preset].shown(f"{HOME}/new?preset={preset}", known, is_open=True)


def change_panel(provider: ProviderRead, *, may_change: bool) -> EntryForm | Facts:
    """One that is there, as a form or, for those who may not change it, as facts."""
    preset = Preset(provider.preset)
    before, _, after = (PRESETS[preset].issuer or "").partition(_TENANT)
    tenant = provider.issuer.removeprefix(before).removesuffix(after) if after else ""
    present = ChangedProvider.model_construct(**provider.model_dump(), tenant=tenant)
    if not may_change:
        return CHANGE[preset].facts(present)
    return CHANGE[preset].shown(f"{HOME}/{provider.id}", present, is_open=True)


def check_facts(found: ProviderCheck) -> Facts:
    """How a test of the connection went."""
    tag = Tag("Works", "good") if found.works else Tag("Failed", "bad")
    return Facts("test-result", "Test result", (("Result", Cell(tags=(tag,), detail=found.detail)),))


def wanted_provider(preset: Preset, sent: Mapping[str, Sequence[str]]) -> ProviderCreate:
    """The provider that a form asks for. Raises InvalidInputError."""
    return model_of(ProviderCreate, _values(preset, NEW[preset].read(sent)) | {"preset": preset})


def wanted_changes(preset: Preset, sent: Mapping[str, Sequence[str]]) -> ProviderUpdate:
    """The changes that a form asks for; a secret that was left empty stays. Raises InvalidInputError."""
    values = _values(preset, CHANGE[preset].read(sent))
    if values["client_secret"] is None:
        del values["client_secret"]
    return model_of(ProviderUpdate, values)


def _values(preset: Preset, entered: NewProvider | ChangedProvider) -> dict[str, Any]:
    template = PRESETS[preset].issuer or ""
    issuer = {"issuer": template.replace(_TENANT, entered.tenant)} if _TENANT in template else {}
    return entered.model_dump(exclude_unset=True, exclude={"tenant"}) | issuer


def in_form(preset: Preset, error: FleetkeeperError) -> FleetkeeperError:
    """The error at the form's fields: of Entra's issuer the tenant is entered."""
    return at_entries(error, {"issuer": "tenant"}) if _TENANT in (PRESETS[preset].issuer or "") else error
