"""Alert rules as people enter them: one flat form, of which each kind of condition uses some fields. Pure."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from fleetkeeper.alerts.rules.conditions import (
    Comparison,
    NoReportCondition,
    PromqlCondition,
    Reduce,
    Silent,
    StateCondition,
    StateOp,
    ThresholdCondition,
)
from fleetkeeper.alerts.rules.schemas import AlertRuleRead, AlertRuleWrite, NoData
from fleetkeeper.alerts.status import Severity
from fleetkeeper.console.contexts.panels import Cell, Option
from fleetkeeper.console.forms.form import Form, Widget
from fleetkeeper.console.panels import at_entries, model_of
from fleetkeeper.errors import FieldError, FleetkeeperError, InvalidInputError
from fleetkeeper.identity.texts import Description, Name
from fleetkeeper.kit.durations import duration_words

_LINE = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*[:=]\s*(.*)")


class RuleKind(StrEnum):
    """What a rule looks for."""

    THRESHOLD = "threshold"
    NO_REPORT = "no_report"
    STATE = "state"
    PROMQL = "promql"


class RuleEntry(BaseModel):
    """A rule, field by field. What is left empty is as the API has it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    description: Description = ""
    enabled: bool = True
    severity: Severity = Severity.WARNING
    kind: RuleKind = RuleKind.THRESHOLD
    metric: str = ""
    matchers: str = Field(default="", max_length=1000)
    reduce: Reduce | None = Reduce.NEWEST
    window_seconds: Annotated[int, Field(ge=10, le=604_800)] | None = 300
    percentile: float | None = 95.0
    op: Comparison | None = Comparison.ABOVE
    threshold: float | None = None
    recovery: float | None = None
    what: Silent | None = Silent.DEVICE
    what_name: str = ""
    silence_seconds: Annotated[int, Field(ge=10, le=31_536_000)] | None = None
    state_op: StateOp | None = StateOp.IS
    state_value: str = ""
    expr: str = Field(default="", max_length=10_000)
    for_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = 300
    keep_firing_seconds: Annotated[int, Field(ge=0, le=31_536_000)] | None = 0
    interval_seconds: Annotated[int, Field(ge=5, le=86_400)] | None = 60
    no_data: NoData | None = NoData.OK
    detects_flapping: bool = True
    quiets_device: bool = False
    summary: str = Field(default="", max_length=4000)
    annotations: str = Field(default="", max_length=10_000)
    labels: str = Field(default="", max_length=10_000)
    runbook_url: str = Field(default="", max_length=2000)
    device_types: str = ""
    tags: str = ""
    excluded_tags: str = ""
    filter: str = Field(default="", max_length=2000)
    department_id: UUID | None = None


def _only(choices: str, label: str, hint: str = "", kind: str = "") -> Widget:
    return Widget(label, hint, kind, only_if=choices, is_required=False)


def _duration(label: str, hint: str = "") -> Widget:
    return Widget(label, hint, kind="duration", is_required=False)


_T, _N, _S, _P = (f"kind={one}" for one in RuleKind)
_WINDOWED = " ".join(f"reduce={one}" for one in Reduce if one is not Reduce.NEWEST) + " state_op=changed"
FORM = Form(
    RuleEntry,
    "rule",
    "Alert rule",
    "Save",
    {
        "name": "Name",
        "description": Widget("Description", kind="area", is_required=False),
        "severity": "Severity",
        "kind": Widget("Condition", kind="choice"),
        "metric": Widget(
            "Metric or state",
            "Type a part of its name, such as cpu or reboot",
            only_if=f"{_T} {_S}",
            is_required=False,
            suggestions="/suggestions/metrics",
        ),
        "matchers": _only(f"{_T} {_S}", "Labels", 'Such as mountpoint="/srv"; empty: all series'),
        "reduce": _only(_T, "Aggregation"),
        "window_seconds": _only(_WINDOWED, "Window", kind="duration"),
        "percentile": _only(f"reduce={Reduce.PERCENTILE}", "Percentile"),
        "op": _only(_T, "Operator"),
        "threshold": _only(_T, "Threshold"),
        "recovery": _only(_T, "Recovery threshold", "Default: the threshold"),
        "what": _only(_N, "Missing"),
        "what_name": _only(
            f"what={Silent.COLLECTOR} what={Silent.METRIC}",
            "Name",
            "A collector or metric; empty: any collector",
        ),
        "silence_seconds": _only(
            _N, "No data for", "Such as 5m; empty: based on each device's interval", kind="duration"
        ),
        "state_op": _only(_S, "State"),
        "state_value": _only(f"state_op={StateOp.IS} state_op={StateOp.IS_NOT}", "Text", "Or true or false"),
        "expr": _only(_P, "Expression", "Each series of the result is an alert", kind="area"),
        "for_seconds": _duration("Pending period"),
        "keep_firing_seconds": _duration("Keep firing for", "After the condition clears, such as 5m"),
        "interval_seconds": _duration("Evaluation interval"),
        "no_data": _only(_T, "If no data"),
        "summary": Widget(
            "Summary", "Such as {{ $labels.instance }} is at {{ $value }}", kind="text", is_required=False
        ),
        "annotations": Widget("Annotations", "One per line, as name: text", kind="area", is_required=False),
        "labels": Widget("Alert labels", "One per line, as name: text", kind="area", is_required=False),
        "runbook_url": Widget("Runbook", "URL of the runbook", kind="text", is_required=False),
        "device_types": Widget("Device types", "Such as server, vm; empty: all", is_required=False),
        "tags": Widget("Tags", "Such as web, production: devices with one of these", is_required=False),
        "excluded_tags": Widget("Excluded tags", "Devices with one of these are left out", is_required=False),
        "filter": Widget(
            "Device filter",
            "Filter the device list, then copy what follows “?” in its address, such as q=web",
            kind="text",
            is_required=False,
        ),
        "department_id": "Department",
        "enabled": "Enabled",
        "detects_flapping": "Detect flapping",
        "quiets_device": "Suppress other alerts of the device while firing",
    },
)


# Fields of the API by the form's.
_FIELDS = {
    "condition.kind": "kind",
    "condition.what": "what",
    "condition.expr": "expr",
    "scope": "filter",
    "scope.filter": "filter",
}
KINDS = (
    Option(RuleKind.THRESHOLD, "Metric threshold"),
    Option(RuleKind.NO_REPORT, "Missing data"),
    Option(RuleKind.STATE, "State"),
    Option(RuleKind.PROMQL, "PromQL expression"),
)


def entered(rule: AlertRuleRead) -> RuleEntry:
    """A rule as its form shows it."""
    values: dict[str, Any] = rule.model_dump(include=set(RuleEntry.model_fields) - {"labels", "annotations"})
    condition = rule.condition
    values["kind"] = condition.kind
    if isinstance(condition, ThresholdCondition):
        values |= condition.model_dump(exclude={"kind"})
    elif isinstance(condition, NoReportCondition):
        values |= {
            "what": condition.what,
            "what_name": condition.name,
            "silence_seconds": condition.silence_seconds,
        }
    elif isinstance(condition, StateCondition):
        values |= condition.model_dump(include={"metric", "matchers", "window_seconds"})
        values |= {"state_op": condition.op, "state_value": condition.value}
    else:
        values["expr"] = condition.expr
    texts = dict(rule.annotations)
    values["summary"] = texts.pop("summary", "")
    values["annotations"], values["labels"] = _lines(texts), _lines(rule.labels)
    values |= {
        "device_types": ", ".join(rule.scope.device_types),
        "tags": ", ".join(rule.scope.tags),
        "excluded_tags": ", ".join(rule.scope.excluded_tags),
        "filter": rule.scope.filter,
    }
    return RuleEntry.model_construct(**values)


def wanted_of(entry: RuleEntry, present: AlertRuleRead | None = None) -> AlertRuleWrite:
    """What the API is asked for. Raises InvalidInputError."""
    annotations = _pairs("annotations", entry.annotations)
    if entry.summary:
        annotations["summary"] = entry.summary
    scope: dict[str, Any] = present.scope.model_dump() if present else {}
    scope |= {
        "device_types": _items(entry.device_types),
        "tags": _items(entry.tags),
        "excluded_tags": _items(entry.excluded_tags),
        "filter": entry.filter,
    }
    same = ("name", "description", "enabled", "severity", "for_seconds", "keep_firing_seconds", "interval_seconds",
            "no_data", "detects_flapping", "quiets_device", "runbook_url", "department_id")  # fmt: skip
    return model_of(
        AlertRuleWrite,
        _some(entry, *same)
        | {
            "condition": _condition(entry),
            "annotations": annotations,
            "labels": _pairs("labels", entry.labels),
            "scope": scope,
        },
    )


_THRESHOLD = ("metric", "matchers", "reduce", "window_seconds", "percentile", "op", "threshold", "recovery")


def _some(entry: RuleEntry, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(entry, name)) is not None}


def _condition(entry: RuleEntry) -> Any:
    match entry.kind:
        case RuleKind.THRESHOLD:
            return model_of(ThresholdCondition, _some(entry, *_THRESHOLD))
        case RuleKind.NO_REPORT:
            told = _some(entry, "what", "silence_seconds") | {"name": entry.what_name}
            return _model_of(NoReportCondition, told, {"name": "what_name"})
        case RuleKind.STATE:
            told = {"op": entry.state_op or StateOp.IS, "value": entry.state_value}
            told |= _some(entry, "metric", "matchers", "window_seconds")
            return _model_of(StateCondition, told, {"op": "state_op", "value": "state_value"})
        case RuleKind.PROMQL:
            return model_of(PromqlCondition, {"expr": entry.expr})


def at_fields(error: FleetkeeperError) -> FleetkeeperError:
    """What the service refuses, at the form's own fields."""
    return at_entries(error, _FIELDS)


def _model_of(model: type[BaseModel], values: Mapping[str, Any], names: Mapping[str, str]) -> BaseModel:
    """The same, with what is wrong at the form's own fields."""
    try:
        return model_of(model, values)
    except InvalidInputError as error:
        raise at_entries(error, names) from None


def condition_words(rule: AlertRuleRead) -> Cell:
    """What it looks for, in one line."""
    condition = rule.condition
    if isinstance(condition, ThresholdCondition):
        value = (
            ""
            if condition.reduce is Reduce.NEWEST
            else f"{condition.reduce} over {duration_words(condition.window_seconds)} of "
        )
        series = f"{condition.metric}{{{condition.matchers}}}" if condition.matchers else condition.metric
        return Cell(f"{value}{series} {condition.op} {condition.threshold:g}", kind="code")
    if isinstance(condition, NoReportCondition):
        what = f"{condition.what} {condition.name}".strip()
        since = f" for {duration_words(condition.silence_seconds)}" if condition.silence_seconds else ""
        return Cell(f"no data from {what}{since}")
    if isinstance(condition, StateCondition):
        series = f"{condition.metric}{{{condition.matchers}}}" if condition.matchers else condition.metric
        return Cell(f"{series} {condition.op.replace('_', ' ')} {condition.value}".strip(), kind="code")
    return Cell(condition.expr, kind="code")


def _items(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _lines(texts: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {text}" for name, text in texts.items())


def _pairs(field: str, text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        pair = _LINE.fullmatch(line)
        if pair is None:
            problem = FieldError(field, f"Write each line as name: text, not {line[:60]!r}")
            raise InvalidInputError("Correct the marked fields.", fields=[problem])
        found[pair[1]] = pair[2]
    return found
