"""What a rule looks for, as PromQL where that can say it, else in words. Pure."""

from fleetkeeper.alerts.matchers import LabelMatcher, format_matchers, parse_matchers
from fleetkeeper.alerts.rules.conditions import (
    Condition,
    NoReportCondition,
    PromqlCondition,
    Reduce,
    Silent,
    StateCondition,
    StateOp,
    ThresholdCondition,
)
from fleetkeeper.telemetry.promql.formatting import format_number

_OVER_TIME = {
    Reduce.NEWEST: "last_over_time({})",
    Reduce.MEAN: "avg_over_time({})",
    Reduce.MIN: "min_over_time({})",
    Reduce.MAX: "max_over_time({})",
}


def expression_of(condition: Condition) -> str:
    """The `query` of a rule."""
    match condition:
        case PromqlCondition():
            return condition.expr
        case ThresholdCondition():
            return f"{_reduced(condition)} {condition.op} {format_number(condition.threshold)}"
        case NoReportCondition():
            return _silence(condition)
        case StateCondition():
            return _state(condition)


def _reduced(condition: ThresholdCondition) -> str:
    series = _selector(condition.metric, condition.matchers)
    window = f"{series}[{condition.window_seconds}s]"
    match condition.reduce:
        case Reduce.PERCENTILE:
            return f"quantile_over_time({format_number(condition.percentile / 100)}, {window})"
        case Reduce.CHANGE:
            return f"change of {series} over {condition.window_seconds}s"
        case reduce:
            return _OVER_TIME[reduce].format(window)


def _silence(condition: NoReportCondition) -> str:
    what = {
        Silent.DEVICE: "device",
        Silent.COLLECTOR: f"collector {condition.name}" if condition.name else "collector",
        Silent.METRIC: f"metric {condition.name}",
    }[condition.what]
    since = f" for {condition.silence_seconds}s" if condition.silence_seconds else ""
    return f"no report of {what}{since}"


def _state(condition: StateCondition) -> str:
    series = _selector(condition.metric, condition.matchers)
    if condition.op is StateOp.CHANGED:
        return f"{series} changed within {condition.window_seconds}s"
    told = "is" if condition.op is StateOp.IS else "is not"
    return f"{series} {told} {condition.value}"


def _selector(metric: str, matchers: str) -> str:
    conditions = parse_matchers(matchers)
    if "." in metric:
        return format_matchers([LabelMatcher("__name__", "=", metric), *conditions])
    return metric + (format_matchers(conditions) if conditions else "")
