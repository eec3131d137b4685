"""The forms of identity providers: which fields each kind has, and what they mean for the service. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from fleetkeeper.console.contexts.shell import FormField
from fleetkeeper.errors import FieldError
from fleetkeeper.identity.oidc.presets import PRESETS, Preset
from fleetkeeper.identity.oidc.schemas import ProviderCreate, ProviderRead, ProviderUpdate
from fleetkeeper.kit.error_words import field_errors

HELP = {
    Preset.GENERIC: "Any OpenID Connect provider, such as Keycloak, Okta, authentik or GitLab.",
    Preset.ENTRA: "Register an application in Microsoft Entra, give it a client secret, and add groups to its tokens "
    "(token configuration, groups claim). Groups are identified by their object IDs.",
    Preset.GOOGLE: "Create an OAuth client of type “Web application” in the Google Cloud console.",
}
# Name, label, hint.
_TEXTS = {
    "name": ("Name", "As people see it on the sign-in page"),
    "slug": ("URL slug", "Lowercase letters, digits and hyphens. Cannot be changed later"),
    "issuer": ("Issuer", "URL of the provider"),
    "tenant": ("Directory (tenant) ID", "Of your organization, as Microsoft Entra shows it"),
    "client_id": ("Client ID", "As the provider gave it"),
    "client_secret": ("Client secret", "Stored encrypted and not shown again"),
    "hosted_domain": (
        "Only this organization",
        "Domain, such as example.org. Leave empty to allow any Google account",
    ),
    "scopes": ("Scopes", "Separated by spaces"),
    "groups_claim": ("Groups claim", "Claim that lists the user's groups"),
    "scim_claim": (
        "SCIM account claim",
        "Matches the externalId. Leave empty if accounts do not come from SCIM",
    ),
    "recheck_seconds": (
        "Check again after (seconds)",
        "How long groups are cached. 0 checks at each request",
    ),
}
_TOGGLES = {
    "enabled": ("Show on the sign-in page", "Turning it off ends its sessions"),
    "creates_users": (
        "Create accounts at first sign-in",
        "If off, only existing accounts can sign in",
    ),
}
_SECRET = "client_secret"  # noqa: S105 - a field's name
_OPTIONAL = frozenset({_SECRET, "hosted_domain", "scim_claim"})


def field_names(preset: Preset, *, is_new: bool) -> tuple[str, ...]:
    """The fields of a kind of provider, in order."""
    own = {Preset.GENERIC: ("issuer",), Preset.ENTRA: ("tenant",), Preset.GOOGLE: ()}[preset]
    late: tuple[str, ...] = ("hosted_domain",) if PRESETS[preset].has_hosted_domain else ("groups_claim",)
    slug = ("slug",) if is_new else ()
    return (
        "name",
        *slug,
        *own,
        "client_id",
        _SECRET,
        *late,
        "scopes",
        "scim_claim",
        "recheck_seconds",
        *_TOGGLES,
    )


def defaults(preset: Preset) -> dict[str, str]:
    """What the form of a new provider begins with."""
    facts = PRESETS[preset]
    name = {Preset.GENERIC: "", Preset.ENTRA: "Microsoft", Preset.GOOGLE: "Google"}[preset]
    return {
        "name": name,
        "slug": name.lower(),
        "scopes": facts.scopes,
        "groups_claim": facts.groups_claim,
        "scim_claim": facts.scim_claim,
        "recheck_seconds": "60",
        "enabled": "true",
        "creates_users": "true",
    }


def values_of(provider: ProviderRead) -> dict[str, str]:
    """A provider as its form shows it."""
    values = {name: _text(value) for name, value in provider.model_dump().items()}
    before, _, after = (PRESETS[Preset(provider.preset)].issuer or "").partition("{tenant}")
    values["tenant"] = provider.issuer.removeprefix(before).removesuffix(after) if after else ""
    return values


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def form_fields(
    preset: Preset, values: Mapping[str, str], errors: Iterable[FieldError] = (), *, is_new: bool
) -> tuple[FormField, ...]:
    """The fields with what was entered and what is wrong with it."""
    wrong = {error.field.rpartition(".")[2]: error.message for error in errors}
    if "tenant" not in wrong and preset is Preset.ENTRA and "issuer" in wrong:
        wrong["tenant"] = wrong["issuer"]
    fields = []
    for name in field_names(preset, is_new=is_new):
        label, hint = (_TEXTS | _TOGGLES)[name]
        if name == _SECRET and not is_new:
            hint = "Leave empty to keep the stored secret"
        is_number = name == "recheck_seconds"
        kind = "toggle" if name in _TOGGLES else "password" if name == _SECRET else "text"
        fields.append(
            FormField(
                name=name,
                label=label,
                # A secret does not come back, not even to whoever entered it.
                value="" if name == _SECRET else values.get(name, ""),
                kind="number" if is_number else kind,
                hint=hint,
                error=wrong.get(name, ""),
                minimum=0 if is_number else None,
                maximum=86_400 if is_number else None,
            )
        )
    return tuple(fields)


def entered(preset: Preset, form: Mapping[str, str], *, is_new: bool) -> dict[str, str]:
    """What a form sent, by field; a switch that is off is not sent at all."""
    return {
        name: ("true" if name in form else "false") if name in _TOGGLES else form.get(name, "").strip()
        for name in field_names(preset, is_new=is_new)
    }


def _schema_values(preset: Preset, values: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: value for name, value in values.items() if name != "tenant"}
    template = PRESETS[preset].issuer
    if template is not None and "{tenant}" in template:
        found["issuer"] = template.replace("{tenant}", values.get("tenant", ""))
    for name in _OPTIONAL:
        if not found.get(name):
            found.pop(name, None)
    return found


def read_new(preset: Preset, values: Mapping[str, str]) -> ProviderCreate | list[FieldError]:
    """The provider that a form asks for, or what is wrong with it."""
    try:
        return ProviderCreate.model_validate(_schema_values(preset, values) | {"preset": preset})
    except ValidationError as error:
        return _problems(error)


def read_changes(preset: Preset, values: Mapping[str, str]) -> ProviderUpdate | list[FieldError]:
    """The changes that a form asks for, or what is wrong with them."""
    wanted = _schema_values(preset, values)
    wanted.setdefault("scim_claim", None)
    if PRESETS[preset].has_hosted_domain:
        wanted.setdefault("hosted_domain", None)
    try:
        return ProviderUpdate.model_validate(wanted)
    except ValidationError as error:
        return _problems(error)


def _problems(error: ValidationError) -> list[FieldError]:
    return field_errors(error.errors())
