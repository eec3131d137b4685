"""OTLP's JSON as nearly all senders write it, decoded into records that read like the generated classes. Pure.

What is rare (summaries, exponential histograms, exemplars, attributes that are lists or maps, the names that protobuf
gives fields, numbers spelled in other ways) and what is wrong is no business of this file: `decode_usual` gives None
for it, and the generated classes, some ten times slower, have the say.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
# All of them are in the range of 64 bits; longer ones may not be.
_UNSIGNED = re.compile(r"\d{1,19}", re.ASCII)
_SIGNED = re.compile(r"-?[1-9]\d{0,17}|0", re.ASCII)
_TEMPORALITY: dict[int | str, int] = {
    0: 0,
    1: 1,
    2: 2,
    "AGGREGATION_TEMPORALITY_UNSPECIFIED": 0,
    "AGGREGATION_TEMPORALITY_DELTA": 1,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": 2,
}


def _unsigned(value: int | str) -> int:
    if isinstance(value, int):
        if not 0 <= value < 2**64:
            raise ValueError("is no number of 64 bits")
        return value
    if not _UNSIGNED.fullmatch(value):
        raise ValueError("is no usual number")
    return int(value)


def _signed(value: int | str) -> int:
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise ValueError("is no number of 64 bits")
        return value
    if not _SIGNED.fullmatch(value):
        raise ValueError("is no usual number")
    return int(value)


class _Record(Struct, rename="camel", forbid_unknown_fields=True):
    """An object of which every field is known here."""


def _only(named: Iterable[tuple[str, object]]) -> str | None:
    """The name of the field that is there, of those of which at most one may be."""
    there = [name for name, value in named if value is not UNSET]
    if len(there) > 1:
        raise ValueError("has two of which it may have one")
    return there[0] if there else None


class _Value(_Record):
    string_value: str | UnsetType = UNSET
    bool_value: bool | UnsetType = UNSET
    int_value: int | str | UnsetType = UNSET
    double_value: float | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.WhichOneof("value")
        if self.int_value is not UNSET:
            self.int_value = _signed(self.int_value)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - as the generated classes call it
        if self.string_value is not UNSET and self.bool_value is self.int_value is self.double_value is UNSET:
            return "string_value"
        return _only((name, getattr(self, name)) for name in self.__struct_fields__)


class _Attribute(_Record):
    key: str = ""
    value: _Value = msgspec.field(default_factory=_Value)


class _Point(_Record):
    attributes: list[_Attribute] = []
    start_time_unix_nano: int | str = 0
    time_unix_nano: int | str = 0
    flags: _Count = 0

    def __post_init__(self) -> None:
        self.time_unix_nano = _unsigned(self.time_unix_nano)
        _unsigned(self.start_time_unix_nano)


class _NumberPoint(_Point):
    as_double: float | UnsetType = UNSET
    as_int: int | str | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.as_int is not UNSET:
            _only((("as_double", self.as_double), ("as_int", self.as_int)))
            self.as_int = _signed(self.as_int)

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - as the generated classes call it
        if self.as_double is not UNSET:
            return "as_double"
        return "as_int" if self.as_int is not UNSET else None


class _HistogramPoint(_Point):
    count: int | str = 0
    sum: float | UnsetType = UNSET
    bucket_counts: list[int | str] = []
    explicit_bounds: list[float] = []
    min: float | UnsetType = UNSET
    max: float | UnsetType = UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        self.count = _unsigned(self.count)
        self.bucket_counts = [_unsigned(count) for count in self.bucket_counts]

    def HasField(self, name: str) -> bool:  # noqa: N802 - as the generated classes call it
        return getattr(self, name) is not UNSET


class _Gauge(_Record):
    data_points: list[_NumberPoint] = []


class _Sum(_Record):
    data_points: list[_NumberPoint] = []
    aggregation_temporality: int | str = 0
    is_monotonic: bool = False

    def __post_init__(self) -> None:
        self.aggregation_temporality = _temporality(self.aggregation_temporality)


class _Histogram(_Record):
    data_points: list[_HistogramPoint] = []
    aggregation_temporality: int | str = 0

    def __post_init__(self) -> None:
        self.aggregation_temporality = _temporality(self.aggregation_temporality)


def _temporality(value: int | str) -> int:
    if value not in _TEMPORALITY:
        raise ValueError("is no usual temporality")
    return _TEMPORALITY[value]


class _Metric(_Record):
    name: str = ""
    description: str = ""
    unit: str = ""
    gauge: _Gauge | UnsetType = UNSET
    sum: _Sum | UnsetType = UNSET
    histogram: _Histogram | UnsetType = UNSET

    def __post_init__(self) -> None:
        self.WhichOneof("data")

    def WhichOneof(self, _: str) -> str | None:  # noqa: N802 - as the generated classes call it
        return _only((("gauge", self.gauge), ("sum", self.sum), ("histogram", self.histogram)))


class _Scope(_Record):
    name: str = ""
    version: str = ""
    attributes: list[_Attribute] = []
    dropped_attributes_count: _Count = 0


class _ScopeMetrics(_Record):
    scope: _Scope | UnsetType = UNSET
    metrics: list[_Metric] = []
    schema_url: str = ""


class _Resource(_Record):
    attributes: list[_Attribute] = []
    dropped_attributes_count: _Count = 0


class _ResourceMetrics(_Record):
    resource: _Resource = msgspec.field(default_factory=_Resource)
    scope_metrics: list[_ScopeMetrics] = []
    schema_url: str = ""


class _Request(_Record):
    """An `ExportMetricsServiceRequest`."""

    resource_metrics: list[msgspec.Raw] = []


_decoder = msgspec.json.Decoder(_Request)
_resource_decoder = msgspec.json.Decoder(_ResourceMetrics)


def split_usual(body: bytes) -> list[bytes] | None:
    """The resources of a request that has nothing but what is usual outside of them."""
    try:
        return [bytes(raw) for raw in _decoder.decode(body).resource_metrics]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def decode_usual(resource: bytes) -> Any:
    """A resource like the generated class `ResourceMetrics`, if it has nothing but what is usual."""
    try:
        return _resource_decoder.decode(resource)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def has_only_numbers(resource: Any) -> bool:
    """Whether none of a usual resource's metrics is a histogram."""
    return all(metric.histogram is UNSET for scope in resource.scope_metrics for metric in scope.metrics)
