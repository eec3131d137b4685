"""What each parser makes of a request, and that no input does worse than end in the parser's own error."""

import json
import resource
import struct

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry.reasons import Reason
from fleetkeeper.telemetry.senders import collectd, otlp, remote_write, remote_write_v2
from fleetkeeper.telemetry.senders.batches import SampleBatch, SenderInputError, SeriesCache
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.line_protocol import read_lines
from tests.factories.senders import field, metadata, request_v2, sample, series, varint

MAX_SAMPLES = 10_000
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0_0000_0000_0002))[0]
moments = st.one_of(st.integers(0, 2**45), st.integers(-(2**63), 2**63 - 1))
numbers = st.one_of(st.floats(), st.sampled_from([0.0, -0.0, STALE, 1.0]))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
labels = st.dictionaries(texts, texts, max_size=5)
rows = st.lists(st.tuples(labels, st.lists(st.tuples(moments, numbers), max_size=4)), max_size=6)


def v1(body: bytes, known=None) -> SampleBatch:
    return remote_write.read_write_request(
        body, SeriesCache() if known is None else known, effort=Effort(MAX_SAMPLES)
    )


def v2(body: bytes, known=None) -> SampleBatch:
    return remote_write_v2.read_request(
        body, SeriesCache() if known is None else known, effort=Effort(MAX_SAMPLES)
    )


def lines(body: bytes, precision: str = "ns") -> SampleBatch:
    return read_lines(body, SeriesCache(), precision=precision, now_us=7, effort=Effort(MAX_SAMPLES))


def otlp_protobuf(body: bytes) -> SampleBatch:
    return otlp.read_protobuf(body, SeriesCache(), effort=Effort(MAX_SAMPLES))


def otlp_json(body: bytes) -> SampleBatch:
    return otlp.read_json(body, SeriesCache(), effort=Effort(MAX_SAMPLES))


def collectd_json(body: bytes) -> SampleBatch:
    return collectd.read_values(body, SeriesCache(), effort=Effort(MAX_SAMPLES))


def microseconds(milliseconds: int) -> int:
    bound = 253_402_300_800_000_000
    return max(-bound, min(milliseconds * 1000, bound))


def content_of(batch: SampleBatch) -> list[tuple[object, list[tuple[int, bytes]]]]:
    """Series in their order, with their samples bit by bit."""
    assert len(batch.starts) == len(batch.series) + 1
    assert batch.starts[-1] == len(batch.times_us) == len(batch.values)
    found = []
    for index, one in enumerate(batch.series):
        part = slice(batch.starts[index], batch.starts[index + 1])
        values = [struct.pack("<d", value) for value in batch.values[part].tolist()]
        found.append((one, list(zip(batch.times_us[part].tolist(), values, strict=True))))
    return found


class TestRemoteWrite:
    @given(rows)
    @settings(max_examples=200)
    def test_both_versions_read_what_was_written_first_and_again(self, written):
        bodies = (
            (v1, b"".join(series(names, samples) for names, samples in written)),
            (v2, request_v2(written)),
        )
        for read, body in bodies:
            known = SeriesCache()
            for _ in range(2):
                batch = read(body, known)
                content = content_of(batch)
                kept = [(names, samples) for names, samples in written if samples or read is v1]
                flat = [(one.labels, pair) for one, pairs in content for pair in pairs]
                expected = [
                    (names, (microseconds(at), struct.pack("<d", value)))
                    for names, samples in kept
                    for at, value in samples
                ]
                assert flat == expected
                known.update(batch.found)
            assert not read(body, known).found

    def test_meaning_of_histograms_goes_to_their_parts(self):
        batch = v1(metadata("latency_seconds", 3, "How long", "seconds"))
        assert batch.meanings["latency_seconds_bucket"].kind == "counter"
        assert batch.meanings["latency_seconds_sum"].unit == "seconds"
        assert batch.meanings["latency_seconds_count"].description == "How long"

    @pytest.mark.parametrize(
        "body",
        [
            b"\x0a\xff\xff\xff\xff\x0f",
            b"\x0a" + b"\xff" * 11,
            b"\x0a\x02\x0a\x7f",
            b"\x0a\x02\x12\x7f",
            b"\x00",
            b"\x0b",
            b"\x08\x01",
        ],
    )
    def test_lies_end_in_the_parsers_error(self, body):
        with pytest.raises(SenderInputError):
            v1(body)

    @pytest.mark.parametrize(
        ("labels", "reason"),
        [
            (field(1, field(1, b"a") + field(2, b"\xff")), Reason.NOT_UTF8),
            (field(1, field(1, b"a")) * 2, Reason.BAD_LABEL),
            (b"".join(field(1, field(1, b"a%d" % n)) for n in range(200)), Reason.TOO_MANY_LABELS),
        ],
    )
    def test_labels_that_are_wrong_cost_their_series_alone(self, labels, reason):
        good = series({"__name__": "good"}, [(1, 1.0)])
        batch = v1(field(1, labels + field(2, sample(1, 1.0))) + good)
        assert [one.reason for one in batch.series] == [reason, None]
        assert batch.samples == 2

    def test_symbols_that_are_not_there(self):
        for refs in (b"\x05\x06", b"\x00", b"\xff\xff\xff\xff\x0f\x00"):
            batch = v2(field(4, b"") + field(5, field(1, refs) + field(2, b"\x10\x01")))
            assert [one.reason for one in batch.series] == [Reason.BAD_LABEL]
        with pytest.raises(SenderInputError):
            v2(field(4, b"first"))

    def test_labels_in_the_cache_do_not_hide_other_samples(self):
        """What follows known labels may have the length of a usual sample and be something else."""
        names = {"__name__": "a"}
        known = dict(v1(series(names, [(1_700_000_000_000, 1.0)])).found)
        two_zeros = [(1_700_000_000_000, 0.0), (1_700_000_000_001, 0.0)]
        batch = v1(series(names, two_zeros), known)
        assert [pair for _, pairs in content_of(batch) for pair in pairs] == [
            (at * 1000, struct.pack("<d", 0.0)) for at, _ in two_zeros
        ]
        exemplar = field(3, b"\x11" + b"\x00" * 8 + b"\x18\x01" + b"\x00" * 0)
        batch = v1(series(names, [], more=exemplar.ljust(18, b"\x00")[: len(exemplar)]), known)
        assert batch.samples == 0


class TestLineProtocol:
    def test_escapes_quotes_types_and_precisions(self):
        body = (
            b'# comment\r\nwea\\,ther\\ x,loc\\=ation=us\\ mid temp=82,txt="a \\" b, c=\n d",b=t,i=-3i,u=5u 3\n'
            b"cpu value=1\n  \n"
        )
        batch = lines(body, "s")
        names = [one.labels for one in batch.series]
        assert names[0] == {"__name__": "wea,ther x_temp", "loc=ation": "us mid"}
        assert names[-1] == {"__name__": "cpu"}
        assert batch.values.tolist() == [82.0, 1.0, -3.0, 5.0, 1.0]
        assert batch.times_us.tolist() == [3_000_000] * 4 + [7]
        assert batch.left_out["text_field"][0] == 1

    @pytest.mark.parametrize(
        ("precision", "stamp", "expected"),
        [("ns", 1500, 1), ("us", 1500, 1500), ("ms", 15, 15_000), ("s", 2, 2_000_000), ("ns", -1, -1)],
    )
    def test_precisions(self, precision, stamp, expected):
        assert lines(b"a v=1 %d" % stamp, precision).times_us.tolist() == [expected]

    @pytest.mark.parametrize(
        "line",
        [b"a", b"a b", b"a v=", b"a =1", b"a v=1 x", b"a v=1 1 1", b"a v=nan", b"a v=inf", b"a v=1e999", b'a v="x"y',
         b"a v=1__0", b"a v=0x1", b"a v=1 99999999999999999999", b"a v=1 99999999999999999999999", b"a v=\xd9\xa1"],
    )  # fmt: skip
    def test_wrong_lines_are_left_out(self, line):
        batch = lines(line + b"\ngood v=1 1\n", "s")
        assert batch.left_out["invalid_line"][0] == 1
        assert batch.samples == 1

    def test_what_is_no_line_at_all_hears_what_one_looks_like(self):
        refusal = str(lines(b"broken line here\na v=1 x", "s").left_out["invalid_line"])
        assert "line 1: must be `measurement,tag=value field=value time`" in refusal
        assert "line 2: the time must be a whole number" in refusal


def metrics_request() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    attribute = resource_metrics.resource.attributes.add()
    attribute.key, attribute.value.string_value = "host.name", "web1"
    scope = resource_metrics.scope_metrics.add()
    moment = 1_795_132_800_000_000_000

    gauge = scope.metrics.add(name="fan.speed", unit="1")
    gauge.gauge.data_points.add(time_unix_nano=moment, as_int=3)
    counter = scope.metrics.add(name="io.read", unit="By", description="Read")
    counter.sum.is_monotonic, counter.sum.aggregation_temporality = True, 2
    counter.sum.data_points.add(time_unix_nano=moment, as_double=5)
    delta = scope.metrics.add(name="hits")
    delta.sum.is_monotonic, delta.sum.aggregation_temporality = True, 1
    delta.sum.data_points.add(time_unix_nano=moment, as_double=1)
    histogram = scope.metrics.add(name="took", unit="ms")
    point = histogram.histogram.data_points.add(time_unix_nano=moment, count=3, sum=9.5)
    point.explicit_bounds.extend([0.005, 1e6])
    point.bucket_counts.extend([1, 1, 1])
    exponential = scope.metrics.add(name="size", unit="By")
    exponential.exponential_histogram.data_points.add(time_unix_nano=moment, count=4, sum=2.5, scale=1)
    summary = scope.metrics.add(name="rpc", unit="s")
    quantiles = summary.summary.data_points.add(time_unix_nano=moment, count=2, sum=1.5)
    quantiles.quantile_values.add(quantile=0.99, value=1.25)
    stale = scope.metrics.add(name="gone")
    stale.gauge.data_points.add(time_unix_nano=moment, flags=1)
    scope.metrics.add(name="timeless").gauge.data_points.add(as_int=1)
    return request


EXPECTED = {
    ("fan_speed_ratio", ""): 3.0,
    ("io_read_bytes_total", ""): 5.0,
    ("hits", ""): 1.0,
    ("took_milliseconds_bucket", "0.005"): 1.0,
    ("took_milliseconds_bucket", "1000000"): 2.0,
    ("took_milliseconds_bucket", "+Inf"): 3.0,
    ("took_milliseconds_count", ""): 3.0,
    ("took_milliseconds_sum", ""): 9.5,
    ("size_bytes_count", ""): 4.0,
    ("size_bytes_sum", ""): 2.5,
    ("rpc_seconds", "0.99"): 1.25,
    ("rpc_seconds_count", ""): 2.0,
    ("rpc_seconds_sum", ""): 1.5,
}


class TestOtlp:
    @pytest.mark.parametrize("encoding", ["protobuf", "json"])
    def test_every_kind_of_metric_in_its_parts(self, encoding):
        request = metrics_request()
        if encoding == "protobuf":
            batch = otlp_protobuf(request.SerializeToString())
        else:
            batch = otlp_json(json_format.MessageToJson(request).encode())
        found = {
            (one.labels["__name__"], one.labels.get("le", one.labels.get("quantile", ""))): value
            for one, value in zip(batch.series, batch.values.tolist(), strict=True)
        }
        gone = found.pop(("gone", ""))
        assert found == EXPECTED
        assert struct.pack("<d", gone) == struct.pack("<d", STALE)
        assert batch.left_out["no_time"][0] == 1
        assert batch.meanings["io_read_bytes_total"] == ("bytes", "counter", "Read")
        assert batch.meanings["hits"].kind == "gauge"
        assert set(batch.times_us.tolist()) == {1_795_132_800_000_000}

    @pytest.mark.parametrize(
        ("name", "unit", "kind", "expected"),
        [
            ("system.cpu.time", "s", "counter", "system_cpu_time_seconds_total"),
            ("process.runtime.cpu.seconds", "s", "gauge", "process_runtime_cpu_seconds"),
            ("http.server.request.rate", "{requests}/s", "gauge", "http_server_request_rate_per_second"),
            ("net.speed", "By/s", "gauge", "net_speed_bytes_per_second"),
            ("requests.total", "1", "counter", "requests_total"),
            ("memory.use", "%", "gauge", "memory_use_percent"),
            ("3d.prints", "", "gauge", "_3d_prints"),
            ("a--b", "", "gauge", "a--b"),
            ("温度", "Cel", "gauge", "温度_celsius"),
            ("a__b", "By", "counter", "a__b_bytes_total"),
        ],
    )
    def test_names_are_those_of_the_specification(self, name, unit, kind, expected):
        from fleetkeeper.telemetry.senders.metric_names import otlp_metric_name

        assert (
            otlp_metric_name(name, unit, is_counter=kind == "counter", is_gauge=kind == "gauge") == expected
        )


GOOD = {
    "v1": (v1, series({"__name__": "a", "b": "c"}, [(1_795_132_800_000, 1.5), (1_795_132_801_000, 0.0)]) * 3
           + metadata("a", 3, "x")),
    "v2": (v2, request_v2([({"__name__": "a", "b": "c"}, [(1_795_132_800_000, 1.5)])] * 3, (1, "help", "unit"))),
    "lines": (lines, b'a\\ b,c=d e=1.5,f="x\\"y",g=3i 1795132800000000000\nb v=t\n' * 3),
    "otlp": (otlp_protobuf, metrics_request().SerializeToString()),
    "otlp_json": (otlp_json, json_format.MessageToJson(metrics_request(), indent=None).encode()),
    "otlp_json_usual": (otlp_json, json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "a", "gauge": {"dataPoints": [{"timeUnixNano": "1795132800000000000", "asDouble": 1.5,
                                                "attributes": [{"key": "b", "value": {"stringValue": "c"}}]}]}}
    ] * 3}]}]}).encode()),
    "collectd": (collectd_json, json.dumps([{"values": [1, None], "dstypes": ["derive", "gauge"],
                 "dsnames": ["rx", "tx"], "time": 1795132800.1, "host": "h", "plugin": "p", "type": "t"}]).encode()),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD)
class TestHostileInput:
    def _read(self, kind: str, body: bytes) -> None:
        """Either a batch that is whole, or the parser's own error."""
        try:
            batch = GOOD[kind][0](body)
        except SenderInputError:
            return
        assert batch.starts[-1] == len(batch.times_us) == len(batch.values)
        assert (np.diff(batch.starts) >= 0).all()

    def test_truncated_anywhere(self, kind):
        body = GOOD[kind][1]
        for end in range(len(body)):
            self._read(kind, body[:end])

    @given(flips=st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8))
    @settings(max_examples=300)
    def test_changed_bytes(self, kind, flips):
        body = bytearray(GOOD[kind][1])
        for at, byte in flips:
            body[at % len(body)] ^= byte
        self._read(kind, bytes(body))

    @given(body=st.binary(max_size=300))
    @settings(max_examples=200)
    @example(body=b"\xff" * 300)
    def test_any_bytes(self, kind, body):
        self._read(kind, body)

    @pytest.mark.parametrize(
        "unit",
        [b"\x0a\x00", b"\x22\x00", b"\x2a\x00", b"\x1a\x00", b"[", b"{", b'{"a":', b"a v=1\n", b",", b"\\", b'"',
         b"\x80", varint(2**63)],
    )  # fmt: skip
    def test_one_thing_over_and_over(self, kind, unit):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self._read(kind, unit * (1_000_000 // len(unit)))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 400_000, f"{grown} kB more for 1 MB of {unit!r}"
