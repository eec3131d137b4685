"""What is read together because it came before, against the same read for the first time."""

import json
import struct
from copy import deepcopy
from unittest import mock

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import example, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry.senders import line_protocol, otlp, remote_write_v2
from fleetkeeper.telemetry.senders.batches import SampleBatch, SenderInputError, SeriesCache
from fleetkeeper.telemetry.senders.effort import Effort
from fleetkeeper.telemetry.senders.line_protocol import read_lines
from fleetkeeper.telemetry.senders.usual_series import find_usual
from tests.factories.senders import field, request_v2, sample
from tests.telemetry.senders.test_otlp_json import changed, changes, request

NUMBER_KEYS = {"timeUnixNano", "startTimeUnixNano", "asDouble", "asInt"}
STAMP = 1_795_132_800_000_000_000


def content_of(batch: SampleBatch) -> object:
    """All that was read, bit by bit."""
    series = [(dict(one.labels or {}), dict(one.origin or {}), one.reason) for one in batch.series]
    rest = batch.times_us.tobytes(), batch.values.tobytes(), batch.starts.tobytes()
    return series, rest, dict(batch.meanings), dict(batch.left_out)


def outcome(read, body: bytes, known: SeriesCache) -> object:
    try:
        return content_of(read(body, known))
    except SenderInputError as error:
        return str(error)


def learned(read, *bodies: bytes) -> SeriesCache:
    """What is known once these have been read."""
    known = SeriesCache()
    for body in bodies:
        try:
            batch = read(body, known)
        except SenderInputError:
            continue
        known.update(batch.found)
        known.runs.update(batch.runs)
    return known


def protobuf(body: bytes, known: SeriesCache) -> SampleBatch:
    return otlp.read_protobuf(body, known, effort=Effort(1000))


def in_json(body: bytes, known: SeriesCache) -> SampleBatch:
    return otlp.read_json(body, known, effort=Effort(1000))


def lines(body: bytes, known: SeriesCache) -> SampleBatch:
    return read_lines(body, known, precision="ns", now_us=7, effort=Effort(1000))


def compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def encoded(document: object) -> bytes:
    return json_format.ParseDict(document, ExportMetricsServiceRequest()).SerializeToString()


def with_numbers(node: object, numbers: list[object]) -> object:
    """The same document with other times and values."""
    if isinstance(node, list):
        return [with_numbers(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    result = {}
    for key, value in node.items():
        if key in NUMBER_KEYS and numbers:
            number = numbers.pop()
            is_double = key == "asDouble"
            value = float(number) if is_double else str(int(number))  # noqa: PLW2901 - the same field
        result[key] = with_numbers(value, numbers)
    return result


class TestOtlp:
    @given(request, st.lists(st.integers(0, 2**62), max_size=30))
    @settings(max_examples=300, deadline=None)
    def test_other_numbers_of_the_same_metrics(self, document, numbers):
        other = with_numbers(deepcopy(document), numbers)
        for read, encode in ((protobuf, encoded), (in_json, compact)):
            known = learned(read, encode(document), encode(document))
            assert outcome(read, encode(other), known) == outcome(read, encode(other), SeriesCache())

    @given(request, changes)
    @settings(max_examples=250, deadline=None)
    def test_whatever_else_is_in_the_next_json(self, document, wanted):
        known = learned(in_json, compact(document), compact(document))
        body = compact(changed(document, wanted))
        assert outcome(in_json, body, known) == outcome(in_json, body, SeriesCache())

    @given(request, st.data())
    @settings(max_examples=300, deadline=None)
    def test_whatever_else_is_in_the_next_bytes(self, document, data):
        for read, encode in ((protobuf, encoded), (in_json, compact)):
            known = learned(read, encode(document), encode(document))
            body = bytearray(encode(document))
            at = data.draw(st.integers(0, len(body) - 1))
            body[at] = data.draw(st.integers(0, 255))
            assert outcome(read, bytes(body), known) == outcome(read, bytes(body), SeriesCache())

    @pytest.mark.parametrize(("read", "encode"), [(protobuf, encoded), (in_json, compact)])
    def test_what_came_twice_is_read_together(self, read, encode, monkeypatch):
        points = [
            {"timeUnixNano": str(STAMP), "asDouble": 1.5},
            {"timeUnixNano": str(STAMP), "startTimeUnixNano": "5", "asInt": "-7"},
        ]
        metrics = [{"name": "m", "unit": "By", "gauge": {"dataPoints": points}}]
        document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
        known = learned(read, encode(document), encode(document))
        body = encode(with_numbers(document, [-12, 6, STAMP + 1000, -9.5, STAMP]))
        fresh = content_of(read(body, SeriesCache()))
        # Nobody else is asked.
        monkeypatch.setattr(otlp._Reader, "read_resource", None)
        assert content_of(read(body, known)) == fresh
        assert fresh[2]["m_bytes"].unit == "bytes"

    def test_a_point_that_says_that_there_is_no_value_is_not_learned(self):
        point = {"timeUnixNano": str(STAMP), "asDouble": 1.5, "flags": 1}
        metrics = [{"name": "m", "gauge": {"dataPoints": [point]}}]
        document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
        for read, encode in ((protobuf, encoded), (in_json, compact)):
            known = learned(read, encode(document), encode(document))
            batch = read(encode(document), known)
            assert batch.values.tobytes() == struct.pack("<Q", 0x7FF0_0000_0000_0002)

    def test_what_is_remembered_is_small_whatever_the_sender_says(self):
        """Texts that are no labels have no bound of their own, and metrics without points have meanings."""
        empty = [{"name": f"m{number}", "gauge": {}} for number in range(50)]
        point = {"timeUnixNano": str(STAMP), "asDouble": 1.5}
        metrics = [*empty, {"name": "m", "description": "x" * 100_000, "gauge": {"dataPoints": [point]}}]
        attributes = [{"key": "host.name", "value": {"stringValue": "y" * 100_000}}]
        part = {"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": metrics}]}
        for read, encode in ((protobuf, encoded), (in_json, compact)):
            body = encode({"resourceMetrics": [part]})
            for known in (learned(read, body), learned(read, body, body)):
                ((key, run),) = known.runs.items()
                assert len(key) < 50
                assert len(getattr(run, "rest", b"")) < 50
                assert run.weight >= len(run.meanings or ())

    def test_histograms_do_not_hide_behind_points(self):
        """As many times and values as series, and yet not one of both for each."""
        bucket = {"timeUnixNano": str(STAMP), "count": "1", "sum": 1.0}
        point = {"timeUnixNano": str(STAMP)}
        values = [{"asDouble": 1.0}] * 3
        metrics = [
            {"name": "h", "histogram": {"dataPoints": [bucket], "aggregationTemporality": 2}},
            {"name": "m", "gauge": {"dataPoints": [point, point, *values]}},
        ]
        document = {"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}
        known = learned(in_json, compact(document), compact(document))
        other = compact(document).replace(b'"asDouble":1.0', b'"asDouble":9.0')
        assert outcome(in_json, other, known) == outcome(in_json, other, SeriesCache())


part = st.one_of(
    st.sampled_from(["a=1", "b=2", "c=3i", "d=t", 'e="x"', "a=-0", "a=-0.0", "f=1.", "f=.5", "f=+1", "f=01"]),
    st.sampled_from(["g=1e400", "g=1e5", "h=1.5i", "h=007i", "i=9u", "i=NaN", "i=null", "i=true", "i=1_0"]),
    st.sampled_from(["=1", "j", "j=", "j=1=2", "j=\t1", "j\t=1", "k\\,l=1", "k=" + "1" * 401, "ü=1", "k= 1"]),
    st.sampled_from(
        ["l=0." + "1" * 400, "l=[1]", "l={}", 'l"=1', "i=12i", "i=12345678901234567890i", "1=2,3"]
    ),
    st.text(max_size=4).map(lambda text: f"m{text}=1"),
    st.floats().map(lambda number: f"n={number}"),
    st.integers().map(lambda number: f"o={number}i"),
)
line = st.lists(part, min_size=1, max_size=4).map(lambda parts: "m,host=a " + ",".join(parts) + " 1000")


class TestLines:
    @given(st.lists(line, max_size=4), st.lists(line, max_size=4))
    @settings(max_examples=300, deadline=None)
    @example(["m,host=a a=1,a=2 1000"], ["m,host=a a=3 1000"])
    def test_numbers_read_together_are_those_read_one_by_one(self, before, now):
        bodies = ["\n".join(some).encode("utf-8", "replace") for some in (before, now)]
        known = learned(lines, bodies[0])
        fast = outcome(lines, bodies[1], known)
        with mock.patch.object(line_protocol, "_plain_numbers", return_value=None):
            assert outcome(lines, bodies[1], SeriesCache()) == fast

    def test_usual_lines_need_no_other_reading(self, monkeypatch):
        monkeypatch.setattr(line_protocol, "_values", None)
        batch = lines(
            b"cpu,host=a usage=1.5,idle=7i,value=-2e3 1000\r\nmem,host=a free=0 2000", SeriesCache()
        )
        assert batch.values.tolist() == [1.5, 7.0, -2000.0, 0.0]
        assert [one.labels["__name__"] for one in batch.series] == [
            "cpu_usage",
            "cpu_idle",
            "cpu",
            "mem_free",
        ]


def v2(body: bytes, known: SeriesCache) -> SampleBatch:
    return remote_write_v2.read_request(body, known, effort=Effort(1000))


moments = st.one_of(st.integers(2**35, 2**42 - 1), st.integers(0, 2**45))
rows = st.lists(
    st.tuples(
        st.dictionaries(st.sampled_from("abc"), st.text(max_size=2), max_size=3),
        st.lists(st.tuples(moments, st.sampled_from([0.0, 1.5, -2.0])), max_size=2),
    ),
    max_size=5,
)


class TestUsualSeries:
    @given(rows, st.booleans(), st.data())
    @settings(max_examples=200, deadline=None)
    def test_series_read_together_are_those_read_one_by_one(self, written, has_meaning, data):
        body = bytearray(request_v2(written, (1, "help", "unit") if has_meaning else None))
        if body and data.draw(st.booleans()):
            body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
        fast = outcome(v2, bytes(body), SeriesCache())

        def none(body, starts, ends):
            return find_usual(body, starts[:0], ends[:0])

        with mock.patch.object(remote_write_v2, "find_usual", none):
            slow = outcome(v2, bytes(body), SeriesCache())
        # Of two faults, either may be named.
        assert fast == slow or (isinstance(fast, str) and isinstance(slow, str))

    def test_references_of_several_bytes_and_needlessly_long_ones(self):
        symbols = ["", *(f"s{n}" for n in range(300))]
        table = b"".join(field(4, text.encode()) for text in symbols)
        wanted = {"s1": "s200", "s130": "s299"}
        usual = b"\x02" + b"\xc9\x01" + b"\x83\x01" + b"\xac\x02"
        long = b"\x82\x80\x80\x80\x80\x00" + b"\xc9\x01" + b"\x83\x01" + b"\xac\x02"
        for refs in (usual, long):
            written = field(5, field(1, refs) + field(2, sample(1_700_000_000_000, 1.5)))
            batch = v2(table + written + written, SeriesCache())
            assert [one.labels for one in batch.series] == [wanted, wanted]
            assert batch.values.tolist() == [1.5, 1.5]
            assert (batch.times_us == np.int64(1_700_000_000_000_000)).all()
