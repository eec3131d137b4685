"""What is known beforehand of providers that many people have."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Preset(StrEnum):
    """The kinds of providers that forms exist for."""

    GENERIC = "generic"
    ENTRA = "entra"
    GOOGLE = "google"


@dataclass(frozen=True)
class PresetFacts:
    """How a kind of provider differs from others."""

    title: str
    scopes: str
    groups_claim: str
    # With `{tenant}` where the organization's own part goes; None where it can be anything.
    issuer: str | None = None
    has_hosted_domain: bool = False
    # Whether the userinfo endpoint never tells groups, so that only a new ID token does.
    groups_in_id_token: bool = False
    # What identifies somebody both here and in the provider's SCIM.
    scim_claim: str = ""


PRESETS: Mapping[Preset, PresetFacts] = {
    Preset.GENERIC: PresetFacts("OpenID Connect", "openid email profile", "groups"),
    # Microsoft's userinfo has no groups; `offline_access` brings the refresh token that brings a new ID token.
    Preset.ENTRA: PresetFacts(
        "Microsoft Entra",
        "openid email profile offline_access",
        "groups",
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        groups_in_id_token=True,
        # The object id, as `sub` is another one for each application.
        scim_claim="oid",
    ),
    Preset.GOOGLE: PresetFacts(
        "Google",
        "openid email profile",
        "groups",
        issuer="https://accounts.google.com",
        has_hosted_domain=True,
    ),
}

# RFC 8176, and Microsoft's own word for it.
_SEVERAL_FACTORS = frozenset({"mfa", "ngcmfa"})
# What one knows, has and is. One alone is a single factor, even if it is a good one.
_FACTORS = (
    frozenset({"kba", "pin", "pwd"}),
    frozenset({"hwk", "otp", "sc", "sms", "swk", "tel"}),
    frozenset({"face", "fpt", "iris", "retina", "vbm"}),
)


def shows_second_factor(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that it has seen two factors of different kinds (`amr`)."""
    methods = claims.get("amr")
    if not isinstance(methods, list):
        return False
    named = {method for method in methods if isinstance(method, str)}
    return bool(named & _SEVERAL_FACTORS) or sum(bool(named & kind) for kind in _FACTORS) > 1


def is_of_domain(claims: Mapping[str, Any], hosted_domain: str | None) -> bool:
    """Whether the account belongs to the organization that alone may come in."""
    claimed = claims.get("hd")
    return hosted_domain is None or (isinstance(claimed, str) and claimed.lower() == hosted_domain.lower())


def extra_parameters(preset: str, hosted_domain: str | None) -> dict[str, str]:
    """What the address of the sign-in at the provider has besides the usual."""
    if preset == Preset.GOOGLE:
        # Google gives a refresh token only when asked like this.
        return {"access_type": "offline", "prompt": "consent"} | (
            {"hd": hosted_domain} if hosted_domain else {}
        )
    return {}
