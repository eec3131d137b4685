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
    # With `{tenant}` where the organisation's own part goes; None where it can be anything.
    issuer: str | None = None
    has_hosted_domain: bool = False
    # Whether the userinfo endpoint never tells groups, so that only a new ID token does.
    groups_in_id_token: bool = False


PRESETS: Mapping[Preset, PresetFacts] = {
    Preset.GENERIC: PresetFacts("OpenID Connect", "openid email profile", "groups"),
    # Microsoft's userinfo has no groups; `offline_access` brings the refresh token that brings a new ID token.
    Preset.ENTRA: PresetFacts(
        "Microsoft Entra",
        "openid email profile offline_access",
        "groups",
        issuer="https://login.microsoftonline.com/{tenant}/v2.0",
        groups_in_id_token=True,
    ),
    Preset.GOOGLE: PresetFacts(
        "Google",
        "openid email profile",
        "groups",
        issuer="https://accounts.google.com",
        has_hosted_domain=True,
    ),
}

# RFC 8176, and what Microsoft says of a second factor.
_STRONG_METHODS = frozenset({"fpt", "hwk", "iris", "mca", "mfa", "ngcmfa", "otp", "retina", "sc", "swk"})


def shows_second_factor(claims: Mapping[str, Any]) -> bool:
    """Whether the provider says that it has seen more than a password (`amr`)."""
    methods = claims.get("amr")
    return isinstance(methods, list) and any(
        isinstance(method, str) and method in _STRONG_METHODS for method in methods
    )


def is_of_domain(claims: Mapping[str, Any], hosted_domain: str | None) -> bool:
    """Whether the account belongs to the organisation that alone may come in."""
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
