"""Alerts as lists and pages show them. Pure."""

from fleetkeeper.alerts.log.queries import LISTING
from fleetkeeper.alerts.log.schemas import AlertRead
from fleetkeeper.alerts.status import ALERTS, SEVERITY_TONES, AlertStatus, Severity
from fleetkeeper.console.contexts.lists import BulkAction, Empty
from fleetkeeper.console.contexts.panels import Cell, RowAction, Tag
from fleetkeeper.console.forms.schema_fields import words_of
from fleetkeeper.console.lists.declaring import Choice, Column, ListPage, QuickFilter
from fleetkeeper.identity.actor import Actor
from fleetkeeper.identity.permissions import Permission

HOME = "/alerts"
# What needs somebody: everything that is not over.
_OPEN = (("resolved_at__isnull", "true"),)
_STATUSES = (
    *(Choice(one, words_of(one)) for one in AlertStatus),
    Choice("all", "All", means=()),
)


def alert_list(actor: Actor) -> ListPage[AlertRead]:
    """The list, with what the reader may do."""
    may_respond = actor.may(Permission.ALERTS_RESPOND)

    def actions(one: AlertRead) -> tuple[RowAction, ...]:
        if not may_respond or one.status != AlertStatus.FIRING:
            return ()
        question = f"Acknowledge {one.name}? Notifications stop repeating and do not escalate."
        return (RowAction("Acknowledge", f"{HOME}/{one.alert_id}/acknowledge", question, is_danger=False),)

    return ListPage(
        path=HOME,
        title="Alerts",
        noun=("alert", "alerts"),
        listing=LISTING,
        search="Rule, device or metric",
        quick=(
            QuickFilter("status", "Status", _STATUSES, everything="Open", is_chips=True, otherwise=_OPEN),
            QuickFilter(
                "severity",
                "Severity",
                tuple(Choice(one, words_of(one)) for one in Severity),
                everything="All severities",
            ),
        ),
        columns=(
            Column("name", "Alert", _name, sort="name"),
            Column("severity", "Severity", severity_cell, sort="severity"),
            Column("device_name", "Device", _device, sort="device_name"),
            Column("status", "Status", _status, sort="status"),
            Column("triggered_at", "Since", _since, sort="triggered_at", falls_first=True),
            Column("last_value", "Value", _value, field="last_value", css="is-minor"),
            Column("resolved_at", "Resolved", _resolved, sort="resolved_at", is_extra=True),
            Column(
                "metric_name", "Metric", lambda one: Cell(one.metric_name), sort="metric_name", is_extra=True
            ),
        ),
        actions=actions,
        bulk=(BulkAction("Respond to selected"),) if may_respond else (),
        export="/api/v1/alerts/export",
        refresh_seconds=10,
        empty=Empty(
            "No alerts",
            "Nothing is firing. Alert rules say what is watched.",
            action=(f"{HOME}/rules", "View rules"),
            narrowed="Try fewer filters, or choose “All”.",
        ),
        titles={
            "system_id": "Device ID",
            "rule_id": "Rule ID",
            "department_id": "Department ID",
            "is_flapping": "Flapping",
            "is_acknowledged": "Acknowledged",
            "assignee_id": "Assignee ID",
            "alert_id": "Number",
        },
    )


def severity_cell(one: AlertRead) -> Cell:
    """How bad it is, as a word in a frame."""
    return Cell(tags=(Tag(words_of(one.severity), SEVERITY_TONES[one.severity]),))


def status_tags(one: AlertRead) -> tuple[Tag, ...]:
    """What is done about it, and what quiets it."""
    tags = [Tag(words_of(one.status), ALERTS.tones[one.status])]
    quiet = one.suppressed_by or {}
    if quiet.get("silences"):
        tags.append(Tag("Silenced"))
    if quiet.get("alert"):
        tags.append(
            Tag(
                "Device is down",
                hint="Its device is down, which another alert says; nobody is notified of this one",
            )
        )
    if one.is_flapping:
        tags.append(
            Tag(
                "Flapping",
                "warning",
                "It fires again and again; it stays open until it has been quiet for ten minutes",
            )
        )
    return tuple(tags)


def number(value: float | None) -> str:
    """A value as people read it."""
    return "" if value is None else f"{value:,.4g}" if abs(value) < 1e6 else f"{value:.3e}"


def _name(one: AlertRead) -> Cell:
    return Cell(one.name, f"{HOME}/{one.alert_id}", detail=one.annotations.get("summary", "")[:200])


def _device(one: AlertRead) -> Cell:
    return Cell(one.device_name, f"/devices/{one.system_id}" if one.system_id else "")


def _status(one: AlertRead) -> Cell:
    return Cell(tags=status_tags(one))


def _since(one: AlertRead) -> Cell:
    return Cell(at=one.triggered_at, kind="time", is_soft=True)


def _resolved(one: AlertRead) -> Cell:
    return Cell(at=one.resolved_at, kind="time", is_soft=True) if one.resolved_at else Cell()


def _value(one: AlertRead) -> Cell:
    value = number(one.actual_value if one.last_value is None else one.last_value)
    limit = number(one.threshold_value)
    return Cell(value, detail=f"threshold {limit}" if limit else "")
