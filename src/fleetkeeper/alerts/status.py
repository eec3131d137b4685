"""The states of an alert, once it has fired, and of what a rule sees."""

from enum import StrEnum

from fleetkeeper.kit.status import Machine


class Severity(StrEnum):
    """How bad it is, least first."""

    INFO = "info"
    WARNING = "warning"
    HIGH = "high"
    CRITICAL = "critical"


SEVERITIES = tuple(Severity)
SEVERITY_TONES = {
    Severity.INFO: "",
    Severity.WARNING: "warning",
    Severity.HIGH: "warning",
    Severity.CRITICAL: "bad",
}


class AlertStatus(StrEnum):
    """What is done about an alert."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


ALERTS = Machine(
    "alert",
    moves={
        AlertStatus.FIRING: frozenset({AlertStatus.ACKNOWLEDGED, AlertStatus.SNOOZED, AlertStatus.RESOLVED}),
        AlertStatus.ACKNOWLEDGED: frozenset({AlertStatus.FIRING, AlertStatus.SNOOZED, AlertStatus.RESOLVED}),
        AlertStatus.SNOOZED: frozenset({AlertStatus.FIRING, AlertStatus.ACKNOWLEDGED, AlertStatus.RESOLVED}),
        AlertStatus.RESOLVED: frozenset(),
    },
    tones={
        AlertStatus.FIRING: "bad",
        AlertStatus.ACKNOWLEDGED: "warning",
        AlertStatus.SNOOZED: "",
        AlertStatus.RESOLVED: "good",
    },
)


class Resolution(StrEnum):
    """Why an alert is over."""

    CLEARED = "cleared"
    BY_PERSON = "person"
    RULE_CHANGED = "rule_changed"
    RULE_DELETED = "rule_deleted"
    RULE_DISABLED = "rule_disabled"
    EXPIRED = "expired"
    LIMIT_EXCEEDED = "limit_exceeded"


class EventKind(StrEnum):
    """What can happen to an alert."""

    TRIGGERED = "triggered"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"
    SNOOZED = "snoozed"
    UNSNOOZED = "unsnoozed"
    ASSIGNED = "assigned"
    COMMENTED = "commented"
    SILENCED = "silenced"
    UNSILENCED = "unsilenced"
    FLAPPING = "flapping"
    TOLD = "told"
    ESCALATED = "escalated"
