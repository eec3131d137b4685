"""Every sample that is sent is accepted, a duplicate or rejected with a reason; and what is bad costs itself alone."""

import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from fleetkeeper.telemetry.reasons import Reason
from tests.factories.senders import V2, WRITE, field, headers_of, request_v2, sample, series, snappy
from tests.fixtures.began import began


def now() -> int:
    """Ten minutes before the test began."""
    return began() - 600


HOST = "web-01"
DAY = 86_400

names = st.sampled_from(["up", "a_b", "a-b", "a.b", "温度", "湿度", "n" * 201, "", "x\ny"])
extra = st.sampled_from(
    [
        {},
        {"l": "1"},
        {"l": "2"},
        {"a.b": "1"},
        {"a_b": "1"},
        {"größe": "x"},
        {"v": "y" * 301},
        {f"l{n}": "v" for n in range(120)},
        {"l": "nul\x00"},
    ]
)
hosts = st.sampled_from([HOST, HOST, HOST, "web-02", "", "no such\x01host"])
offsets = st.sampled_from([0, 0, 1, 2, -400 * DAY, 40 * DAY])
values = st.sampled_from([1.0, 0.0, -2.5, float("nan"), float("inf")])
rows = st.lists(st.tuples(names, extra, hosts, offsets, values), max_size=12)


def labels_of(row, host_label):
    name, more, host, _, _ = row
    labels = {"__name__": name, **more}
    return {**labels, host_label: host} if host else labels


def prometheus_v1(found):
    body = b"".join(series(labels_of(row, "instance"), [((now() + row[3]) * 1000, row[4])]) for row in found)
    return {"url": WRITE, "content": snappy(body), "headers": headers_of()}


def prometheus_v2(found):
    body = request_v2([(labels_of(row, "instance"), [((now() + row[3]) * 1000, row[4])]) for row in found])
    return {"url": WRITE, "content": snappy(body), "headers": headers_of(V2)}


def escaped(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def influx(found):
    lines = []
    for name, more, host, offset, value in found:
        tags = "".join(
            f",{escaped(key)}={escaped(tag)}" for key, tag in {**more, "host": host}.items() if tag
        )
        # A name with a line break is two lines: that is another test's.
        lines.append(f"{escaped(name).replace(chr(10), '')}{tags} value={value} {now() + offset}")
    return {"url": "/influx/write?precision=s", "content": "\n".join(lines)}


def otlp_request(found):
    request = ExportMetricsServiceRequest()
    for name, more, host, offset, value in found:
        resource = request.resource_metrics.add()
        if host:
            attribute = resource.resource.attributes.add(key="host.name")
            attribute.value.string_value = host
        metric = resource.scope_metrics.add().metrics.add(name=name)
        point = metric.gauge.data_points.add(time_unix_nano=(now() + offset) * 10**9, as_double=value)
        for key, text in more.items():
            point.attributes.add(key=key).value.string_value = text
    return request


def otlp_protobuf(found):
    body = otlp_request(found).SerializeToString()
    return {"url": "/otlp/v1/metrics", "content": body, "headers": {"Content-Type": "application/x-protobuf"}}


def otlp_json(found):
    documents = []
    for name, more, host, offset, value in found:
        number = value if value == value and abs(value) < 1e9 else str(value)  # noqa: PLR0124 - NaN
        point = {
            "timeUnixNano": str((now() + offset) * 10**9),
            "asDouble": {"nan": "NaN", "inf": "Infinity"}.get(number, number),
            "attributes": [{"key": key, "value": {"stringValue": text}} for key, text in more.items()],
        }
        attributes = [{"key": "host.name", "value": {"stringValue": host}}] if host else []
        metric = {"name": name, "gauge": {"dataPoints": [point]}}
        documents.append({"resource": {"attributes": attributes}, "scopeMetrics": [{"metrics": [metric]}]})
    return {"url": "/otlp/v1/metrics", "json": {"resourceMetrics": documents}}


def collectd(found):
    lists = [
        {
            "host": host,
            "plugin": name,
            "type": "gauge",
            "type_instance": next(iter(more.values()), ""),
            "time": now() + offset,
            "values": [value if value == value and abs(value) < 1e9 else None],  # noqa: PLR0124 - NaN
            "dstypes": ["gauge"],
            "dsnames": ["value"],
        }
        for name, more, host, offset, value in found
    ]
    return {"url": "/collectd", "json": lists}


PROTOCOLS = {
    "prometheus 1": prometheus_v1,
    "prometheus 2": prometheus_v2,
    "influx": influx,
    "otlp protobuf": otlp_protobuf,
    "otlp json": otlp_json,
    "collectd": collectd,
}


def counted(app) -> Counter:
    tally = app.state.senders.tally
    found = Counter(accepted=sum(tally.accepted.values()), duplicates=sum(tally.duplicates.values()))
    for (_, reason), number in tally.rejected.items():
        found[Reason(reason)] += number
    return found


@pytest.mark.parametrize("protocol", PROTOCOLS)
class TestAccounting:
    @given(found=rows)
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_all_that_is_sent_is_counted(self, app, admin, device, protocol, found):
        app.state.settings.telemetry.max_channels_per_device = 40
        before = counted(app)
        answer = await admin.post(**PROTOCOLS[protocol](found))
        assert answer.status_code in {200, 204, 400}, answer.text
        told = counted(app) - before
        assert told.total() == len(found), told


GOOD = {"__name__": "good", "instance": HOST}


def bad_series(labels: bytes) -> bytes:
    """A series of remote_write 1.0 between two good ones."""
    good = [series({**GOOD, "n": n}, [(now() * 1000, 1.0)]) for n in "12"]
    return good[0] + field(1, labels + field(2, sample(now() * 1000, 1.0))) + good[1]


def label(name: bytes, value: bytes) -> bytes:
    return field(1, field(1, name) + field(2, value))


NAMED = label(b"__name__", b"bad") + label(b"instance", HOST.encode())
BAD_LABELS = {
    Reason.NOT_UTF8: NAMED + label(b"x", b"\xff"),
    Reason.TOO_MANY_LABELS: NAMED + b"".join(label(b"l%d" % n, b"v") for n in range(103)),
    Reason.BAD_LABEL: NAMED + label(b"x", b"1") + label(b"x", b"2"),
    Reason.BAD_NAME: label(b"instance", HOST.encode()),
}


def point(**more):
    return {"timeUnixNano": str(now() * 10**9), "asDouble": 1.0, **more}


def gauge(name, *points):
    return {"name": name, "gauge": {"dataPoints": list(points)}}


def resource_of(*metrics, attributes=()):
    pairs = [("host.name", HOST), *attributes]
    return {
        "resource": {"attributes": [{"key": key, "value": {"stringValue": text}} for key, text in pairs]},
        "scopeMetrics": [{"metrics": list(metrics)}],
    }


def histogram():
    """One whose buckets and bounds do not fit."""
    return {
        "timeUnixNano": str(now() * 10**9),
        "count": 3,
        "bucketCounts": [1, 2],
        "explicitBounds": [1, 2, 3],
    }


MANY = [{"key": f"a{n}", "value": {"stringValue": "x"}} for n in range(101)]
BAD_METRICS = {
    "mismatched buckets": (
        lambda: {"name": "bad", "histogram": {"dataPoints": [histogram()]}},
        Reason.BAD_POINT,
        1,
    ),
    "many attributes": (lambda: gauge("bad", point(attributes=MANY)), Reason.TOO_MANY_LABELS, 1),
    "a number that is none": (
        lambda: gauge("bad", point(asDouble="x"), point(asInt="1.5")),
        Reason.BAD_POINT,
        2,
    ),
    "a point that is none": (lambda: gauge("bad", 7), Reason.BAD_POINT, 1),
    "points that are no list": (lambda: gauge("bad") | {"gauge": {"dataPoints": {}}}, Reason.BAD_POINT, 1),
    "half of a pair": (lambda: gauge("\ud800", point()), Reason.BAD_POINT, 1),
    "two kinds": (lambda: gauge("bad", point()) | {"sum": {"dataPoints": [point()]}}, Reason.BAD_POINT, 2),
    "a name that is none": (lambda: gauge(5, point()), Reason.BAD_POINT, 1),
    "a metric that is none": (lambda: "bad", Reason.NO_DATA, 1),
    "no kind": (lambda: {"name": "bad"}, Reason.NO_DATA, 1),
    "no time": (lambda: gauge("bad", {"asInt": 1}), Reason.NO_TIME, 1),
}


def rejected(app, protocol):
    return {
        reason: number
        for (kind, reason), number in app.state.senders.tally.rejected.items()
        if kind == protocol
    }


class TestNeighboursOfWhatIsBad:
    @pytest.mark.parametrize("reason", BAD_LABELS)
    async def test_remote_write(self, app, admin, device, read_back, reason):
        content = snappy(bad_series(BAD_LABELS[reason]))
        answer = await admin.post(WRITE, content=content, headers=headers_of())
        assert answer.status_code == 400
        assert answer.headers["X-Prometheus-Remote-Write-Samples-Written"] == "2"
        assert len(read_back(HOST)) == 2
        assert rejected(app, "prometheus") == {reason: 1}

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (
                b"bad,host=web-01" + b"".join(b",t%d=1" % n for n in range(101)) + b" v=1",
                Reason.TOO_MANY_LABELS,
            ),
            (b"bad,host=web-01 v=nan", Reason.INVALID_LINE),
            (b"bad,host=web-01,x=\xff v=1", Reason.INVALID_LINE),
            (b"bad,host=web-01,x v=1", Reason.INVALID_LINE),
            (b"nonsense", Reason.INVALID_LINE),
        ],
    )
    async def test_influx(self, app, admin, device, read_back, line, reason):
        body = b"good,host=web-01 v=1\n%s\nfine,host=web-01 v=2\n" % line
        answer = await admin.post("/influx/api/v2/write", content=body)
        assert answer.status_code == 400
        assert "line 2" in answer.json()["message"]
        assert len(read_back(HOST)) == 2
        assert rejected(app, "influx") == {reason: 1}

    @pytest.mark.parametrize("case", BAD_METRICS)
    async def test_otlp_in_json(self, app, admin, device, read_back, case):
        make, reason, number = BAD_METRICS[case]
        body = {"resourceMetrics": [resource_of(gauge("good", point()), make(), gauge("fine", point()))]}
        kind = {"Content-Type": "application/json"}
        answer = await admin.post("/otlp/v1/metrics", content=json.dumps(body), headers=kind)
        assert (answer.status_code, len(read_back(HOST))) == (200, 2)
        assert answer.json()["partialSuccess"]["rejectedDataPoints"] == str(number)
        assert rejected(app, "otlp") == {reason: number}

    async def test_otlp_in_protobuf_with_text_that_is_not_utf8(self, app, admin, device, read_back):
        found = [("good", {}, HOST, 0, 1.0), ("bad", {"x": "#"}, HOST, 0, 1.0), ("fine", {}, HOST, 0, 1.0)]
        request = otlp_request(found)
        for other in request.resource_metrics[1:]:
            request.resource_metrics[0].scope_metrics.extend(other.scope_metrics)
        del request.resource_metrics[1:]
        body = request.SerializeToString().replace(b"\x0a\x01#", b"\x0a\x01\xff")
        kind = {"Content-Type": "application/x-protobuf"}
        answer = await admin.post("/otlp/v1/metrics", content=body, headers=kind)
        assert (answer.status_code, len(read_back(HOST))) == (200, 2)
        assert rejected(app, "otlp") == {Reason.BAD_POINT: 1}

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"plugin": ""}, Reason.BAD_NAME),
            ({"host": ""}, Reason.NO_HOST),
            ({"values": ["x"]}, Reason.BAD_POINT),
            ({"values": [True]}, Reason.BAD_POINT),
            ({"dsnames": []}, Reason.BAD_POINT),
            ({"time": "now"}, Reason.BAD_POINT),
        ],
    )
    async def test_collectd(self, app, admin, device, read_back, changes, reason):
        body = collectd([("good", {}, HOST, 0, 1.0), ("bad", {}, HOST, 0, 1.0), ("fine", {}, HOST, 0, 1.0)])
        body["json"][1] |= changes
        answer = await admin.post(**body)
        assert (answer.status_code, len(read_back(HOST))) == (400, 2)
        assert rejected(app, "collectd") == {reason: 1}


def three(key, *more):
    return [resource_of(gauge("m", point()), attributes=[*more, (key, str(n))]) for n in range(3)]


class TestWhatIsToldApart:
    @pytest.mark.parametrize(
        "attributes",
        [
            ("process.pid",),
            ("service.instance.id", ("service.name", "shop")),
            ("container.id", ("k8s.node.name", HOST)),
            ("k8s.container.name", ("k8s.pod.name", "p")),
            ("k8s.pod.uid",),
            ("postgresql.database.name",),
        ],
    )
    async def test_resources_are(self, app, admin, device, read_back, attributes):
        resources = three(*attributes)
        answer = await admin.post("/otlp/v1/metrics", json={"resourceMetrics": resources})
        assert answer.json() == {}
        assert len(read_back(HOST)) == 3

    async def test_scopes_are(self, app, admin, device, read_back):
        one = resource_of()
        one["scopeMetrics"] = [
            {"scope": {"name": name, "version": version}, "metrics": [gauge("m", point())]}
            for name, version in (("a", "1"), ("a", "2"), ("b", ""))
        ]
        answer = await admin.post("/otlp/v1/metrics", json={"resourceMetrics": [one]})
        assert answer.json() == {}
        assert set(read_back(HOST)) == {
            'm{otel_scope_name="a",otel_scope_version="1"}',
            'm{otel_scope_name="a",otel_scope_version="2"}',
            'm{otel_scope_name="b"}',
        }

    async def test_what_still_collides_is_told_and_counted(self, app, admin, device, read_back):
        resources = three("colour")
        answer = await admin.post("/otlp/v1/metrics", json={"resourceMetrics": resources})
        told = answer.json()["partialSuccess"]
        assert told["rejectedDataPoints"] == "2"
        assert Reason.COLLISION.sentence in told["errorMessage"]
        assert rejected(app, "otlp") == {Reason.COLLISION: 2}
        assert len(read_back(HOST)) == 1

    async def test_the_same_again_is_a_duplicate(self, app, admin, device):
        resources = [resource_of(gauge("m", point(), point()))] * 2
        answer = await admin.post("/otlp/v1/metrics", json={"resourceMetrics": resources})
        assert answer.json() == {}
        assert app.state.senders.tally.duplicates["otlp"] == 3

    @pytest.mark.parametrize("names", [("温度", "湿度"), ("a-b", "a_b", "a b", "a/b"), ("x.é", "x_é")])
    async def test_names_are(self, admin, device, read_back, names):
        metrics = [gauge(name, point()) for name in names]
        answer = await admin.post("/otlp/v1/metrics", json={"resourceMetrics": [resource_of(*metrics)]})
        assert answer.json() == {}
        assert len(read_back(HOST)) == len(names)
