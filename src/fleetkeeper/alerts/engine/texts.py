"""Labels and annotations of an alert, from the templates of its rule."""

from collections.abc import Callable, Mapping

from fleetkeeper.alerts.models import AlertRule
from fleetkeeper.alerts.templates.effort import Allowance
from fleetkeeper.alerts.templates.errors import TemplateError
from fleetkeeper.alerts.templates.template import parse
from fleetkeeper.alerts.templates.values import Context, Sample, no_query

ALERTNAME = "alertname"
SEVERITY = "severity"
# Gives the samples of a query.
Ask = Callable[[str], list[Sample]]


def rendered_labels(
    rule: AlertRule,
    labels: Mapping[str, str],
    value: float,
    ask: Ask = no_query,
    allowance: Allowance | None = None,
) -> dict[str, str]:
    """The rule's own labels; an empty one takes a label away, as in Prometheus."""
    context = Context(labels=labels, value=value, query=ask, allowance=allowance)
    own = {name: _rendered(str(text), context) for name, text in rule.labels.items()}
    return own | {ALERTNAME: rule.name}


def alert_labels(
    rule: AlertRule,
    labels: Mapping[str, str],
    value: float | None,
    severity: str | None,
    ask: Ask,
    allowance: Allowance | None = None,
) -> dict[str, str]:
    """All labels of an alert."""
    own = rendered_labels(rule, labels, float("nan") if value is None else value, ask, allowance)
    found = {**labels, SEVERITY: severity or rule.severity, **own}
    if severity:
        found[SEVERITY] = severity
    return {name: text for name, text in found.items() if text}


def rendered_annotations(
    rule: AlertRule,
    labels: Mapping[str, str],
    value: float,
    ask: Ask = no_query,
    allowance: Allowance | None = None,
) -> dict[str, str]:
    """What people read of an alert."""
    context = Context(labels=labels, value=value, query=ask, allowance=allowance)
    return {name: _rendered(str(text), context) for name, text in rule.annotations.items()}


def _rendered(text: str, context: Context) -> str:
    """A template filled in; where that fails, the reason, as Prometheus does."""
    if "{{" not in text:
        return text
    try:
        # No text of the database holds a NUL.
        return parse(text).render(context).replace("\0", "")
    except TemplateError as error:
        return f"<error expanding template: {error}>"
