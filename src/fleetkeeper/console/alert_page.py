"""The page of one alert: what it is, what can be done, its story, and what changed on its device before."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.alerts.log.schemas import AlertDetail, AlertEventRead, Note
from fleetkeeper.alerts.status import AlertStatus, EventKind, Resolution
from fleetkeeper.console.alert_charts import AFTER, BEFORE, stamp
from fleetkeeper.console.alert_list import HOME, number
from fleetkeeper.console.contexts.panels import Cell, EntryForm, Facts, Option, Row, Table
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.kit.durations import duration_words

_WORDS = {
    EventKind.TRIGGERED: "Fired",
    EventKind.RESOLVED: "Resolved",
    EventKind.ACKNOWLEDGED: "Acknowledged",
    EventKind.UNACKNOWLEDGED: "No longer acknowledged",
    EventKind.SNOOZED: "Snoozed",
    EventKind.UNSNOOZED: "Snooze ended",
    EventKind.ASSIGNED: "Assigned",
    EventKind.COMMENTED: "Comment",
    EventKind.SILENCED: "Silenced",
    EventKind.UNSILENCED: "Silence ended",
    EventKind.FLAPPING: "Fired again (flapping)",
    EventKind.TOLD: "Notified",
    EventKind.ESCALATED: "Escalated",
}
_WHY = {
    Resolution.CLEARED: "The condition is no longer true.",
    Resolution.BY_PERSON: "Manually.",
    Resolution.RULE_CHANGED: "The rule was changed.",
    Resolution.RULE_DELETED: "The rule was deleted.",
    Resolution.RULE_DISABLED: "The rule was disabled.",
    Resolution.EXPIRED: "Its source stopped sending it.",
    Resolution.LIMIT_EXCEEDED: "The rule had more alerts than the limit of its group allows.",
}
_TIMES = {"state": "In this state for", "no_report": "No data for"}
MINUTES = (("60", "1 hour"), ("240", "4 hours"), ("1440", "1 day"), ("10080", "1 week"))
_Minutes = Annotated[int, Field(ge=1, le=525_600)]


class Acknowledgment(BaseModel):
    """That somebody cares for it."""

    model_config = ConfigDict(extra="forbid")

    note: Note = ""


class Acknowledging(Acknowledgment):
    """That somebody cares for it, perhaps only for a while."""

    minutes: _Minutes | None = None


class Snooze(BaseModel):
    """For how long it is left alone."""

    model_config = ConfigDict(extra="forbid")

    minutes: _Minutes = 60
    note: Note = ""


class Comment(BaseModel):
    """Something to remember."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(min_length=1, max_length=2000)]


class Response(BaseModel):
    """What is done about several."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["acknowledge", "assign", "snooze", "resolve", "comment"]
    acknowledged_minutes: _Minutes | None = None
    assignee_id: UUID | None = None
    minutes: _Minutes | None = 60
    note: Note = ""


_NOTE = Widget("Note", kind="area", is_required=False)
_FOR = Widget("For", kind="select")
_UNTIL = Widget("Until", kind="select", is_required=False)
ACKNOWLEDGE = Form(
    Acknowledging,
    "acknowledge",
    "Acknowledge",
    "Acknowledge",
    {"minutes": _UNTIL, "note": _NOTE},
    text="Others see that you are on it. Notifications stop repeating and do not escalate.",
)
SNOOZE = Form(
    Snooze,
    "snooze",
    "Snooze",
    "Snooze",
    {"minutes": _FOR, "note": _NOTE},
    text="No notifications for this long. If it still fires then, you are notified again.",
)
SILENCE = Form(
    Snooze,
    "silence",
    "Silence",
    "Silence",
    {"minutes": _FOR, "note": Widget("Why", kind="area", is_required=False)},
    text="No notifications from this rule on this device, for alerts now and to come.",
)
SILENCE_DEVICE = Form(
    Snooze,
    "silence-device",
    "Silence this device",
    "Silence",
    SILENCE.widgets,
    text="No notifications from this device for this long. Its alerts are still listed.",
)
RESOLVE = Form(
    Acknowledgment,
    "resolve",
    "Resolve",
    "Resolve",
    {"note": _NOTE},
    text="Closes the alert. If the condition is still true, it fires again at the next evaluation.",
    is_danger=True,
)
COMMENT = Form(Comment, "comment", "Add comment", "Add comment", {"note": Widget("Comment", kind="area")})
RESPOND = Form(
    Response,
    "respond",
    "Respond",
    "Apply",
    {
        "act": Widget("What", kind="choice"),
        "acknowledged_minutes": Widget("Until", kind="select", only_if="act=acknowledge", is_required=False),
        "assignee_id": Widget("Assignee", kind="select", only_if="act=assign", is_required=False),
        "minutes": Widget("For", kind="select", only_if="act=snooze"),
        "note": _NOTE,
    },
)
ACTS = [
    Option("acknowledge", "Acknowledge"),
    Option("assign", "Assign"),
    Option("snooze", "Snooze"),
    Option("resolve", "Resolve"),
    Option("comment", "Comment"),
]


def durations() -> list[Option]:
    """How long somebody may look away."""
    return [Option(value, label) for value, label in MINUTES]


def limits() -> list[Option]:
    """For how long an acknowledgment counts."""
    return [Option("", "Resolved"), *(Option(value, f"In {label}") for value, label in MINUTES[:3])]


def act_forms(alert: AlertDetail) -> list[EntryForm | None]:
    """What can be done about it, the most usual first."""
    base, minutes = f"{HOME}/{alert.alert_id}", {"minutes": durations()}
    comment = COMMENT.shown(f"{base}/comment")
    if alert.status == AlertStatus.RESOLVED:
        return [comment]
    is_new = alert.status != AlertStatus.ACKNOWLEDGED
    return [
        ACKNOWLEDGE.shown(f"{base}/acknowledge", options={"minutes": limits()}, is_open=True)
        if is_new
        else None,
        SNOOZE.shown(f"{base}/snooze", options=minutes),
        SILENCE.shown(f"{base}/silence", options=minutes),
        comment,
        RESOLVE.shown(f"{base}/resolve"),
    ]


def facts(alert: AlertDetail, rule: str, kind: str, department: str, assignee: str, override: Cell) -> Facts:
    """What it is; `kind` is that of the rule's condition."""
    pairs = [
        ("Device", Cell(alert.device_name, f"/devices/{alert.system_id}") if alert.system_id else Cell()),
        ("Rule", Cell(rule or alert.name, f"{HOME}/rules/{alert.rule_id}" if alert.rule_id else "")),
        *_values(alert, kind),
        ("Threshold", Cell(number(alert.threshold_value))),
        ("Override", override),
        ("Pending since", _moment(alert.pending_since)),
        ("Firing since", _moment(alert.triggered_at)),
        ("Acknowledged after", Cell(_duration(alert.triggered_at, alert.acknowledged_at))),
        ("Resolved", _moment(alert.resolved_at)),
        ("Resolved after", Cell(_duration(alert.triggered_at, alert.resolved_at))),
        ("Acknowledged until", _moment(alert.acknowledged_until)),
        ("Assignee", Cell(assignee)),
        ("Department", Cell(department)),
        ("Runbook", _link(alert.annotations.get("runbook_url", ""))),
    ]
    annotations = [
        (name.replace("_", " ").capitalize(), Cell(text))
        for name, text in alert.annotations.items()
        if name != "runbook_url"
    ]
    shown = [(title, cell) for title, cell in pairs if cell.text or cell.at]
    return Facts("alert", "Alert", (*annotations, *shown))


def _values(alert: AlertDetail, kind: str) -> list[tuple[str, Cell]]:
    """Its values; where it is about time, they are seconds."""
    if kind in _TIMES and alert.resolved_at is None:
        seconds = alert.actual_value if alert.last_value is None else alert.last_value
        return [
            ("State", Cell(alert.labels.get("state", "") if kind == "state" else "")),
            (_TIMES[kind], Cell(duration_words(round(seconds)) if seconds is not None else "")),
        ]
    if kind in _TIMES:
        return []
    return [
        ("Value when fired", Cell(number(alert.actual_value))),
        ("Latest value", Cell(number(alert.last_value))),
    ]


def labels_of(alert: AlertDetail) -> Facts:
    """Its labels, by which silences and routes know it."""
    return Facts(
        "labels", "Labels", tuple((name, Cell(text, kind="code")) for name, text in alert.labels.items())
    )


def story(events: Sequence[AlertEventRead], names: Mapping[UUID, str]) -> Table:
    """What happened, the newest first; `names` are those of the people to whom it was assigned."""
    rows = tuple(
        Row(
            (
                Cell(at=one.at, kind="time", is_soft=True),
                Cell(_WORDS[one.kind], detail=_assigned(one, names) or _detail(one)),
                Cell(one.actor),
                Cell(one.note),
            )
        )
        for one in reversed(events)
    )
    return Table("story", "What happened", ("When", "What", "Who", "Note"), rows, is_stacked=True)


def chart_links(alert: AlertDetail) -> list[tuple[str, str]]:
    """Where to look at the time of the alert."""
    if alert.system_id is None:
        return []
    end = (alert.resolved_at or alert.triggered_at) + AFTER
    span = {"from": stamp(alert.triggered_at - BEFORE), "to": stamp(end)}
    return [(f"/devices/{alert.system_id}?{urlencode(span)}", "Charts at that time")]


def _assigned(one: AlertEventRead, names: Mapping[UUID, str]) -> str:
    if one.kind is not EventKind.ASSIGNED:
        return ""
    key = one.details.get("assignee")
    return f"To {names.get(UUID(key), 'a deleted user')}." if key else "To nobody."


def _detail(one: AlertEventRead) -> str:
    told = one.details
    match one.kind:
        case EventKind.RESOLVED:
            why = told.get("why", "")
            return _WHY[Resolution(why)] if why in frozenset(Resolution) else ""
        case EventKind.TOLD | EventKind.ESCALATED:
            others = told.get("with", 0)
            more = f" Together with {others} more." if others else ""
            way = f", by the route {told['route']}" if told.get("route") else ""
            who = f"{told['receiver']}{way}." if told.get("receiver") else ""
            if told.get("recipients") == 0:
                who = f"{told['receiver']}{way}, which had no recipients."
            return f"{who} {told.get('why', '')}{more}".strip()
        case EventKind.SILENCED:
            return _silenced_by(told)
        case EventKind.TRIGGERED | EventKind.FLAPPING if told.get("value") is not None:
            limit = f" (threshold {number(told['threshold'])})" if told.get("threshold") is not None else ""
            return f"At {number(told['value'])}{limit}."
        case EventKind.SNOOZED | EventKind.ACKNOWLEDGED if told.get("until"):
            return f"Until {str(told['until'])[:16].replace('T', ' ')} UTC."
        case _:
            return ""


def _silenced_by(told: Mapping[str, Any]) -> str:
    if "alert" in told:
        return "Its device is down, which another alert says."
    return f"By {told['name']}." if told.get("name") else "By a silence that you may not see."


def _moment(at: datetime | None) -> Cell:
    return Cell(at=at, kind="time", style="absolute") if at else Cell()


def _duration(start: datetime, end: datetime | None) -> str:
    if end is None:
        return ""
    seconds = int((end - start).total_seconds())
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            rest = seconds % length // {"d": 3600, "h": 60, "min": 1}[unit]
            smaller = {"d": "h", "h": "min", "min": "s"}[unit]
            return f"{seconds // length} {unit} {rest} {smaller}"
    return f"{seconds} s"


def _link(address: str) -> Cell:
    return Cell(address, address) if address.startswith(("https://", "http://")) else Cell(address)
