"""What the labels of a posted alert say: whether it can be kept, how bad it is, and which machine it means. Pure."""

import hashlib
from collections.abc import Mapping
from urllib.parse import urlsplit
from uuid import UUID

from fleetkeeper.alerts.engine.texts import ALERTNAME, SEVERITY
from fleetkeeper.alerts.label_texts import text_of_labels
from fleetkeeper.alerts.status import Severity
from fleetkeeper.kit.text import is_storable

MOST_LABELS = 100
LONGEST_NAME = 200
LONGEST_VALUE = 4000
# Of all labels and annotations of an alert: a message of many alerts holds them all.
LONGEST_TEXTS = 16_384
_SEVERITIES = {
    "page": Severity.CRITICAL,
    "emergency": Severity.CRITICAL,
    "fatal": Severity.CRITICAL,
    "error": Severity.HIGH,
    "major": Severity.HIGH,
    "minor": Severity.WARNING,
    "notice": Severity.INFO,
    "none": Severity.INFO,
} | {str(one): one for one in Severity}


def problem_of(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Why an alert cannot be kept; nothing when it can."""
    if not any(labels.values()):
        return "at least one label pair required"
    told = sum(len(name) + len(value) for texts in (labels, annotations) for name, value in texts.items())
    if told > LONGEST_TEXTS:
        return f"labels and annotations together are longer than {LONGEST_TEXTS:,} characters"
    for kind, texts in (("labels", labels), ("annotations", annotations)):
        if len(texts) > MOST_LABELS:
            return f"at most {MOST_LABELS} {kind}"
        for name, value in texts.items():
            if not name or len(name) > LONGEST_NAME or not is_storable(name):
                return f"invalid name in {kind}: {name[:50]!r}"
            if len(value) > LONGEST_VALUE or not is_storable(value):
                return f"invalid value of {name[:50]!r} in {kind}"
    return ""


def fingerprint_of(labels: Mapping[str, str], department_id: UUID | None) -> bytes:
    """What tells an alert from others; the same labels in another department are another alert."""
    own = text_of_labels({name: text for name, text in labels.items() if text})
    told = f"{department_id or ''}\0{own}"
    return hashlib.blake2b(told.encode(), digest_size=16).digest()


def severity_of(labels: Mapping[str, str]) -> Severity:
    """How bad it is; a word that is none of ours counts as a warning."""
    return _SEVERITIES.get(labels.get(SEVERITY, "").lower(), Severity.WARNING)


def name_of(labels: Mapping[str, str]) -> str:
    """What the alert is called."""
    return labels.get(ALERTNAME) or "Alert"


def web_address(text: str) -> str:
    """The same address if a browser may be led there; else nothing: an alert counts without one, too."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in {"http", "https"} and parts.hostname else ""


def host_of(labels: Mapping[str, str]) -> str:
    """The host in `instance`, which is often an address with a port; empty where there is none."""
    try:
        return urlsplit(f"//{labels.get('instance', '')}").hostname or ""
    except ValueError:
        return ""
