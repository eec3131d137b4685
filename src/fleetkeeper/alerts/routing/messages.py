"""What people and machines are told of a group of alerts. Pure."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fleetkeeper.alerts.label_texts import text_of_labels
from fleetkeeper.alerts.models import AlertLog
from fleetkeeper.alerts.status import SEVERITIES, Severity
from fleetkeeper.kit.text import spelled_out
from fleetkeeper.notifications.events import Severity as EventSeverity

# Alerts that one message spells out; of the rest it says how many there are.
MOST_IN_TEXT = 20
MOST_IN_PAYLOAD = 200
_NEVER = "0001-01-01T00:00:00Z"
_AS_EVENTS = {
    Severity.INFO: EventSeverity.INFO,
    Severity.WARNING: EventSeverity.WARNING,
    Severity.HIGH: EventSeverity.WARNING,
    Severity.CRITICAL: EventSeverity.CRITICAL,
}


@dataclass(frozen=True)
class Told:
    """A message: its title, its text, how much it matters, and Alertmanager's body (version 4)."""

    title: str
    text: str
    severity: EventSeverity
    payload: Mapping[str, Any]


def message_of(
    firing: Sequence[AlertLog],
    resolved: Sequence[AlertLog],
    *,
    receiver: str,
    group: Mapping[str, str],
    group_key: str,
    origin: str,
) -> Told:
    """What is told of alerts that fire and of those that are over."""
    alerts = [*firing, *resolved]
    worst = max((SEVERITIES.index(Severity(one.severity)) for one in firing), default=0)
    return Told(
        _title(firing, resolved),
        _text(firing, resolved, origin),
        _AS_EVENTS[SEVERITIES[worst]],
        _payload(alerts, bool(firing), receiver, group, group_key, origin),
    )


def _title(firing: Sequence[AlertLog], resolved: Sequence[AlertLog]) -> str:
    if not firing:
        return f"Resolved: {_what(resolved)}"
    more = f"; {len(resolved)} resolved" if resolved else ""
    return f"{Severity(max(firing, key=_rank).severity).capitalize()}: {_what(firing)}{more}"


def _rank(alert: AlertLog) -> int:
    return SEVERITIES.index(Severity(alert.severity))


def _what(alerts: Sequence[AlertLog]) -> str:
    names = list(dict.fromkeys(one.name for one in alerts))
    devices = list(dict.fromkeys(one.device_name for one in alerts if one.device_name))
    what = names[0] if len(names) == 1 else f"{len(alerts)} alerts"
    if not devices:
        return what if len(alerts) == 1 else f"{what} ({len(alerts)})"
    where = devices[0] if len(devices) == 1 else f"{len(devices)} devices"
    return f"{what} on {where}"


def _text(firing: Sequence[AlertLog], resolved: Sequence[AlertLog], origin: str) -> str:
    parts = []
    if firing:
        parts += ["Firing:", *_lines(firing, origin)]
    if resolved:
        parts += ["Resolved:", *_lines(resolved, origin)]
    return "\n".join(parts)


def _lines(alerts: Sequence[AlertLog], origin: str) -> list[str]:
    told = [_line(one, origin) for one in sorted(alerts, key=_rank, reverse=True)[:MOST_IN_TEXT]]
    left = len(alerts) - len(told)
    return [*told, f"… and {left:,} more."] if left else told


def _line(alert: AlertLog, origin: str) -> str:
    where = f" on {spelled_out(alert.device_name)}" if alert.device_name else ""
    summary = alert.annotations.get("summary") or alert.annotations.get("description") or ""
    runbook = alert.annotations.get("runbook_url")
    name = spelled_out(alert.name)
    parts = [f"- {name}{where} ({alert.severity}, since {alert.triggered_at:%Y-%m-%d %H:%M} UTC)"]
    # Indented, so that no text of a rule or a client passes for another alert.
    parts += [f"  {line}" for line in summary.splitlines()]
    if runbook:
        parts.append(f"  Runbook: {spelled_out(runbook)}")
    parts.append(f"  {origin}/alerts/{alert.alert_id}")
    return "\n".join(parts)


def _payload(
    alerts: Sequence[AlertLog],
    fires: bool,
    receiver: str,
    group: Mapping[str, str],
    group_key: str,
    origin: str,
) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": group_key,
        "truncatedAlerts": max(0, len(alerts) - MOST_IN_PAYLOAD),
        "status": "firing" if fires else "resolved",
        "receiver": receiver,
        "groupLabels": dict(group),
        "commonLabels": _common([one.labels for one in alerts]),
        "commonAnnotations": _common([one.annotations for one in alerts]),
        "externalURL": origin,
        "alerts": [_alert(one, origin) for one in alerts[:MOST_IN_PAYLOAD]],
    }


def _alert(alert: AlertLog, origin: str) -> dict[str, Any]:
    ends = alert.resolved_at
    return {
        "status": "firing" if ends is None else "resolved",
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "startsAt": rfc3339(alert.triggered_at),
        "endsAt": _NEVER if ends is None else rfc3339(ends),
        "generatorURL": alert.generator_url or f"{origin}/alerts/{alert.alert_id}",
        "fingerprint": fingerprint_of(alert.labels),
    }


def _common(texts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not texts:
        return {}
    first, *others = texts
    return {name: text for name, text in first.items() if all(one.get(name) == text for one in others)}


def rfc3339(moment: datetime) -> str:
    """A moment as Alertmanager writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def fingerprint_of(labels: Mapping[str, Any]) -> str:
    """The fingerprint of labels: 16 hexadecimal digits, the same for the same labels."""
    told = text_of_labels(labels, "\xff", "\xff")
    return hashlib.blake2b(told.encode(), digest_size=8).hexdigest()
