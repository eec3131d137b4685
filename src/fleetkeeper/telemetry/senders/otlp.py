"""OTLP/HTTP metrics: `ExportMetricsServiceRequest`, in protobuf or JSON, as series that Prometheus would have of it.

https://opentelemetry.io/docs/specs/otlp/ and, for names and labels,
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ . Sums and histograms with delta
temporality are stored as they are sent, as gauges without `_total`: `sum_over_time` adds them up.
"""

import base64
import json
import struct
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags

from fleetkeeper.telemetry.senders import otlp_json_runs, otlp_runs
from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
    Columns,
    Meaning,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    TooManyError,
)
from fleetkeeper.telemetry.senders.metric_names import label_name, otlp_metric_name, unit_words
from fleetkeeper.telemetry.senders.otlp_json import decode_usual, has_only_numbers, split_usual
from fleetkeeper.telemetry.senders.otlp_json_runs import CutResource, JsonRun
from fleetkeeper.telemetry.senders.otlp_runs import OtlpRun, resources_of

# Prometheus' marker for a series that has ended.
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0_0000_0000_0002))[0]
MAX_ATTRIBUTES = 100
MAX_BUCKETS = 1000
# The classes need about forty times the bytes of a message of nothing but empty parts.
MAX_BODY_BYTES = 8 * 1024 * 1024
# Where they are not as usual, Python reads some 100,000 of them in a second.
MAX_JSON_OBJECTS = 300_000
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_SERVICE = ("service.name", "service.namespace", "service.instance.id")


def read_protobuf(body: bytes, known: SeriesCache, *, max_samples: int) -> SampleBatch:
    """Read a request in protobuf. Raises SenderInputError."""
    _check_size(body)
    reader = _Reader(known, max_samples)
    try:
        resources = list(resources_of(body))
    except SenderInputError:
        # The generated classes know what it is, or say what is wrong.
        resources = []
        reader.read(_parsed(body))
    for key, message in resources:
        reader.read_message(key, message)
    return reader.batch()


def _parsed(body: bytes) -> Any:
    request = ExportMetricsServiceRequest()
    try:
        request.ParseFromString(body)
    except (DecodeError, UnicodeDecodeError) as error:
        raise SenderInputError(f"the body is no ExportMetricsServiceRequest: {str(error)[:200]}") from None
    return request


def read_json(body: bytes, known: SeriesCache, *, max_samples: int) -> SampleBatch:
    """Read a request in JSON. Raises SenderInputError."""
    _check_size(body)
    if not body.lstrip().startswith(b"{"):
        raise SenderInputError("the body is no ExportMetricsServiceRequest: it is no JSON object")
    if body.count(b"{") > MAX_JSON_OBJECTS:
        raise TooManyError(f"an OTLP request in JSON has at most {MAX_JSON_OBJECTS} objects")
    reader = _Reader(known, max_samples)
    resources = split_usual(body)
    try:
        if resources is not None and all(map(reader.read_usual_json, resources)):
            return reader.batch()
    except TooManyError:
        raise
    except SenderInputError:
        # Of several faults the generated classes name theirs first.
        pass
    request = ExportMetricsServiceRequest()
    try:
        json_format.Parse(body, request, ignore_unknown_fields=True, max_recursion_depth=50)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError, ValueError, TypeError) as error:
        raise SenderInputError(f"the body is no ExportMetricsServiceRequest: {str(error)[:200]}") from None
    reader = _Reader(known, max_samples)
    reader.read(request)
    return reader.batch()


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise TooManyError(f"an OTLP request has at most {MAX_BODY_BYTES} bytes once decompressed")


class _Reader:
    def __init__(self, known: SeriesCache, max_samples: int) -> None:
        self._known = known
        self._found: dict[Hashable, Series] = {}
        self._columns = Columns()
        self._max_samples = max_samples
        self._meanings: dict[str, Meaning] = {}
        self._origin: dict[str, str] = {}
        self._base: dict[str, str] = {}
        self._resource_key = ""
        self._parts = 0
        self._without_time = 0
        self._without_data = 0
        self._runs: dict[Hashable, Any] = {}

    def read(self, request: Any) -> None:
        """All resources of a request."""
        for resource_metrics in request.resource_metrics:
            self.read_resource(resource_metrics)

    def read_resource(self, resource_metrics: Any) -> None:
        """All metrics of a resource."""
        self.count_part()
        self.enter_resource(resource_metrics.resource.attributes)
        for scope_metrics in resource_metrics.scope_metrics:
            self.count_part()
            for metric in scope_metrics.metrics:
                self.read_metric(metric)

    def read_usual_json(self, resource: bytes) -> bool:
        """One resource in JSON, perhaps as it came before; returns whether it was a usual one."""
        cut = CutResource.of(resource)
        run: JsonRun | None = self._known.runs.get(cut.key) or self._runs.get(cut.key)
        if run is not None and run.meanings is not None:
            samples = run.read(cut.numbers)
            if samples is not None:
                self._take(run, run.meanings, run.parts, samples)
                return True
        usual = decode_usual(resource)
        if usual is None:
            return False
        columns, first, parts = self._columns, len(self._columns.series), self._parts
        meanings, self._meanings = self._meanings, {}
        self.read_resource(usual)
        if run is None:
            self._runs[cut.key] = otlp_json_runs.SEEN
        elif run is not otlp_json_runs.UNUSUAL:
            learned = None
            if has_only_numbers(usual):
                samples = columns.times_us[first:], columns.values[first:]
                learned = otlp_json_runs.learn(
                    cut, columns.series[first:], samples, self._meanings, self._parts - parts
                )
            self._runs[cut.key] = learned or otlp_json_runs.UNUSUAL
        self._meanings = meanings | self._meanings
        return True

    def _take(
        self,
        run: OtlpRun | JsonRun,
        meanings: Mapping[str, Meaning],
        parts: int,
        samples: tuple[list[int], list[float]],
    ) -> None:
        """What came as before."""
        self.count_part(parts)
        self._meanings |= meanings
        self._columns.add_run(run.series, *samples)
        self._check_number()

    def read_message(self, key: bytes, message: bytes) -> None:
        """One resource in protobuf, perhaps as it came before. Raises SenderInputError."""
        run: OtlpRun | None = self._known.runs.get(key) or self._runs.get(key)
        if run is not None and run.numbers is not None and run.meanings is not None:
            samples = run.read(message)
            if samples is not None:
                self._take(run, run.meanings, run.numbers.parts, samples)
                return
        request = ExportMetricsServiceRequest()
        try:
            request.resource_metrics.add().ParseFromString(message)
        except (DecodeError, UnicodeDecodeError) as error:
            raise SenderInputError(
                f"the body is no ExportMetricsServiceRequest: {str(error)[:200]}"
            ) from None
        first, meanings = len(self._columns.series), self._meanings
        self._meanings = {}
        self.read(request)
        # What comes once is not learned: that would take as long again as reading it.
        if run is None:
            self._runs[key] = otlp_runs.SEEN
        elif run is not otlp_runs.UNUSUAL:
            series = self._columns.series[first:]
            self._runs[key] = otlp_runs.learn(message, series, self._meanings) or otlp_runs.UNUSUAL
        self._meanings = meanings | self._meanings

    def _check_number(self) -> None:
        if len(self._columns.series) > self._max_samples:
            raise TooManyError(f"one request has at most {self._max_samples} samples")

    def count_part(self, number: int = 1) -> None:
        """Empty resources, scopes and metrics cost time as well."""
        self._parts += number
        if self._parts > self._max_samples:
            raise TooManyError(f"one request has at most {self._max_samples} resources, scopes and metrics")

    def enter_resource(self, attributes: Any) -> None:
        """What follows is measured by this resource."""
        self._origin = _attributes(attributes)
        name, namespace, instance = (self._origin.get(key, "") for key in _SERVICE)
        self._base = {}
        if name:
            self._base["job"] = f"{namespace}/{name}" if namespace else name
        if instance:
            self._base["instance"] = instance
        # A text, as it remembers its hash.
        self._resource_key = repr(sorted(self._origin.items()))

    def read_metric(self, metric: Any) -> None:
        """All points of one metric."""
        self.count_part()
        kind = metric.WhichOneof("data")
        if kind is None:
            self._without_data += 1
            return
        data = getattr(metric, kind)
        is_delta = kind in {"sum", "histogram", "exponential_histogram"} and (
            data.aggregation_temporality == _DELTA
        )
        is_counter = kind == "sum" and data.is_monotonic and not is_delta
        name = otlp_metric_name(
            metric.name[:300], metric.unit[:63], is_counter=is_counter, is_gauge=kind == "gauge"
        )
        self._describe(name, metric, kind, is_counter=is_counter, is_delta=is_delta)
        is_number = kind in {"gauge", "sum"}
        for point in data.data_points:
            if not point.time_unix_nano:
                self._without_time += 1
                continue
            time_us = min(point.time_unix_nano // 1000, MAX_MICROSECONDS)
            attributes = _pairs(point.attributes) if point.attributes else ()
            is_stale = bool(point.flags & _NO_VALUE)
            if is_number and not is_stale:
                which = point.WhichOneof("value")
                if which is not None:
                    self._add(name, attributes, "", time_us, float(getattr(point, which)))
                continue
            for suffix, more, value in _POINTS[kind](point):
                self._add(name + suffix, attributes, more, time_us, STALE if is_stale else value)
        self._check_number()

    def _describe(self, name: str, metric: Any, kind: str, *, is_counter: bool, is_delta: bool) -> None:
        unit, text = unit_words(metric.unit[:63]), metric.description[:1000]
        if kind in {"gauge", "sum", "summary"}:
            self._meanings[name] = Meaning(unit, "counter" if is_counter else "gauge", text)
        if kind not in {"gauge", "sum"}:
            for suffix, words in (("_bucket", ""), ("_count", ""), ("_sum", unit)):
                self._meanings[name + suffix] = Meaning(words, "gauge" if is_delta else "counter", text)

    def _add(
        self, name: str, attributes: tuple[tuple[str, str], ...], more: str, time_us: int, value: float
    ) -> None:
        key = (self._resource_key, name, attributes, more)
        series = self._known.get(key) or self._found.get(key)
        if series is None:
            series = self._found[key] = self._series(name, attributes, more)
        self._columns.add(series, time_us, value)

    def _series(self, name: str, attributes: Iterable[tuple[str, str]], more: str) -> Series:
        labels: dict[str, str] = {}
        for key, value in attributes:
            label = label_name(key)
            # Two attributes whose names become one: the specification joins their values.
            labels[label] = f"{labels[label]};{value}" if label in labels else value
        labels |= self._base
        labels["__name__"] = name
        if more:
            label, _, value = more.partition("=")
            labels[label] = value
        return Series(labels, self._origin)

    def batch(self) -> SampleBatch:
        """What was read."""
        batch = self._columns.batch()
        batch.found, batch.meanings, batch.runs = self._found, self._meanings, dict(self._runs)
        batch.leave_out("no_time", self._without_time, "a data point has no time_unix_nano")
        batch.leave_out("no_data", self._without_data, "a metric has no data of a known kind")
        return batch


# What a kind of point becomes: suffix of the name, a label of its own as `name=value`, and the value.
Parts = Iterable[tuple[str, str, float]]


def _number_parts(_: Any) -> Parts:
    """Of a point that says that there is no value."""
    yield "", "", STALE


def _histogram_parts(point: Any) -> Parts:
    bounds, counts = point.explicit_bounds, point.bucket_counts
    if len(bounds) > MAX_BUCKETS:
        raise TooManyError(f"a histogram has at most {MAX_BUCKETS} buckets")
    if counts and len(counts) != len(bounds) + 1:
        raise SenderInputError("a histogram has not one bucket more than bounds")
    if counts:
        running = 0
        for bound, count in zip(bounds, counts, strict=False):
            running += count
            yield "_bucket", f"le={_decimal(bound)}", float(running)
    yield "_bucket", "le=+Inf", float(point.count)
    yield from _totals(point)


def _totals(point: Any) -> Parts:
    yield "_count", "", float(point.count)
    if point.HasField("sum"):
        yield "_sum", "", point.sum


def _summary_parts(point: Any) -> Parts:
    if len(point.quantile_values) > MAX_BUCKETS:
        raise TooManyError(f"a summary has at most {MAX_BUCKETS} quantiles")
    for item in point.quantile_values:
        yield "", f"quantile={_decimal(item.quantile)}", item.value
    yield "_count", "", float(point.count)
    yield "_sum", "", point.sum


_POINTS: Mapping[str, Any] = {
    "gauge": _number_parts,
    "sum": _number_parts,
    "histogram": _histogram_parts,
    "exponential_histogram": _totals,
    "summary": _summary_parts,
}


def _decimal(number: float) -> str:
    """A bound as Prometheus writes it: no exponent, no needless zeros."""
    if not np.isfinite(number):
        return "+Inf" if number > 0 else ("-Inf" if number < 0 else "NaN")
    return str(np.format_float_positional(number, trim="-"))


def _pairs(attributes: Any) -> tuple[tuple[str, str], ...]:
    if len(attributes) > MAX_ATTRIBUTES:
        raise TooManyError(f"a resource or data point has at most {MAX_ATTRIBUTES} attributes")
    return tuple(sorted([(item.key, _text(item.value)) for item in attributes]))


def _attributes(attributes: Any) -> dict[str, str]:
    return dict(_pairs(attributes))


def _text(value: Any) -> str:
    kind = value.WhichOneof("value")
    if kind == "string_value":
        return str(value.string_value)
    plain = _plain(value)
    if isinstance(plain, str):
        return plain
    return json.dumps(plain, separators=(",", ":"), ensure_ascii=False)


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind is None:
        return ""
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {item.key: _plain(item.value) for item in value.kvlist_value.values}
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return getattr(value, kind)
