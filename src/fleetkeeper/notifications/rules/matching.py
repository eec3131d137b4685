"""Which rules an event fits. Pure."""

from collections.abc import Collection
from uuid import UUID

from fleetkeeper.notifications.events import EVENTS, SEVERITIES, Severity
from fleetkeeper.notifications.models import NotificationRule


def fits_name(patterns: Collection[str], name: str) -> bool:
    """Whether a name is among some, or begins as one that ends with `*`."""
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern for pattern in patterns
    )


def fits(rule: NotificationRule, name: str, severity: str, departments: Collection[UUID]) -> bool:
    """Whether a rule is for an event; `departments` are the event's own and those above it."""
    return (
        fits_name(_patterns(rule, name), name)
        and SEVERITIES.index(Severity(severity)) >= SEVERITIES.index(Severity(rule.minimum_severity))
        and (rule.department_id is None or rule.department_id in departments)
    )


def _patterns(rule: NotificationRule, name: str) -> Collection[str]:
    """A rule for everything does not mean what is told only to those who name it."""
    kind = EVENTS.get(name)
    return (
        [one for one in rule.events if one != "*"] if kind is not None and kind.by_name_only else rule.events
    )
