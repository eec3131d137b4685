"""What is different between two versions of a rule, in words. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from fleetkeeper.kit.durations import duration_words

_LABELS = {
    "for_seconds": "Pending period",
    "keep_firing_seconds": "Keep firing for",
    "interval_seconds": "Evaluation interval",
    "no_data": "If no data",
    "detects_flapping": "Detect flapping",
    "quiets_device": "Suppress other alerts of the device",
    "runbook_url": "Runbook",
    "expr": "Expression",
    "matchers": "Labels of series",
    "op": "Operator",
    "reduce": "Aggregation",
    "window_seconds": "Window",
    "silence_seconds": "Silence",
    "labels": "Alert labels",
    "department_id": "Department",
    "query_offset_ms": "Query offset",
    "series_limit": "Limit",
}
_NESTED = ("condition", "scope", "labels", "annotations")
_LONGEST = 120


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """A sentence for each field that differs, such as `Threshold: 90 → 95`."""
    return list(_differences(before, after, ""))


def _differences(before: Mapping[str, Any], after: Mapping[str, Any], above: str) -> Iterator[str]:
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name in _NESTED and not above and isinstance(old, dict) and isinstance(new, dict):
            own = name if name in {"labels", "annotations"} else ""
            yield from _differences(old, new, own or name)
            continue
        label = f"{above.capitalize()[:-1]} {name}" if above in {"labels", "annotations"} else _label(name)
        yield f"{label}: {_shown(name, old)} → {_shown(name, new)}"


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def _shown(name: str, value: Any) -> str:
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_seconds") and isinstance(value, int):
        return duration_words(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
