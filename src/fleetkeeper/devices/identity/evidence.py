"""Normalizes the evidence of who a machine is. Pure."""

import re
from collections.abc import Mapping
from uuid import UUID

# What vendors ship where a serial number or UUID should be; it identifies nobody.
_PLACEHOLDERS = frozenset(
    {
        "none",
        "n/a",
        "default string",
        "default_string",
        "empty",
        "invalid",
        "unknown",
        "o.e.m.",
        "oem",
        "system manufacturer",
        "not available",
        "chassis serial number",
        "base board serial number",
        "0123456789",
        "123456789",
        "1234567890",
        "not specified",
        "not applicable",
        "system serial number",
        "to be filled by o.e.m.",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "03000200-0400-0500-0006-000700080009",
        "00020003-0004-0005-0006-000700080009",
        "12345678-1234-5678-90ab-cddeefaabbcc",
        "fefefefe-fefe-fefe-fefe-fefefefefefe",
    }
)
_KINDS = ("agent_id", "machine_id", "smbios_uuid", "serial", "mac", "fqdn", "hostname")


def normalise_mac(text: str) -> str | None:
    """Twelve hex digits in lower case with colons; None for one that is not, or that names no single machine."""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if len(digits) != 12 or digits in {"000000000000", "ffffffffffff"} or int(digits[:2], 16) & 1:
        return None
    return ":".join(digits[start : start + 2] for start in range(0, 12, 2))


def normalise_evidence(identities: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs of kind and value, placeholders and unknown kinds left out, `mac` split at commas."""
    evidence: list[tuple[str, str]] = []
    for kind in _KINDS:
        text = identities.get(kind, "").replace("\x00", "").strip()
        if kind == "mac":
            found = (normalise_mac(item) for item in text.split(",")[:64])
            evidence += [("mac", item) for item in found if item]
            continue
        value = _normalise(kind, text)[:300]
        if not _names_nobody(value):
            evidence.append((kind, value))
    return evidence


def _normalise(kind: str, text: str) -> str:
    if kind == "smbios_uuid":
        try:
            return str(UUID(text))
        except ValueError:
            return ""
    return text.lower().rstrip(".") if kind in {"fqdn", "hostname"} else text


def _names_nobody(value: str) -> bool:
    """Whether it is a placeholder: known text, or one character over and over."""
    characters = set(value.lower()) - set("-. :_")
    is_repeated = len(characters) < 2 and len(value) > 3
    return value.lower() in _PLACEHOLDERS or not characters - {"0"} or is_repeated
