"""What reading a body costs, however many parts it has: counted, and in processor time."""

import gzip
import itertools
import threading

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders import (
    collectd,
    line_protocol,
    otlp,
    otlp_pieces,
    remote_write,
    remote_write_v2,
)
from fleetkeeper.telemetry.senders.batches import SenderInputError, SeriesCache, TooManyError
from fleetkeeper.telemetry.senders.effort import STEP_PARTS, Effort
from tests.factories.senders import field, request_v2, sample, series
from tests.fixtures.processor_time import at_most_million_steps

NOW_MS = 1_795_132_800_000
PROTOBUF = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}


class TestEffort:
    def test_a_reader_stops_once_its_time_is_over(self):
        ticks = itertools.count()
        effort = Effort(10, seconds=3, clock=lambda: next(ticks))
        parts = effort.steps(itertools.count())
        with pytest.raises(TooManyError, match="more than 3 seconds"):
            list(parts)
        assert next(ticks) == 5

    def test_parts_are_counted_before_there_are_too_many(self):
        taken = []
        with pytest.raises(TooManyError, match="at most 10 things"):
            taken.extend(Effort(10).counted(itertools.count(), "things"))
        assert taken == list(range(10))

    def test_parts_of_several_kinds_count_together(self):
        effort = Effort(10)
        assert list(effort.counted(range(15), "things", times=2)) == list(range(15))
        with pytest.raises(TooManyError, match="at most 20 things"):
            list(effort.counted(range(6), "things", times=2))

    def test_json_is_counted_before_it_is_decoded(self):
        Effort(10).check_json(b"{},[]" * 10, max_objects=10, max_values=10)
        for more, what in ((b"{", "JSON objects"), (b",", "JSON values")):
            with pytest.raises(TooManyError, match=f"at most 10 {what}"):
                Effort(10).check_json(b"{},[]" * 10 + more, max_objects=10, max_values=10)

    def test_looks_at_the_clock_are_few(self):
        ticks = itertools.count()
        list(Effort(10, seconds=100, clock=lambda: next(ticks)).steps(range(10 * STEP_PARTS)))
        assert next(ticks) == 10


class TestWhatIsSmallOnlyWhilePacked:
    @pytest.mark.parametrize(("resources", "is_aside"), [(4, False), (100_000, True)])
    async def test_is_read_beside_the_event_loop(self, admin, monkeypatch, resources, is_aside):
        threads, read = [], otlp.read_protobuf

        def noting(*arguments):
            threads.append(threading.current_thread())
            return read(*arguments)

        monkeypatch.setattr(otlp, "read_protobuf", noting)
        body = gzip.compress(b"\x0a\x00" * resources)
        assert len(body) < 16 * 1024
        answer = await admin.post("/otlp/v1/metrics", content=body, headers=PROTOBUF)
        assert answer.status_code == 200
        assert [thread is not threading.current_thread() for thread in threads] == [is_aside]


def large_request(points: int) -> ExportMetricsServiceRequest:
    """A resource with scopes and metrics of several kinds, small and large."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.add(key="host.name").value.string_value = "web-01"
    for scope_name, number in (("a", points), ("b", 2)):
        scope = resource.scope_metrics.add()
        scope.scope.name = scope_name
        for name, kind in (("gauge", "gauge"), ("sum", "sum"), ("took", "histogram")):
            metric = scope.metrics.add(name=name, unit="s", description="what it is")
            for index in range(number):
                point = getattr(metric, kind).data_points.add(time_unix_nano=10**18 + index)
                point.attributes.add(key="n").value.string_value = f"{index:020}"
                if kind == "histogram":
                    point.count, point.sum = index, index / 2
                else:
                    point.as_double = index
    return request


def read(body: bytes, known: SeriesCache | None = None):
    return otlp.read_protobuf(body, SeriesCache() if known is None else known, Effort(100_000))


def seen(batch):
    named = [(dict(one.labels), dict(one.origin)) for one in batch.series]
    return named, batch.times_us.tolist(), batch.values.tolist(), batch.meanings, batch.left_out


class TestPiecesOfAResource:
    def test_say_the_same_together(self, monkeypatch):
        body = large_request(3000).SerializeToString()
        pieces = list(otlp_pieces.pieces_of(body[4:], Effort(100_000)))
        assert len(pieces) > 1
        assert max(map(len, pieces)) < 2 * otlp_pieces.PIECE_BYTES
        in_pieces = seen(read(body))
        monkeypatch.setattr(otlp_pieces, "PIECE_BYTES", len(body))
        assert in_pieces == seen(read(body))

    def test_of_two_kinds_of_data_the_last_counts(self, monkeypatch):
        request = large_request(1)
        del request.resource_metrics[0].scope_metrics[0].metrics[1:]
        metric = request.resource_metrics[0].scope_metrics[0].metrics[0]
        doubled = metric.SerializeToString() + field(7, metric.gauge.SerializeToString())
        body = field(1, field(2, field(2, doubled)))
        monkeypatch.setattr(otlp_pieces, "PIECE_BYTES", 60)
        in_pieces = seen(read(body))
        monkeypatch.setattr(otlp_pieces, "PIECE_BYTES", len(body))
        assert in_pieces == seen(read(body))
        assert len(in_pieces[1]) == 1

    def test_points_that_cannot_be_read_are_counted(self):
        bad = b"\x0a\x01\xff" + field(5, field(1, b"") * 90_000)
        body = field(1, field(2, field(2, bad)))
        for size in (len(body), 20_000):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(otlp_pieces, "PIECE_BYTES", size)
                assert {reason: number for reason, (number, _) in read(body).left_out.items()} == {
                    Reason.BAD_POINT: 90_000
                }

    @pytest.mark.parametrize("numbers", [(), (1, 2), (1, 2, 2, 5), (1, 2, 2, 5, 1), (1, 1)])
    def test_empty_ones_take_little_time(self, numbers):
        body = b"\x0a\x00" * 3_500_000
        for number in reversed(numbers):
            body = field(number, body)
        with at_most_million_steps(60), pytest.raises(TooManyError):
            read(body)


def json_points(point: bytes, number: int) -> bytes:
    """OTLP with that many more points behind the first in one metric."""
    points = point + (b"," + point) * number
    metrics = b'[{"name":"a","gauge":{"dataPoints":[' + points + b"]}}]"
    return b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":' + metrics + b"}]}]}"


V1, V2 = remote_write.read_write_request, remote_write_v2.read_request
LABELS = field(1, field(1, b"__name__") + field(2, b"a"))
MANY = 4_000_000
HEAVY = {
    "series": (V1, b"\x0a\x00" * MANY),
    "labels": (V1, field(1, b"\x0a\x00" * MANY)),
    "labels of a good series": (V1, field(1, LABELS + b"\x0a\x00" * MANY)),
    "samples": (V1, field(1, LABELS + b"\x12\x00" * MANY)),
    "histograms": (V1, field(1, LABELS + b"\x22\x00" * MANY)),
    "numbers": (V1, field(1, LABELS + b"\x10\x00" * MANY)),
    "metadata": (V1, b"\x1a\x00" * MANY),
    "unknown fields": (V1, b"\x20\x00" * MANY),
    "symbols": (V2, b"\x22\x00" * MANY),
    "series of version 2": (V2, b"\x2a\x00" * MANY),
    "samples of version 2": (V2, field(5, b"\x12\x00" * MANY)),
    "histograms of version 2": (V2, field(5, b"\x1a\x00" * MANY)),
    "resources that are none": (otlp.read_json, b'{"resourceMetrics":[' + b"1," * MANY + b"1]}"),
    "empty resources": (otlp.read_json, b'{"resourceMetrics":[' + b"{}," * 300_000 + b"{}]}"),
    "points that are none": (otlp.read_json, json_points(b"[]", 100_000)),
    "wrong points": (otlp.read_json, json_points(b'{"asDouble":"x"}', 20_000)),
    "value lists": (collectd.read_values, b"[" + b"{}," * MANY + b"{}]"),
    "no value lists": (collectd.read_values, b"[" + b"1," * MANY + b"1]"),
    "values": (collectd.read_values, b'[{"values":[' + b"1," * MANY + b"1]}]"),
    "names of values": (collectd.read_values, b'[{"dsnames":[' + b'"",' * MANY + b'""]}]'),
}


class TestBodiesOfVeryManyParts:
    @pytest.mark.parametrize("kind", HEAVY)
    def test_are_refused_for_little(self, kind):
        read_body, body = HEAVY[kind]
        with at_most_million_steps(30), pytest.raises(TooManyError, match="at most"):
            read_body(body, SeriesCache(), Effort(10_000))


class TestOneLargeSeries:
    """Its neighbors are kept, and its samples counted."""

    def test_of_many_labels(self):
        good = series({"__name__": "a"}, [(NOW_MS, 1.0)])
        large = field(1, LABELS * 10_000 + field(2, sample(NOW_MS, 1.0)) * 3)
        batch = V1(good + large + good, SeriesCache(), Effort(100_000))
        refused = [one.reason for one in batch.series]
        assert refused == [None, Reason.TOO_MANY_LABELS, None]
        assert batch.starts.tolist() == [0, 1, 4, 5]

    def test_of_a_label_with_many_fields(self):
        large = field(
            1, field(1, field(1, b"__name__") + b"\x20\x00" * 1_000_000) + field(2, sample(NOW_MS, 1.0))
        )
        with at_most_million_steps(8):
            batch = V1(large, SeriesCache(), Effort(100_000))
        assert ([one.reason for one in batch.series], batch.samples) == ([Reason.LABEL_TOO_LONG], 1)

    def test_of_a_sample_with_many_fields(self):
        large = field(1, LABELS + field(2, sample(NOW_MS, 1.0) + b"\x18\x00" * 1_000_000))
        with at_most_million_steps(8):
            batch = V1(large, SeriesCache(), Effort(100_000))
        assert (batch.samples, batch.left_out[Reason.BAD_POINT][0]) == (0, 1)


def labelled(batch):
    labels = [dict(one.labels) for one in batch.series]
    return labels, batch.times_us.tolist(), batch.values.tolist(), batch.meanings


def test_series_of_version_2_are_read_in_steps(monkeypatch):
    rows = [({"__name__": f"m{n % 7}", "n": str(n)}, [(NOW_MS + n, float(n))]) for n in range(50)]
    body = request_v2(rows, (1, "help", "unit"))
    at_once = labelled(V2(body, SeriesCache(), Effort(100)))
    monkeypatch.setattr(remote_write_v2, "_STEP_SERIES", 7)
    assert at_once == labelled(V2(body, SeriesCache(), Effort(100)))


def read_lines(body: bytes, effort: Effort | None = None):
    effort = effort or Effort(100_000)
    return line_protocol.read_lines(body, SeriesCache(), effort, precision="ns", now_us=7)


def reasons(batch):
    return {reason: number for reason, (number, _) in batch.left_out.items()}


# Each in a line of its own, beside which others are stored.
LONG_LINES = {
    "tags": b"m" + b",a=b" * MANY + b" v=1",
    "fields": b"m " + b"a=1," * MANY + b"v=1",
    "texts": b"m " + b'a="",' * MANY + b"v=1",
    "blanks": b"m v=1" + b" a" * MANY,
    "blanks behind a text": b'm v="1"' + b" a" * MANY,
    "backslashes in a text": b'm v="' + b"\\\\" * MANY + b'"',
    "backslashes in a name": b"m" + b"\\," * MANY + b" v=1",
}


class TestLines:
    def test_very_many_wrong_ones_are_not_read(self):
        with (
            at_most_million_steps(10),
            pytest.raises(
                SenderInputError, match="more than 5000 lines cannot be read, so none is stored: line 2:"
            ),
        ):
            read_lines(b"m v=1\n" + b"x\n" * MANY)

    def test_as_many_wrong_ones_as_may_be_are_counted(self):
        batch = read_lines(b"m v=1\n" + b"x\n" * line_protocol.MAX_WRONG_LINES)
        assert (batch.samples, reasons(batch)) == (1, {Reason.INVALID_LINE: line_protocol.MAX_WRONG_LINES})

    @pytest.mark.parametrize("line", [b"", b"#", b'#"', b'm v=""'])
    def test_very_many_that_say_nothing_are_refused(self, line):
        with at_most_million_steps(45), pytest.raises(TooManyError, match="at most 100000 lines"):
            read_lines((line + b"\n") * MANY, Effort(10_000))

    @pytest.mark.parametrize("kind", LONG_LINES)
    def test_one_of_very_many_parts_costs_itself_alone(self, kind):
        with at_most_million_steps(45):
            batch = read_lines(b"a v=1\n" + LONG_LINES[kind] + b"\nb v=2\n")
        assert batch.values.tolist() == [1.0, 2.0]
        assert reasons(batch) == {Reason.INVALID_LINE: 1}

    @pytest.mark.parametrize("text", [b"", b'm t="a\nb\\"\n",v=1\n'])
    def test_the_same_lines_are_read_in_steps(self, monkeypatch, text):
        lines = [b"m%d,a=%d v=%d %d" % (n % 7, n % 3, n, n) for n in range(200)]
        body = b"\n".join(lines[:100]) + b"\n\n" + text + b"\r\n".join(lines[100:]) + b"\n"
        at_once = read_lines(body)
        for step in (0, 1, 13, 1000):
            monkeypatch.setattr(line_protocol, "STEP_BYTES", step)
            monkeypatch.setattr(line_protocol, "MAX_MARKS", 100)
            assert labelled(read_lines(body)) == labelled(at_once)
            assert reasons(read_lines(body)) == reasons(at_once)

    def test_reading_stops_when_its_time_is_over(self):
        ticks = itertools.count()
        with pytest.raises(TooManyError, match="more than 9 seconds"):
            read_lines(b'm,a=b v="text"\n' * MANY, Effort(MANY, seconds=9, clock=lambda: next(ticks)))
        assert next(ticks) == 11
