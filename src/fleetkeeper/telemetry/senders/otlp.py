"""OTLP/HTTP metrics: `ExportMetricsServiceRequest`, in protobuf or JSON, as series that Prometheus would have of it.

https://opentelemetry.io/docs/specs/otlp/ and, for names and labels,
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ . Sums and histograms with delta
temporality are stored as they are sent, as gauges without `_total`: `sum_over_time` adds them up.
"""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from msgspec import UNSET
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags

from fleetkeeper.telemetry.promql.samples import STALE
from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders import otlp_json_runs, otlp_runs
from fleetkeeper.telemetry.senders.batches import (
    MAX_MICROSECONDS,
    Columns,
    Meaning,
    PartError,
    SampleBatch,
    SenderInputError,
    Series,
    SeriesCache,
    TooManyError,
)
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.metric_names import escaped, otlp_metric_name, sent_as, unit_words
from fleetkeeper.telemetry.senders.otlp_identity import (
    NOTHING,
    labels_of_point,
    labels_of_resource,
    labels_of_scope,
)
from fleetkeeper.telemetry.senders.otlp_json import decode_usual, has_only_numbers, split_usual
from fleetkeeper.telemetry.senders.otlp_json_runs import CutResource, JsonRun
from fleetkeeper.telemetry.senders.otlp_pieces import PARTS, pieces_of
from fleetkeeper.telemetry.senders.otlp_points import MAX_RESOURCE_ATTRIBUTES, POINTS, pairs_of, texts_of
from fleetkeeper.telemetry.senders.otlp_runs import OtlpRun, resources_of
from fleetkeeper.telemetry.senders.otlp_salvage import Salvage

MAX_BODY_BYTES = 8 * 1024 * 1024
# Where they are not as usual, Python reads some 100,000 of them in a second.
MAX_JSON_OBJECTS, MAX_JSON_VALUES = 300_000, 1_000_000
# Larger ones are looked at part by part, with a look at the clock before each.
MAX_WHOLE_JSON_BYTES = 256 * 1024
# Kinds whose points become several series: their names are made from the metric's.
_PARTED = {"histogram": " histogram", "exponential_histogram": " histogram", "summary": " summary"}
_NO_TIME = PartError(Reason.NO_TIME, "a data point has no time_unix_nano")
_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_NO_VALUE = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK


def read_protobuf(body: bytes, known: SeriesCache, effort: Effort) -> SampleBatch:
    """Read a request in protobuf. Raises SenderInputError."""
    _check_size(body)
    reader = _Reader(known, effort)
    for key, message in list(effort.counted(resources_of(body, effort), PARTS)):
        reader.read_message(key, message)
    return reader.batch()


def read_json(body: bytes, known: SeriesCache, effort: Effort) -> SampleBatch:
    """Read a request in JSON. Raises SenderInputError."""
    _check_size(body)
    if not body.lstrip().startswith(b"{"):
        raise SenderInputError("the body is no ExportMetricsServiceRequest: it is no JSON object")
    effort.check_json(body, max_objects=MAX_JSON_OBJECTS, max_values=MAX_JSON_VALUES)
    reader = _Reader(known, effort)
    resources = split_usual(body)
    if resources is not None and all(map(reader.read_usual_json, resources)):
        return reader.batch()
    reader = _Reader(known, effort)
    salvage = Salvage(effort, in_parts=len(body) > MAX_WHOLE_JSON_BYTES)
    for document in _resources_in(body):
        resource_metrics = salvage.resource_of_json(document)
        if resource_metrics is not None:
            reader.read_resource(resource_metrics)
    reader.note_salvage(salvage)
    return reader.batch()


def _resources_in(body: bytes) -> list[Any]:
    """The resources of a request in JSON, as they came. Raises SenderInputError where there is no list of them."""
    problem = "resourceMetrics is no list"
    found: Any = None
    try:
        document = json.loads(body)
        found = document.get("resourceMetrics", document.get("resource_metrics"))
        found = [] if found is None else found
    except (ValueError, RecursionError) as error:
        problem = str(error)
    if not isinstance(found, list):
        raise SenderInputError(f"the body is no ExportMetricsServiceRequest: {problem[:200]}")
    return found


def _check_size(body: bytes) -> None:
    if len(body) > MAX_BODY_BYTES:
        raise TooManyError(f"an OTLP request has at most {MAX_BODY_BYTES} bytes once decompressed")


class _Reader:
    def __init__(self, known: SeriesCache, effort: Effort) -> None:
        self._known = known
        self._found: dict[Hashable, Series] = {}
        self._columns = Columns()
        self._effort = effort
        self._meanings: dict[str, Meaning] = {}
        self._origin: dict[str, str] = {}
        self._base = NOTHING
        self._resource_key = ""
        self._parts = self._points_seen = 0
        self._scope = NOTHING
        # What the metric is called before its name is mapped.
        self._name = ""
        # What a point's series is recognized by, with its name and attributes.
        self._key = ""
        # Why no point of the resource or scope can be read.
        self._problem: PartError | None = None
        self._left_out: Counter[Reason] = Counter()
        self._sentences: dict[Reason, str] = {}
        self._examples: dict[Reason, str] = {}
        self._runs: dict[Hashable, Any] = {}
        self._points: list[tuple[int, int]] = []

    def leave_out(self, reason: Reason, number: int = 1, sentence: str = "", name: str = "") -> None:
        """Count points that are not stored; of each reason the first sentence stays, and the first metric's name."""
        self._left_out[reason] += number
        self._examples.setdefault(reason, name)
        self._sentences.setdefault(reason, sentence or reason.sentence)

    def note_salvage(self, salvage: Salvage) -> None:
        """Count what could not be read."""
        if salvage.points:
            self._count_points(salvage.points)
            self.leave_out(Reason.BAD_POINT, salvage.points, salvage.problem, salvage.metric)

    def read_resource(self, resource_metrics: Any) -> None:
        """All metrics of a resource."""
        self.count_part()
        self._problem = None
        self.enter_resource(resource_metrics.resource.attributes)
        problem = self._problem
        for scope_metrics in resource_metrics.scope_metrics:
            self.count_part()
            self._problem = problem
            self.enter_scope(scope_metrics.scope)
            for metric in scope_metrics.metrics:
                self.read_metric(metric)

    def read_usual_json(self, resource: bytes) -> bool:
        """One resource in JSON, perhaps as it came before; returns whether it was a usual one."""
        self._effort.check()
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
        left_out = self._left_out.total()
        meanings, self._meanings = self._meanings, {}
        self.read_resource(usual)
        if run is None:
            self._runs[cut.key] = otlp_json_runs.SEEN
        elif run is not otlp_json_runs.UNUSUAL:
            learned = None
            if has_only_numbers(usual) and self._left_out.total() == left_out:
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
        first, meanings = len(self._columns.series), self._meanings
        self._meanings = {}
        for piece in pieces_of(message, self._effort):
            salvage = Salvage(self._effort)
            resource_metrics = salvage.resource_of_bytes(piece)
            self.note_salvage(salvage)
            if resource_metrics is not None:
                self.read_resource(resource_metrics)
        # What comes once is not learned: that would take as long again as reading it.
        if run is None:
            self._runs[key] = otlp_runs.SEEN
        elif run is not otlp_runs.UNUSUAL:
            series = self._columns.series[first:]
            self._runs[key] = otlp_runs.learn(message, series, self._meanings) or otlp_runs.UNUSUAL
        self._meanings = meanings | self._meanings

    def _check_number(self) -> None:
        self._effort.check_number(len(self._columns.series), "samples")

    def count_part(self, number: int = 1) -> None:
        """Empty resources, scopes and metrics cost time as well."""
        self._parts += number
        self._effort.check_number(self._parts, PARTS)

    def _count_points(self, number: int) -> None:
        self._points_seen += number
        self._effort.check_number(self._points_seen, "data points")

    def enter_resource(self, attributes: Any) -> None:
        """What follows is measured by this resource."""
        try:
            self._origin = texts_of(pairs_of(attributes, MAX_RESOURCE_ATTRIBUTES))
        except PartError as error:
            self._origin, self._problem = {}, error
        self._base = labels_of_resource(self._origin)
        # A text, as it remembers its hash.
        self._resource_key = repr(sorted(self._origin.items()))

    def enter_scope(self, scope: Any) -> None:
        """What follows is measured by this scope of the resource."""
        # One that is left out in JSON.
        if scope is UNSET or not (scope.name or scope.version or scope.attributes):
            self._scope, self._key = self._base, self._resource_key
            return
        try:
            attributes = pairs_of(scope.attributes)
        except PartError as error:
            attributes, self._problem = (), error
        self._scope = labels_of_scope(scope.name, scope.version, texts_of(attributes), self._base)
        self._key = f"{self._resource_key} {[scope.name, scope.version, *attributes]!r}"

    def read_metric(self, metric: Any) -> None:
        """All points of one metric."""
        self.count_part()
        kind = metric.WhichOneof("data")
        if kind is None:
            self.leave_out(Reason.NO_DATA, name=metric.name)
            return
        data = getattr(metric, kind)
        self._count_points(len(data.data_points))
        if self._problem is not None:
            if data.data_points:
                self.leave_out(self._problem.reason, len(data.data_points), str(self._problem), metric.name)
            return
        is_delta = kind in {"sum", "histogram", "exponential_histogram"} and (
            data.aggregation_temporality == _DELTA
        )
        is_counter = kind == "sum" and data.is_monotonic and not is_delta
        name = otlp_metric_name(
            metric.name[:300], metric.unit[:63], is_counter=is_counter, is_gauge=kind == "gauge"
        )
        self._name = escaped(metric.name[:300]) + _PARTED.get(kind, "")
        self._describe(name, metric, kind, is_counter=is_counter, is_delta=is_delta)
        read = self._read_number if kind in {"gauge", "sum"} else self._read_parts
        for point in data.data_points:
            try:
                read(name, kind, point)
            except PartError as error:
                self.leave_out(error.reason, 1, f"{name[:80]}: {error}", name)
        self._check_number()

    def _read_number(self, name: str, _: str, point: Any) -> None:
        if not point.time_unix_nano:
            raise _NO_TIME
        attributes = pairs_of(point.attributes) if point.attributes else ()
        value = STALE
        if not point.flags & _NO_VALUE:
            which = point.WhichOneof("value")
            if which is not None:
                value = float(getattr(point, which))
        self._add(name, attributes, "", min(point.time_unix_nano // 1000, MAX_MICROSECONDS), value)

    def _read_parts(self, name: str, kind: str, point: Any) -> None:
        if not point.time_unix_nano:
            raise _NO_TIME
        attributes = pairs_of(point.attributes) if point.attributes else ()
        time_us, is_stale = (
            min(point.time_unix_nano // 1000, MAX_MICROSECONDS),
            bool(point.flags & _NO_VALUE),
        )
        # All of a point or nothing.
        parts = list(POINTS[kind](point))
        for suffix, more, value in parts:
            self._add(name + suffix, attributes, more, time_us, STALE if is_stale else value)
        behind = len(self._columns.series)
        self._points.append((behind - len(parts), behind))

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
        key = (self._key, self._name, name, attributes, more)
        series = self._known.get(key) or self._found.get(key)
        if series is None:
            series = self._found[key] = self._series(name, attributes, more)
            series.identity = hash(key) or 1
        self._columns.add(series, time_us, value)

    def _series(self, name: str, attributes: Iterable[tuple[str, str]], more: str) -> Series:
        base = self._scope
        if more:
            label, _, value = more.partition("=")
            base = base.beside([(label, label, value)])
        labels, renamed = labels_of_point(texts_of(attributes), base)
        return Series({**labels, "__name__": name}, self._origin).called(sent_as(self._name, renamed))

    def batch(self) -> SampleBatch:
        """What was read."""
        batch = self._columns.batch()
        batch.found, batch.meanings, batch.runs = self._found, self._meanings, dict(self._runs)
        batch.points = self._points
        for reason, number in self._left_out.items():
            batch.leave_out(reason, number, self._sentences[reason], self._examples[reason])
        return batch
