"""What a rule looks for: one schema for each kind."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, field_validator, model_validator

from fleetkeeper.alerts.matchers import MatcherError, parse_matchers
from fleetkeeper.kit.patterns import shaped
from fleetkeeper.telemetry.promql.errors import BadDataError
from fleetkeeper.telemetry.promql.expressions import kind_of
from fleetkeeper.telemetry.promql.parsing import parse_query

MAX_WINDOW_SECONDS = 7 * 86_400
_METRIC = shaped(r"^[A-Za-z_:][A-Za-z0-9_:.]*$", "be the name of a metric, such as cpu_usage_percent")
MetricName = Annotated[str, Field(min_length=1, max_length=200, pattern=_METRIC)]
_METRIC_NAME: TypeAdapter[str] = TypeAdapter(MetricName)
Seconds = Annotated[int, Field(ge=0, le=31_536_000)]


def checked_matchers(text: str) -> str:
    """The same text. Raises ValueError for one that cannot be read."""
    try:
        parse_matchers(text)
    except MatcherError as error:
        raise ValueError(str(error)) from None
    return text


def checked_expression(text: str) -> str:
    """The same text. Raises ValueError for one that gives no series at an instant."""
    try:
        kind = kind_of(parse_query(text))
    except BadDataError as error:
        raise ValueError(str(error)) from None
    if kind not in {"vector", "scalar"}:
        raise ValueError("Must give an instant vector or a scalar")
    return text


class Reduce(StrEnum):
    """What is compared: the latest value, or what becomes of the values of a window."""

    NEWEST = "newest"
    MEAN = "mean"
    MIN = "min"
    MAX = "max"
    PERCENTILE = "percentile"
    CHANGE = "change"

    @property
    def label(self) -> str:
        """What people choose."""
        return "Latest value" if self is Reduce.NEWEST else self.capitalize()


class Comparison(StrEnum):
    """How a value is compared with a threshold."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    EQUAL = "=="
    UNEQUAL = "!="


class _Condition(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class ThresholdCondition(_Condition):
    """A metric, compared with a number."""

    kind: Literal["threshold"] = "threshold"
    metric: MetricName = Field(description="Metric, such as cpu_usage_percent")
    matchers: str = Field(
        default="", max_length=1000, description='Labels of the series, such as mountpoint!~"/boot.*"'
    )
    reduce: Reduce = Field(
        default=Reduce.NEWEST,
        description="Latest value, or mean, min, max, percentile or change over the window. Change is the "
        "difference between the last and the first value; of a counter, its increase",
    )
    window_seconds: int = Field(default=300, ge=10, le=MAX_WINDOW_SECONDS, description="Window of the values")
    percentile: float = Field(default=95.0, gt=0, lt=100)
    op: Comparison = Field(default=Comparison.ABOVE, description="Comparison of the value with the threshold")
    threshold: float
    recovery: float | None = Field(
        default=None, description="Threshold at which a firing alert is over; null: the same"
    )

    _matchers = field_validator("matchers")(checked_matchers)

    @model_validator(mode="after")
    def _check_recovery(self) -> "ThresholdCondition":
        if self.recovery is None:
            return self
        if self.op in {Comparison.EQUAL, Comparison.UNEQUAL}:
            raise ValueError("a recovery threshold needs one of >, >=, <, <=")
        is_above = self.op in {Comparison.ABOVE, Comparison.AT_LEAST}
        if (self.recovery > self.threshold) if is_above else (self.recovery < self.threshold):
            raise ValueError("the recovery threshold lies on the other side of the threshold")
        return self


class Silent(StrEnum):
    """What can fail to report."""

    DEVICE = "device"
    COLLECTOR = "collector"
    METRIC = "metric"


class NoReportCondition(_Condition):
    """A device that does not report, one of its collectors that does not work, or a metric that no longer comes."""

    kind: Literal["no_report"] = "no_report"
    what: Silent = Silent.DEVICE
    name: str = Field(default="", max_length=200, description="Collector or metric; empty: any collector")
    silence_seconds: int | None = Field(
        default=None, ge=10, le=31_536_000, description="Silence; null: by each device's own rhythm"
    )

    @model_validator(mode="after")
    def _check_name(self) -> "NoReportCondition":
        if self.what is Silent.METRIC:
            if not self.name:
                raise ValueError("name the metric that must come")
            _METRIC_NAME.validate_python(self.name)
        return self


class StateOp(StrEnum):
    """What a state is compared by."""

    IS = "is"
    IS_NOT = "is_not"
    CHANGED = "changed"


class StateCondition(_Condition):
    """A text or truth value that is, is not, or has changed."""

    kind: Literal["state"] = "state"
    metric: MetricName
    matchers: str = Field(default="", max_length=1000)
    op: StateOp = StateOp.IS
    value: str = Field(default="", max_length=200, description="Text, or true or false")
    window_seconds: int = Field(
        default=300, ge=10, le=MAX_WINDOW_SECONDS, description="How long a change counts as new"
    )

    _matchers = field_validator("matchers")(checked_matchers)


class PromqlCondition(_Condition):
    """A PromQL expression: each series of its result is an alert."""

    kind: Literal["promql"] = "promql"
    expr: str = Field(min_length=1, max_length=10_000)

    _expr = field_validator("expr")(checked_expression)


Condition = Annotated[
    ThresholdCondition | NoReportCondition | StateCondition | PromqlCondition, Field(discriminator="kind")
]
